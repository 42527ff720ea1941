// Loads, stores and atomics: bounds, alignment, sectors and races are checked per warp, then the data moves.
#include <algorithm>
#include <cstdio>

#include "codes.h"
#include "lanes.h"
#include "opcode.h"

namespace emulator {

namespace {

// Where the lanes of an access lie in the host's memory.
struct Places {
    bool together = false;  // all 32 lanes, one after the other
    char* first = nullptr;
    alignas(64) char* at[LANES];

    char* of(int lane, int width) const { return together ? first + size_t(lane) * width : at[lane]; }
};

std::string hex(uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

const char* verb(const Instruction& in) { return in.atomic ? "atomic" : in.store ? "write" : "read"; }

std::string accessText(const char* space, const Instruction& in) {
    return std::string("illegal ") + space + " " + verb(in) + " of " + std::to_string(in.width) + " bytes";
}

[[noreturn]] void failMisaligned(Warp& w, const Instruction& in, const uint64_t* address, Mask mask) {
    int lane = lowestLane(mask);
    while ((mask >> lane & 1) == 0 || address[lane] % in.width == 0) lane++;
    w.worker->fail(MISALIGNED_ADDRESS, w, in, lane,
                   std::string("misaligned ") + verb(in) + " of " + std::to_string(in.width) + " bytes at " + hex(address[lane]));
}

// Distinct 32-byte sectors that the lanes touch.
uint64_t sectorsOf(const uint64_t* address, Mask mask, int width) {
    uint64_t all[2 * LANES], count = 0;
    bool sorted = true;
    for (Mask m = mask; m != 0; m &= m - 1) {
        const uint64_t a = address[lowestLane(m)], last = (a + width - 1) >> 5;
        for (uint64_t s = a >> 5; s <= last; s++) {
            if (count > 0 && s == all[count - 1]) continue;
            if (count > 0 && s < all[count - 1]) sorted = false;
            all[count++] = s;
        }
    }
    if (sorted) return count;
    std::sort(all, all + count);
    return uint64_t(std::unique(all, all + count) - all);
}

void count(Worker& worker, const Instruction& in, uint64_t low, const Traffic& traffic) {
    worker.sites[in.site].add(traffic);
    for (Watch& watch : worker.watches) {
        if (low < watch.begin || low >= watch.end) continue;
        if (!in.store) watch.loads.add(traffic);
        else watch.stores.add(traffic);
        if (in.atomic) watch.loads.add(traffic);
    }
}

std::string threadText(const Worker& worker, const Touch& other) {
    const uint32_t* grid = worker.shape->grid;
    const uint32_t* block = worker.shape->block;
    const uint32_t b = other.block, t = other.thread;
    return "block (" + std::to_string(b % grid[0]) + "," + std::to_string(b / grid[0] % grid[1]) + "," + std::to_string(b / grid[0] / grid[1]) +
           ") thread (" + std::to_string(t % block[0]) + "," + std::to_string(t / block[0] % block[1]) + "," +
           std::to_string(t / block[0] / block[1]) + ")" + (other.many ? " and others" : "");
}

// Enters one lane's access into the histories of its words and finds bytes that nobody wrote.
void checkLane(Warp& w, const Instruction& in, int lane, const char* space, uint64_t offset, WordHistory* history, uint8_t* defined,
               uint32_t stamp, bool same) {
    Worker& worker = *w.worker;
    const Toucher now{stamp, uint32_t(worker.block), worker.interval, w.interval, uint16_t(w.index * LANES + lane)};
    const Access access = in.atomic ? Access::Atomic : in.store ? Access::Write : Access::Read;
    for (uint64_t byte = offset; byte < offset + in.width;) {
        const uint64_t word = byte / 4, upTo = std::min<uint64_t>(word * 4 + 4, offset + in.width);
        const uint8_t bytes = uint8_t(((1u << (upTo - byte)) - 1) << (byte % 4));
        if (defined != nullptr) {
            if ((!in.store || in.atomic) && (defined[word] & bytes) != bytes)
                worker.fail(LAUNCH_FAILED, w, in, lane, std::string("uninitialised ") + space + " memory read: byte " + std::to_string(byte));
            if (in.store) defined[word] |= bytes;
        }
        Touch other;
        const char* conflict = touch(history[word], now, access, bytes, same, &other);
        if (conflict != nullptr)
            worker.fail(LAUNCH_FAILED, w, in, lane,
                        std::string(space) + " race, " + conflict + " of byte " + std::to_string(byte) + ", with " + threadText(worker, other));
        byte = upTo;
    }
}

Allocation* holdingLane(Warp& w, const Instruction& in, int lane, uint64_t address) {
    Worker& worker = *w.worker;
    Allocation* a = worker.memory->holding(address, in.width);
    if (a == nullptr)
        worker.fail(ILLEGAL_ADDRESS, w, in, lane, accessText("global", in) + " at " + hex(address) + ", " + worker.memory->describe(address));
    if (!a->pinned && a->device != worker.kernel->device)
        worker.fail(ILLEGAL_ADDRESS, w, in, lane, accessText("global", in) + " at " + hex(address) + ", which lies on device " + std::to_string(a->device));
    return a;
}

void resolveGlobal(Warp& w, const Instruction& in, const uint64_t* address, Mask mask, Places& places) {
    Worker& worker = *w.worker;
    const uint64_t width = in.width;
    uint64_t low, high, skew = 0;
    if (mask == ALL) {
        const uint64_t base = address[0];
        uint64_t scattered = 0;
        for (int i = 0; i < LANES; i++) scattered |= address[i] - base - uint64_t(i) * width;
        places.together = scattered == 0;
    }
    if (places.together) {
        low = address[0];
        high = low + LANES * width;
        skew = low;
    } else {
        low = ~uint64_t(0);
        high = 0;
        for (int i = 0; i < LANES; i++) {
            const bool on = mask >> i & 1;
            low = on && address[i] < low ? address[i] : low;
            high = on && address[i] > high ? address[i] : high;
            skew |= on ? address[i] : 0;
        }
        high += width;
    }
    if ((skew & (width - 1)) != 0) failMisaligned(w, in, address, mask);
    Span& span = worker.spans[in.site];
    if (low < span.begin || high > span.end || high < low) {
        Allocation* a = nullptr;
        for (Mask m = mask; m != 0; m &= m - 1) a = holdingLane(w, in, lowestLane(m), address[lowestLane(m)]);
        span = Span{a->begin, a->end(), a};
    }
    Traffic traffic;
    traffic.requests = 1;
    traffic.bytes = uint64_t(__builtin_popcount(mask)) * width;
    traffic.sectors = places.together ? ((high - 1) >> 5) - (low >> 5) + 1 : sectorsOf(address, mask, in.width);
    traffic.ideal = std::min(traffic.sectors, (traffic.bytes + 31) / 32);
    count(worker, in, low, traffic);
    places.first = reinterpret_cast<char*>(low);
    if (!places.together)
        for (int i = 0; i < LANES; i++) places.at[i] = reinterpret_cast<char*>(address[i]);
}

uint64_t sharedBytes(const Worker& worker) { return uint64_t(worker.kernel->staticShared) + worker.shape->dynamicShared; }

void resolveWindow(Warp& w, const Instruction& in, const uint64_t* address, Mask mask, Space space, Places& places) {
    Worker& worker = *w.worker;
    const uint64_t bytes = space == Space::Shared ? sharedBytes(worker) : space == Space::Local ? worker.kernel->localBytes : worker.kernel->parameterBytes;
    const uint64_t window = space == Space::Shared ? SHARED_WINDOW : space == Space::Local ? LOCAL_WINDOW : PARAMETER_WINDOW;
    const char* name = space == Space::Shared ? "shared" : space == Space::Local ? "local" : "parameter";
    char* base = space == Space::Shared ? worker.shared.data() : const_cast<char*>(worker.parameters);
    for (Mask m = mask; m != 0; m &= m - 1) {
        const int lane = lowestLane(m);
        const uint64_t offset = address[lane] >= window ? address[lane] - window : address[lane];
        if (offset + in.width > bytes || offset + in.width < offset)
            worker.fail(ILLEGAL_ADDRESS, w, in, lane, accessText(name, in) + " at byte " + std::to_string(int64_t(offset)) + " of " + std::to_string(bytes));
        if ((offset & (in.width - 1)) != 0) failMisaligned(w, in, address, mask);
        places.at[lane] = (space == Space::Local ? worker.localOf(w, lane) : base) + offset;
    }
}

Space spaceOf(uint64_t address) {
    return address >= PARAMETER_WINDOW ? Space::Parameter : address >= LOCAL_WINDOW ? Space::Local : address >= SHARED_WINDOW ? Space::Shared : Space::Global;
}

// Finds the lanes' memory. Answers the space, one for all lanes.
Space resolve(Warp& w, const Instruction& in, Mask mask, uint32_t addressRow, Places& places) {
    alignas(64) uint64_t address[LANES];
    if (in.narrowAddress) {
        const uint32_t* row = w.row<uint32_t>(addressRow);
        for (int i = 0; i < LANES; i++) address[i] = uint64_t(uint32_t(row[i] + uint32_t(in.offset)));
    } else {
        const uint64_t* row = w.row<uint64_t>(addressRow);
        for (int i = 0; i < LANES; i++) address[i] = row[i] + uint64_t(in.offset);
    }
    Space space = in.space;
    if (space == Space::Generic) {
        space = spaceOf(address[lowestLane(mask)]);
        for (Mask m = mask; m != 0; m &= m - 1)
            if (spaceOf(address[lowestLane(m)]) != space)
                w.worker->fail(INVALID_ADDRESS_SPACE, w, in, lowestLane(m), "lanes of one generic access lie in different spaces, which the emulator does not do");
    }
    if (space == Space::Global) resolveGlobal(w, in, address, mask, places);
    else resolveWindow(w, in, address, mask, space, places);
    return space;
}

// Race mode: after the places are known and before anything is stored. `same`: lanes whose store changes nothing.
void checkHistories(Warp& w, const Instruction& in, Mask mask, Space space, const Places& places, Mask same) {
    Worker& worker = *w.worker;
    if (space != Space::Global && space != Space::Shared) return;
    for (Mask m = mask; m != 0; m &= m - 1) {
        const int lane = lowestLane(m);
        char* at = places.of(lane, in.width);
        const bool unchanged = same >> lane & 1;
        if (space == Space::Shared) {
            checkLane(w, in, lane, "shared", uint64_t(at - worker.shared.data()), worker.sharedHistory.data(), worker.sharedDefined.data(),
                      worker.sharedStamp, unchanged);
            continue;
        }
        const uint64_t address = reinterpret_cast<uint64_t>(at);
        const Span& span = worker.spans[in.site];
        Allocation* a = address >= span.begin && address < span.end ? span.allocation : holdingLane(w, in, lane, address);
        if (a->history != nullptr) checkLane(w, in, lane, "global", address - a->begin, a->history, a->defined, worker.stamp, unchanged);
    }
}

template <class M>
M read(const char* from) {
    M value;
    memcpy(&value, from, sizeof value);
    return value;
}

template <class M, class C>
void load(Warp& w, const Instruction& in, Mask mask) {
    if (in.space == Space::Parameter && in.r[0] == ~0u) {  // a kernel parameter at a fixed place: one value for all lanes
        for (int v = 0; v < in.lanes; v++) {
            const M value = read<M>(w.worker->parameters + in.offset + size_t(v) * sizeof(M));
            writeRow(w.row<C>(in.r[1 + v]), mask, [=](int) { return C(int64_t(value)); });
        }
        return;
    }
    Places places;
    const Space space = resolve(w, in, mask, in.r[0], places);
    if (w.worker->race) checkHistories(w, in, mask, space, places, 0);
    if (places.together) {
        const char* from = places.first;
        const size_t stride = in.width;
        if (in.lanes == 1) {
            C* row = w.row<C>(in.r[1]);
            for (int i = 0; i < LANES; i++) row[i] = C(int64_t(read<M>(from + i * sizeof(M))));
            return;
        }
        for (int v = 0; v < in.lanes; v++) {
            C* row = w.row<C>(in.r[1 + v]);
            for (int i = 0; i < LANES; i++) row[i] = C(int64_t(read<M>(from + i * stride + size_t(v) * sizeof(M))));
        }
        return;
    }
    for (int v = 0; v < in.lanes; v++) {
        C* row = w.row<C>(in.r[1 + v]);
        for (Mask m = mask; m != 0; m &= m - 1) {
            const int i = lowestLane(m);
            row[i] = C(int64_t(read<M>(places.at[i] + size_t(v) * sizeof(M))));
        }
    }
}

template <class M, class C>
Mask unchangedLanes(Warp& w, const Instruction& in, Mask mask, const Places& places) {
    Mask same = 0;
    for (Mask m = mask; m != 0; m &= m - 1) {
        const int i = lowestLane(m);
        bool equal = true;
        for (int v = 0; v < in.lanes; v++) {
            const M value = M(w.row<C>(in.r[1 + v])[i]);
            equal = equal && memcmp(&value, places.of(i, in.width) + size_t(v) * sizeof(M), sizeof value) == 0;
        }
        same |= Mask(equal) << i;
    }
    return same;
}

template <class M, class C>
void store(Warp& w, const Instruction& in, Mask mask) {
    Places places;
    const Space space = resolve(w, in, mask, in.r[0], places);
    if (space == Space::Parameter) w.worker->fail(INVALID_ADDRESS_SPACE, w, in, lowestLane(mask), "write to a kernel parameter");
    const bool race = w.worker->race;
    if (race) {  // lane by lane, so that lanes of one instruction that write different values to one word are seen
        for (Mask m = mask; m != 0; m &= m - 1) {
            const int i = lowestLane(m);
            checkHistories(w, in, Mask(1) << i, space, places, unchangedLanes<M, C>(w, in, Mask(1) << i, places));
            for (int v = 0; v < in.lanes; v++) {
                const M value = M(w.row<C>(in.r[1 + v])[i]);
                memcpy(places.of(i, in.width) + size_t(v) * sizeof(M), &value, sizeof value);
            }
        }
        return;
    }
    for (int v = 0; v < in.lanes; v++) {
        const C* row = w.row<C>(in.r[1 + v]);
        if (places.together && in.lanes == 1) {
            for (int i = 0; i < LANES; i++) {
                const M value = M(row[i]);
                memcpy(places.first + i * sizeof(M), &value, sizeof value);
            }
        } else if (places.together) {
            const size_t stride = in.width;
            for (int i = 0; i < LANES; i++) {
                const M value = M(row[i]);
                memcpy(places.first + i * stride + size_t(v) * sizeof(M), &value, sizeof value);
            }
        } else {
            for (Mask m = mask; m != 0; m &= m - 1) {
                const int i = lowestLane(m);
                const M value = M(row[i]);
                memcpy(places.at[i] + size_t(v) * sizeof(M), &value, sizeof value);
            }
        }
    }
}

// Atomics, one lane after the other; with a seed the first lane varies.
struct AtomicAdd { template <class T> static T of(T old, T a, T) { return T(old + a); } };
struct AtomicMin { template <class T> static T of(T old, T a, T) { return a < old ? a : old; } };
struct AtomicMax { template <class T> static T of(T old, T a, T) { return a > old ? a : old; } };
struct AtomicAnd { template <class T> static T of(T old, T a, T) { return old & a; } };
struct AtomicOr { template <class T> static T of(T old, T a, T) { return old | a; } };
struct AtomicXor { template <class T> static T of(T old, T a, T) { return old ^ a; } };
struct AtomicExchange { template <class T> static T of(T, T a, T) { return a; } };
struct AtomicCas { template <class T> static T of(T old, T a, T b) { return old == a ? b : old; } };
struct AtomicInc { template <class T> static T of(T old, T a, T) { return old >= a ? T(0) : T(old + 1); } };
struct AtomicDec { template <class T> static T of(T old, T a, T) { return old == 0 || old > a ? a : T(old - 1); } };

template <class T, class Op>
void atomic(Warp& w, const Instruction& in, Mask mask) {
    Places places;
    const Space space = resolve(w, in, mask, in.r[1], places);
    if (w.worker->race) checkHistories(w, in, mask, space, places, 0);
    const auto* a = w.row<Cell<T>>(in.r[2]);
    const auto* b = w.row<Cell<T>>(in.r[3]);
    const int first = int(w.worker->seed * 7 % LANES);
    for (int k = 0; k < LANES; k++) {
        const int i = (k + first) % LANES;
        if ((mask >> i & 1) == 0) continue;
        char* at = places.of(i, in.width);
        const T old = read<T>(at);
        const T value = Op::of(old, fromCell<T>(a[i]), fromCell<T>(b[i]));
        memcpy(at, &value, sizeof value);
        if (in.r[0] != ~0u) w.row<Cell<T>>(in.r[0])[i] = toCell<T>(old);
    }
}

template <class Op>
Handler atomicInteger(Type type) {
    switch (type) {
        case Type::U32: case Type::B32: return atomic<uint32_t, Op>;
        case Type::S32: return atomic<int32_t, Op>;
        case Type::U64: case Type::B64: return atomic<uint64_t, Op>;
        case Type::S64: return atomic<int64_t, Op>;
        default: return nullptr;
    }
}

template <class C>
Handler loadOf(Type type) {
    switch (type) {
        case Type::U8: case Type::B8: return load<uint8_t, C>;
        case Type::S8: return load<int8_t, C>;
        case Type::U16: case Type::B16: case Type::F16: return load<uint16_t, C>;
        case Type::S16: return load<int16_t, C>;
        case Type::U32: case Type::B32: case Type::F32: return load<uint32_t, C>;
        case Type::S32: return load<int32_t, C>;
        default: return load<uint64_t, C>;
    }
}

template <class C>
Handler storeOf(Type type) {
    switch (bytesOf(type)) {
        case 1: return store<uint8_t, C>;
        case 2: return store<uint16_t, C>;
        case 4: return store<uint32_t, C>;
        default: return store<uint64_t, C>;
    }
}

}  // namespace

Handler loadHandler(Type type, int cell) { return cell == 8 ? loadOf<uint64_t>(type) : loadOf<uint32_t>(type); }

Handler storeHandler(Type type, int cell) { return cell == 8 ? storeOf<uint64_t>(type) : storeOf<uint32_t>(type); }

Handler atomicHandler(const Opcode& op) {
    const Type t = op.type();
    if (op.has("add")) {
        if (t == Type::F32) return atomic<float, AtomicAdd>;
        if (t == Type::F64) return atomic<double, AtomicAdd>;
        return atomicInteger<AtomicAdd>(t);
    }
    if (op.has("min")) return atomicInteger<AtomicMin>(t);
    if (op.has("max")) return atomicInteger<AtomicMax>(t);
    if (op.has("and")) return atomicInteger<AtomicAnd>(t);
    if (op.has("or")) return atomicInteger<AtomicOr>(t);
    if (op.has("xor")) return atomicInteger<AtomicXor>(t);
    if (op.has("exch")) return atomicInteger<AtomicExchange>(t);
    if (op.has("cas")) return atomicInteger<AtomicCas>(t);
    if (op.has("inc")) return t == Type::U32 ? atomic<uint32_t, AtomicInc> : nullptr;
    if (op.has("dec")) return t == Type::U32 ? atomic<uint32_t, AtomicDec> : nullptr;
    return nullptr;
}

}  // namespace emulator
