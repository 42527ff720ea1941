// What the emulator is told to be: set by the environment at start and by EmulatorControl later.
#pragma once

#include <cstdint>
#include <string>

namespace emulator {

struct Modes {
    bool race = false;                           // detect races and reads of memory that nobody wrote
    uint64_t order = 0;                          // seed of the order of blocks, warps and atomics; 0: natural order
    uint64_t defer = 0;                          // seed of streams that run nothing before somebody waits; 0: at once
    uint64_t memory = uint64_t(4) << 30;         // bytes of device memory
    int devices = 1;
    int driver = 12000;                          // as cuDriverGetVersion counts: 12000 is CUDA 12.0
    int capability = 80;                         // compute capability times ten
    int ptx = 0;                                 // highest PTX version times ten; 0: what the driver version takes
    long failCall = 0;                           // the n-th call from now fails; 0: none
    long failAllocation = 0;                     // the n-th allocation of device or pinned memory from now fails
    int failCode = 999;                          // the code of the failing call
    std::string failName;                        // count calls of this function only; empty: all
    int threads = 2;                             // host threads for the blocks of a launch
    uint64_t limit = uint64_t(1) << 32;          // instructions of one warp in one block before it counts as endless

    // Reads "race,order=3,defer=5,..."; throws std::invalid_argument that names the word it does not know.
    static Modes parse(const std::string& text);
    int highestPtx() const;
};

}  // namespace emulator
