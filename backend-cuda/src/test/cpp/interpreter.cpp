#include "interpreter.h"

#include <algorithm>
#include <atomic>
#include <climits>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <numeric>
#include <random>
#include <thread>

#include "codes.h"

namespace emulator {

std::string Kernel::where(const Instruction& in) const {
    std::string text = in.line > 0 && source != nullptr && in.line <= source->size() ? (*source)[in.line - 1] : "?";
    const size_t first = text.find_first_not_of(" \t");
    text = first == std::string::npos ? "" : text.substr(first);
    std::replace(text.begin(), text.end(), '\t', ' ');
    return "PTX line " + std::to_string(in.line) + ": " + text;
}

std::string laneNames(Mask mask) {
    std::string text;
    for (int i = 0; i < LANES; i++) {
        if ((mask >> i & 1) == 0) continue;
        int last = i;
        while (last + 1 < LANES && (mask >> (last + 1) & 1)) last++;
        text += (text.empty() ? "" : ",") + std::to_string(i) + (last > i ? "-" + std::to_string(last) : "");
        i = last;
    }
    return text;
}

void Worker::fail(int code, const Warp& warp, const Instruction& in, int lane, const std::string& what) const {
    const uint32_t t = warp.index * LANES + uint32_t(lane);
    const uint32_t* b = shape->block;
    const std::string thread = std::to_string(t % b[0]) + "," + std::to_string(t / b[0] % b[1]) + "," + std::to_string(t / b[0] / b[1]);
    throw Failure{code, "kernel '" + kernel->name + "' block (" + std::to_string(ctaid[0]) + "," + std::to_string(ctaid[1]) + "," +
                            std::to_string(ctaid[2]) + ") thread (" + thread + "): " + what + " [" + kernel->where(in) + "]"};
}

namespace {

enum Barrier : uint8_t { SYNC, AND, OR, COUNT };

// The lowest group that can run, merged with all that are at its instruction. False if there is none.
bool takeLowest(Warp& w, Group& group, int32_t& next) {
    int32_t lowest = INT_MAX;
    for (const Group& g : w.groups)
        if (!g.waiting) lowest = std::min(lowest, g.pc);
    if (lowest == INT_MAX) return false;
    group = Group{lowest, 0, false};
    next = INT_MAX;
    size_t kept = 0;
    for (const Group& g : w.groups) {
        if (!g.waiting && g.pc == lowest) {
            group.lanes |= g.lanes;
        } else {
            if (!g.waiting) next = std::min(next, g.pc);
            w.groups[kept++] = g;
        }
    }
    w.groups.resize(kept);
    return true;
}

// Lanes that arrived at a waiting instruction before join those that arrive now.
Mask absorbWaiting(Warp& w, int32_t pc) {
    Mask lanes = 0;
    size_t kept = 0;
    for (const Group& g : w.groups) {
        if (g.waiting && g.pc == pc) lanes |= g.lanes;
        else w.groups[kept++] = g;
    }
    w.groups.resize(kept);
    return lanes;
}

Mask memberMask(Warp& w, const Instruction& in, Mask lanes) {
    const uint32_t* members = w.row<uint32_t>(in.r[5]);
    const Mask mask = members[lowestLane(lanes)];
    for (Mask m = lanes; m != 0; m &= m - 1)
        if (members[lowestLane(m)] != mask) w.worker->fail(LAUNCH_FAILED, w, in, lowestLane(m), "lanes of one warp name different masks");
    if ((lanes & ~mask) != 0) w.worker->fail(LAUNCH_FAILED, w, in, lowestLane(lanes & ~mask), "a lane that the mask does not name takes part");
    return mask;
}

// The lanes that an instruction still waits for.
Mask missing(Warp& w, const Instruction& in, Mask lanes) {
    return (in.kind == Kind::Barrier ? w.alive : memberMask(w, in, lanes)) & ~lanes;
}

[[noreturn]] void failWaiting(Warp& w) {
    const Group& g = w.groups.front();
    const Instruction& in = w.worker->kernel->code[g.pc];
    const Mask absent = missing(w, in, g.lanes);
    const std::string exited = (absent & ~w.alive) != 0 ? " (exited: " + laneNames(absent & ~w.alive) + ")" : "";
    const std::string what = in.kind == Kind::Barrier ? "divergent barrier: " : in.run == nullptr ? "divergent warp barrier: " : "divergent shuffle or vote: ";
    w.worker->fail(LAUNCH_FAILED, w, in, lowestLane(g.lanes), what + "lanes " + laneNames(absent) + " of its warp are not at this instruction" + exited);
}

// Runs one group until it ends, parks, splits or passes another group.
void runGroup(Warp& w, Group group, int32_t next) {
    const Instruction* code = w.worker->kernel->code.data();
    int32_t pc = group.pc;
    Mask lanes = group.lanes;
    for (;;) {
        const Instruction& in = code[pc];
        Mask mask = lanes & (w.predicates[in.guard] ^ (in.flip ? ALL : 0));
        switch (in.kind) {
            case Kind::Compute:
                if (mask != 0) in.run(w, in, mask);
                pc++;
                break;
            case Kind::Branch:
                if (mask == lanes) {
                    if (in.target <= pc) {
                        w.steps += uint64_t(pc - in.target) + 1;
                        if (w.steps > w.worker->limit)
                            w.worker->fail(LAUNCH_TIMEOUT, w, in, lowestLane(lanes), "endless: the limit of instructions is reached");
                    }
                    pc = in.target;
                } else if (mask == 0) {
                    pc++;
                } else {
                    w.groups.push_back(Group{in.target, mask, false});
                    w.groups.push_back(Group{pc + 1, lanes & ~mask, false});
                    w.steps += 16;
                    return;
                }
                break;
            case Kind::Exit:
                w.alive &= ~mask;
                lanes &= ~mask;
                if (lanes == 0) return;
                pc++;
                break;
            case Kind::Trap:
                if (mask != 0) w.worker->fail(in.target, w, in, lowestLane(mask), in.extra ? "assertion failed" : "trap");
                pc++;
                break;
            case Kind::Barrier:
            case Kind::WarpSync: {
                if (mask == 0) {
                    pc++;
                    break;
                }
                if (mask != lanes) w.groups.push_back(Group{pc + 1, lanes & ~mask, false});
                mask |= absorbWaiting(w, pc);
                if (missing(w, in, mask) != 0) {
                    w.groups.push_back(Group{pc, mask, true});
                    return;
                }
                if (in.kind == Kind::Barrier) {
                    w.parked = pc;
                    w.parkedLanes = mask;
                    return;
                }
                if (in.run != nullptr) in.run(w, in, mask);
                else w.interval++;
                w.groups.push_back(Group{pc + 1, mask, false});
                if (w.groups.size() > 1) return;
                w.groups.clear();
                lanes = mask;
                pc++;
                break;
            }
        }
        if (pc >= next) {
            w.groups.push_back(Group{pc, lanes, false});
            return;
        }
    }
}

// Runs a warp until it waits at a barrier or has ended.
void runWarp(Warp& w) {
    while (w.parked < 0 && w.alive != 0) {
        Group group;
        int32_t next;
        if (!takeLowest(w, group, next)) failWaiting(w);
        runGroup(w, group, next);
    }
}

void releaseBarrier(Worker& worker) {
    const Warp* first = nullptr;
    for (const Warp& w : worker.warps) {
        if (w.parked < 0) continue;
        if (first == nullptr) first = &w;
        if (w.parked != first->parked) {
            const Instruction& in = worker.kernel->code[w.parked];
            worker.fail(LAUNCH_FAILED, w, in, lowestLane(w.parkedLanes),
                        "divergent barrier: warp 0 of the block waits at another one, PTX line " + std::to_string(worker.kernel->code[first->parked].line));
        }
    }
    const Instruction& in = worker.kernel->code[first->parked];
    uint32_t votes = 0, threads = 0;
    for (const Warp& w : worker.warps) {
        if (w.parked < 0 || in.width == SYNC) continue;
        votes += uint32_t(__builtin_popcount(w.predicates[in.r[1]] & w.parkedLanes));
        threads += uint32_t(__builtin_popcount(w.parkedLanes));
    }
    worker.interval++;
    for (Warp& w : worker.warps) {
        if (w.parked < 0) continue;
        if (in.width == COUNT) {
            for (Mask m = w.parkedLanes; m != 0; m &= m - 1) w.row<uint32_t>(in.r[0])[lowestLane(m)] = votes;
        } else if (in.width != SYNC) {
            const bool result = in.width == AND ? votes == threads : votes != 0;
            w.predicates[in.r[0]] = (w.predicates[in.r[0]] & ~w.parkedLanes) | (result ? w.parkedLanes : 0);
        }
        w.interval++;
        w.groups.push_back(Group{w.parked + 1, w.parkedLanes, false});
        w.parked = -1;
    }
}

void fill(Warp& w, uint32_t row, uint32_t value) {
    uint32_t* cells = w.row<uint32_t>(row);
    for (int i = 0; i < LANES; i++) cells[i] = value;
}

// What stays the same for all blocks: constants and the threads' places.
void prepare(Worker& worker, const Kernel& kernel, const LaunchShape& shape) {
    const uint32_t threads = shape.threads(), warps = (threads + LANES - 1) / LANES;
    worker.kernel = &kernel;
    worker.shape = &shape;
    if (worker.files.size() < size_t(warps) * kernel.fileBytes + 64) worker.files.resize(size_t(warps) * kernel.fileBytes + 64);
    worker.predicates.assign(size_t(warps) * kernel.predicates, 0);
    worker.warps.resize(warps);
    worker.local.assign(size_t(warps) * LANES * kernel.localBytes, char(0xFF));
    worker.spans.assign(kernel.sites, Span());
    worker.sites.assign(kernel.sites, Traffic());
    const size_t shared = size_t(kernel.staticShared) + shape.dynamicShared;
    worker.shared.resize(shared);
    if (worker.race) {
        worker.sharedHistory.resize((shared + 3) / 4);
        worker.sharedDefined.resize((shared + 3) / 4);
    }
    char* files = reinterpret_cast<char*>((reinterpret_cast<uint64_t>(worker.files.data()) + 63) & ~uint64_t(63));
    for (uint32_t k = 0; k < warps; k++) {
        Warp& w = worker.warps[k];
        w.worker = &worker;
        w.index = k;
        w.file = files + size_t(k) * kernel.fileBytes;
        w.predicates = worker.predicates.data() + size_t(k) * kernel.predicates;
        w.predicates[PREDICATE_TRUE] = ALL;
        const uint32_t left = threads - k * LANES;
        w.exists = left >= LANES ? ALL : (Mask(1) << left) - 1;
        for (const ConstantRow& c : kernel.constants) {
            for (int i = 0; i < LANES; i++) {
                if (c.bytes == 8) w.row<uint64_t>(c.row)[i] = c.bits;
                else w.row<uint32_t>(c.row)[i] = uint32_t(c.bits);
            }
        }
        for (const SpecialRow& s : kernel.specials) {
            for (uint32_t i = 0; i < uint32_t(LANES); i++) {
                const uint32_t t = k * LANES + i;
                uint32_t& cell = w.row<uint32_t>(s.row)[i];
                switch (s.value) {
                    case Special::TidX: cell = t % shape.block[0]; break;
                    case Special::TidY: cell = t / shape.block[0] % shape.block[1]; break;
                    case Special::TidZ: cell = t / shape.block[0] / shape.block[1]; break;
                    case Special::NtidX: cell = shape.block[0]; break;
                    case Special::NtidY: cell = shape.block[1]; break;
                    case Special::NtidZ: cell = shape.block[2]; break;
                    case Special::NctaidX: cell = shape.grid[0]; break;
                    case Special::NctaidY: cell = shape.grid[1]; break;
                    case Special::NctaidZ: cell = shape.grid[2]; break;
                    case Special::Laneid: cell = i; break;
                    case Special::Warpid: cell = k; break;
                    default: break;
                }
            }
        }
    }
}

std::atomic<uint32_t> sharedStamps{0};

void runBlock(Worker& worker, uint64_t block) {
    const LaunchShape& shape = *worker.shape;
    worker.block = block;
    worker.ctaid[0] = uint32_t(block % shape.grid[0]);
    worker.ctaid[1] = uint32_t(block / shape.grid[0] % shape.grid[1]);
    worker.ctaid[2] = uint32_t(block / shape.grid[0] / shape.grid[1]);
    worker.interval = 0;
    std::fill(worker.shared.begin(), worker.shared.end(), char(0xFF));
    if (worker.race) {
        std::fill(worker.sharedDefined.begin(), worker.sharedDefined.end(), uint8_t(0));
        worker.sharedStamp = ++sharedStamps;
    }
    for (Warp& w : worker.warps) {
        w.alive = w.exists;
        w.parked = -1;
        w.interval = 0;
        w.steps = 0;
        w.carry = 0;
        w.groups.clear();
        w.groups.push_back(Group{0, w.exists, false});
        for (const SpecialRow& s : worker.kernel->specials)
            if (s.value >= Special::CtaidX && s.value <= Special::CtaidZ) fill(w, s.row, worker.ctaid[int(s.value) - int(Special::CtaidX)]);
    }
    std::vector<uint32_t>& order = worker.order;
    order.resize(worker.warps.size());
    std::iota(order.begin(), order.end(), 0u);
    for (;;) {
        if (worker.seed != 0) std::shuffle(order.begin(), order.end(), std::minstd_rand(uint32_t(worker.seed * 1000003 + block * 31 + worker.interval)));
        for (uint32_t k : order) runWarp(worker.warps[k]);
        bool waits = false;
        for (const Warp& w : worker.warps) waits = waits || w.parked >= 0;
        if (!waits) return;
        releaseBarrier(worker);
    }
}

// The second host thread. It lives as long as the process.
class Helper {
public:
    void start(std::function<void()> task) {
        std::unique_lock<std::mutex> lock(mutex_);
        if (!started_) {
            started_ = true;
            std::thread([this] { loop(); }).detach();
        }
        task_ = std::move(task);
        changed_.notify_all();
    }
    void await() {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return task_ == nullptr; });
    }

private:
    void loop() {
        std::unique_lock<std::mutex> lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return task_ != nullptr; });
            lock.unlock();
            task_();
            lock.lock();
            task_ = nullptr;
            changed_.notify_all();
        }
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> task_;
    bool started_ = false;
};

// Instructions of a launch below which waking the second thread takes longer than it saves.
constexpr uint64_t WORTH_A_THREAD = 1000000;

std::vector<uint32_t> shuffledBlocks(uint64_t blocks, uint64_t seed) {
    std::vector<uint32_t> order(blocks);
    std::iota(order.begin(), order.end(), 0u);
    std::mt19937_64 random(seed);
    std::shuffle(order.begin(), order.end(), random);
    return order;
}

void collectCounts(const Worker& worker, const Kernel& kernel, KernelCount& count) {
    std::vector<bool> seen(kernel.sites, false);
    for (const Instruction& in : kernel.code) {
        const bool memory = in.site != 0 || in.width != 0;
        if (!memory || in.kind != Kind::Compute || in.site >= kernel.sites || seen[in.site]) continue;
        seen[in.site] = true;
        const Traffic& t = worker.sites[in.site];
        (in.atomic ? count.atomics : in.store ? count.stores : count.loads).add(t);
    }
}

}  // namespace

void execute(const Kernel& kernel, const LaunchShape& shape, const char* parameters, DeviceMemory& memory, const Modes& modes,
             KernelCount& count, std::vector<Watch>& watches) {
    static Worker* workers = new Worker[2];
    static Helper* helper = new Helper();
    static uint32_t launches = 0;
    launches++;
    const uint64_t blocks = shape.blocks();
    const bool parallel = modes.threads > 1 && !modes.race && modes.order == 0 && !kernel.ordered && blocks > 1 &&
                          blocks * shape.threads() * kernel.code.size() >= WORTH_A_THREAD;
    std::vector<uint32_t> order;
    if (modes.order != 0) order = shuffledBlocks(blocks, modes.order + launches);
    std::atomic<uint64_t> next{0};
    std::atomic<bool> failed{false};
    std::mutex failureLock;
    Failure failure{SUCCESS, ""};
    const uint64_t chunk = std::max<uint64_t>(1, std::min<uint64_t>(16, blocks / 8));
    auto work = [&](Worker& worker) {
        try {
            for (;;) {
                const uint64_t from = next.fetch_add(chunk), to = std::min(blocks, from + chunk);
                if (from >= blocks || failed) return;
                for (uint64_t b = from; b < to; b++) runBlock(worker, order.empty() ? b : order[b]);
            }
        } catch (const Failure& f) {
            std::lock_guard<std::mutex> lock(failureLock);
            if (!failed) failure = f;
            failed = true;
        }
    };
    const int threads = parallel ? 2 : 1;
    for (int t = 0; t < threads; t++) {
        Worker& worker = workers[t];
        worker.parameters = parameters;
        worker.memory = &memory;
        worker.seed = modes.order;
        worker.limit = modes.limit;
        worker.race = modes.race;
        worker.stamp = launches;
        worker.watches = watches;
        for (Watch& w : worker.watches) w.loads = w.stores = Traffic();
        prepare(worker, kernel, shape);
    }
    if (parallel) helper->start([&] { work(workers[1]); });
    work(workers[0]);
    if (parallel) helper->await();
    count.launches++;
    count.blocks += blocks;
    for (int t = 0; t < threads; t++) {
        collectCounts(workers[t], kernel, count);
        for (size_t k = 0; k < watches.size(); k++) {
            watches[k].loads.add(workers[t].watches[k].loads);
            watches[k].stores.add(workers[t].watches[k].stores);
        }
    }
    if (failed) throw failure;
}

}  // namespace emulator
