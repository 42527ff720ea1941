#include "device_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace emulator {

namespace {

constexpr size_t PAGE = 4096;
constexpr size_t ALIGNMENT = 256;       // what CUDA promises; blocks lie off larger alignments on purpose
constexpr size_t QUARANTINE = 4096;     // freed blocks that stay recognisable

size_t historyBytes(const Allocation& a) { return (a.bytes + 3) / 4 * sizeof(WordHistory); }

size_t definedBytes(const Allocation& a) { return (a.bytes + 3) / 4; }

constexpr size_t POISON = size_t(4) << 20;

// A file of 0xFF in memory. Blocks are private views of it: a page costs something when it is touched, and not before.
int poison() {
    static const int file = [] {
        const int made = memfd_create("poison", MFD_CLOEXEC);
        const std::vector<uint8_t> bytes(POISON, 0xFF);
        return made >= 0 && write(made, bytes.data(), POISON) == ssize_t(POISON) ? made : -1;
    }();
    return file;
}

bool mapPoison(uint8_t* at, size_t bytes) {
    for (size_t i = 0; i < bytes; i += POISON)
        if (mmap(at + i, std::min(POISON, bytes - i), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, poison(), 0) == MAP_FAILED) return false;
    return true;
}

}  // namespace

Allocation* DeviceMemory::allocate(size_t bytes, int device, bool pinned, bool trackDefined) {
    if (bytes == 0 || (!pinned && used(device) + bytes > cap)) return nullptr;
    auto* a = new Allocation();
    const size_t body = (bytes + ALIGNMENT + PAGE - 1) / PAGE * PAGE;
    a->mapped = body + 2 * PAGE;
    void* mapping = mmap(nullptr, a->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED || !mapPoison(static_cast<uint8_t*>(mapping) + PAGE, body)) {
        if (mapping != MAP_FAILED) munmap(mapping, a->mapped);
        delete a;
        return nullptr;
    }
    a->mapping = static_cast<uint8_t*>(mapping);
    a->begin = reinterpret_cast<uint64_t>(a->mapping) + PAGE + ALIGNMENT;
    a->bytes = bytes;
    a->device = device;
    a->pinned = pinned;
    if (trackDefined) {
        a->history = static_cast<WordHistory*>(reserveZeros(historyBytes(*a)));
        if (!pinned) a->defined = static_cast<uint8_t*>(reserveZeros(definedBytes(*a)));  // the host's writes are not seen
    }
    byMapping_[reinterpret_cast<uint64_t>(mapping)] = a;
    account(*a, 1);
    return a;
}

void DeviceMemory::account(const Allocation& a, long sign) {
    if (!a.pinned) used_[a.device] += size_t(sign) * a.bytes;
}

void DeviceMemory::giveToModule(Allocation* a) {
    account(*a, -1);
    a->variable = true;
}

void DeviceMemory::unmap(Allocation* a) {
    byMapping_.erase(reinterpret_cast<uint64_t>(a->mapping));
    munmap(a->mapping, a->mapped);
    releaseZeros(a->history, historyBytes(*a));
    releaseZeros(a->defined, definedBytes(*a));
    delete a;
}

bool DeviceMemory::release(uint64_t address, bool pinned) {
    Allocation* a = find(address);
    if (a == nullptr || a->freed || a->begin != address || a->pinned != pinned) return false;
    account(*a, -1);
    a->freed = true;
    mmap(a->mapping, a->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    releaseZeros(a->history, historyBytes(*a));
    releaseZeros(a->defined, definedBytes(*a));
    a->history = nullptr;
    a->defined = nullptr;
    quarantine_.push_back(a);
    if (quarantine_.size() > QUARANTINE) {
        unmap(quarantine_.front());
        quarantine_.pop_front();
    }
    return true;
}

Allocation* DeviceMemory::find(uint64_t address) {
    auto next = byMapping_.upper_bound(address);
    if (next == byMapping_.begin()) return nullptr;
    Allocation* a = std::prev(next)->second;
    return address < reinterpret_cast<uint64_t>(a->mapping) + a->mapped ? a : nullptr;
}

Allocation* DeviceMemory::holding(uint64_t address, size_t bytes) {
    Allocation* a = find(address);
    return a != nullptr && !a->freed && address >= a->begin && bytes <= a->bytes && address - a->begin <= a->bytes - bytes ? a : nullptr;
}

std::string DeviceMemory::describe(uint64_t address) {
    Allocation* a = find(address);
    if (a == nullptr) return "no block is near";
    const std::string block = std::string(a->freed ? "a freed block of " : a->pinned ? "a pinned block of " : "a block of ") +
                              std::to_string(a->bytes) + " bytes";
    if (address < a->begin) return std::to_string(a->begin - address) + " bytes before " + block;
    if (address >= a->end()) return std::to_string(address - a->end()) + " bytes past the end of " + block;
    return "byte " + std::to_string(address - a->begin) + " of " + block;
}

void DeviceMemory::markDefined(uint64_t address, size_t bytes) {
    Allocation* a = find(address);
    if (a == nullptr || a->defined == nullptr || bytes == 0) return;
    const size_t from = address - a->begin, to = from + bytes;
    for (size_t byte = from; byte < to;) {
        if (byte % 4 == 0 && to - byte >= 4) {
            const size_t words = (to - byte) / 4;
            memset(a->defined + byte / 4, 0xF, words);
            byte += 4 * words;
        } else {
            a->defined[byte / 4] |= uint8_t(1u << (byte % 4));
            byte++;
        }
    }
}

void DeviceMemory::copyDefined(uint64_t to, uint64_t from, size_t bytes) {
    Allocation* source = find(from);
    Allocation* target = find(to);
    if (target == nullptr || target->defined == nullptr) return;
    if (source == nullptr || source->defined == nullptr) return markDefined(to, bytes);
    for (size_t k = 0; k < bytes; k++) {
        const size_t s = from + k - source->begin, t = to + k - target->begin;
        const bool defined = source->defined[s / 4] >> (s % 4) & 1;
        const uint8_t bit = uint8_t(1u << (t % 4));
        target->defined[t / 4] = uint8_t(defined ? target->defined[t / 4] | bit : target->defined[t / 4] & ~bit);
    }
}

uint64_t DeviceMemory::firstUndefined(uint64_t address, size_t bytes) {
    Allocation* a = find(address);
    if (a == nullptr || a->defined == nullptr) return address + bytes;
    for (size_t k = 0; k < bytes; k++) {
        const size_t s = address + k - a->begin;
        if ((a->defined[s / 4] >> (s % 4) & 1) == 0) return address + k;
    }
    return address + bytes;
}

size_t DeviceMemory::used(int device) const {
    const auto found = used_.find(device);
    return found == used_.end() ? 0 : found->second;
}

size_t DeviceMemory::live(bool pinned) const {
    size_t count = 0;
    for (auto& entry : byMapping_) {
        const Allocation* a = entry.second;
        if (!a->freed && !a->variable && a->pinned == pinned) count++;
    }
    return count;
}

size_t DeviceMemory::liveBytes(bool pinned) const {
    size_t sum = 0;
    for (auto& entry : byMapping_) {
        const Allocation* a = entry.second;
        if (!a->freed && !a->variable && a->pinned == pinned) sum += a->bytes;
    }
    return sum;
}

std::vector<Allocation*> DeviceMemory::blocks() const {
    std::vector<Allocation*> all;
    for (auto& entry : byMapping_) all.push_back(entry.second);
    return all;
}

void DeviceMemory::clear() {
    quarantine_.clear();
    used_.clear();
    for (Allocation* a : blocks())
        if (!a->variable) unmap(a);
}

}  // namespace emulator
