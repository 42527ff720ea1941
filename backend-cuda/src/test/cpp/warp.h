// The state of a launch on one host thread: a block's warps, their rows of registers, shared memory and counters.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "device_memory.h"
#include "program.h"

namespace emulator {

// Generic addresses above these bounds lie in a window of shared, local or parameter memory.
constexpr uint64_t SHARED_WINDOW = uint64_t(1) << 56;
constexpr uint64_t LOCAL_WINDOW = uint64_t(2) << 56;
constexpr uint64_t PARAMETER_WINDOW = uint64_t(3) << 56;

struct LaunchShape {
    uint32_t grid[3] = {1, 1, 1};
    uint32_t block[3] = {1, 1, 1};
    uint32_t dynamicShared = 0;

    uint64_t blocks() const { return uint64_t(grid[0]) * grid[1] * grid[2]; }
    uint32_t threads() const { return block[0] * block[1] * block[2]; }
};

// What one kind of access moved. A sector is 32 bytes; ideal is what the same lanes need when they lie together.
struct Traffic {
    uint64_t requests = 0, bytes = 0, sectors = 0, ideal = 0;

    void add(const Traffic& other) {
        requests += other.requests;
        bytes += other.bytes;
        sectors += other.sectors;
        ideal += other.ideal;
    }
};

// A range of addresses whose traffic is counted apart.
struct Watch {
    uint64_t begin, end;
    Traffic loads, stores;
};

// What a kernel's launches did together.
struct KernelCount {
    uint64_t launches = 0, blocks = 0;
    Traffic loads, stores, atomics;  // of global memory
};

// Lanes of a warp that are at one instruction.
struct Group {
    int32_t pc;
    Mask lanes;
    bool waiting;  // at an instruction that waits for other lanes
};

struct Worker;

struct Warp {
    Worker* worker = nullptr;
    char* file = nullptr;           // rows of registers
    uint32_t* predicates = nullptr;
    uint32_t index = 0;             // in the block
    Mask exists = 0, alive = 0;
    Mask carry = 0;
    int32_t parked = -1;            // the barrier it waits at
    Mask parkedLanes = 0;
    uint16_t interval = 0;          // barriers of the warp or the block that it passed
    uint64_t steps = 0;
    std::vector<Group> groups;

    template <class T>
    T* row(uint32_t offset) const {
        return reinterpret_cast<T*>(file + offset);
    }
};

// The block of memory that an access hit last; most accesses of an instruction stay in one.
struct Span {
    uint64_t begin = 1, end = 0;
    Allocation* allocation = nullptr;
};

struct Worker {
    const Kernel* kernel = nullptr;
    const LaunchShape* shape = nullptr;
    const char* parameters = nullptr;
    DeviceMemory* memory = nullptr;
    uint32_t ctaid[3] = {0, 0, 0};
    uint64_t block = 0;
    uint32_t interval = 0;          // barriers the block has passed
    uint64_t seed = 0;              // order of warps and of an atomic's lanes; 0: natural
    uint64_t limit = 0;
    bool race = false;
    uint32_t stamp = 0;             // the launch, for histories
    uint32_t sharedStamp = 0;       // the block, for shared memory's
    std::vector<char> files;
    std::vector<uint32_t> predicates;
    std::vector<Warp> warps;
    std::vector<uint32_t> order;    // in which the warps run
    std::vector<char> shared;
    std::vector<WordHistory> sharedHistory;
    std::vector<uint8_t> sharedDefined;
    std::vector<char> local;
    std::vector<Span> spans;
    std::vector<Traffic> sites;
    std::vector<Watch> watches;

    char* localOf(const Warp& warp, int lane) { return local.data() + (size_t(warp.index) * LANES + lane) * kernel->localBytes; }
    // Throws a Failure whose text names the kernel, block, thread and instruction.
    [[noreturn]] void fail(int code, const Warp& warp, const Instruction& in, int lane, const std::string& what) const;
};

inline int lowestLane(Mask mask) { return __builtin_ctz(mask); }

std::string laneNames(Mask mask);

}  // namespace emulator
