// Device and pinned memory: guard pages around every block, poison, quarantine of freed blocks, a cap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "race.h"

namespace emulator {

struct Allocation {
    uint64_t begin = 0;
    size_t bytes = 0;
    int device = 0;
    bool pinned = false;
    bool freed = false;
    bool variable = false;         // of a module
    uint8_t* mapping = nullptr;    // with the guard pages
    size_t mapped = 0;
    WordHistory* history = nullptr;  // race mode: who touched each word
    uint8_t* defined = nullptr;      // race mode: which bytes of each word were written

    uint64_t end() const { return begin + bytes; }
};

class DeviceMemory {
public:
    // A new block filled with 0xFF (a NaN in every float type); nullptr when the cap is reached.
    Allocation* allocate(size_t bytes, int device, bool pinned, bool trackDefined);
    // A module's variable is none of the program's blocks: it counts nowhere and stays.
    void giveToModule(Allocation* allocation);
    // Frees into quarantine: any later use is recognised. False if no live block begins there.
    bool release(uint64_t address, bool pinned);
    // The block whose bytes or guard pages hold the address, freed ones included; nullptr if none.
    Allocation* find(uint64_t address);
    // The live block that holds the whole range, or nullptr.
    Allocation* holding(uint64_t address, size_t bytes);
    // For messages: "4 bytes past the end of a block of 128 bytes".
    std::string describe(uint64_t address);

    void markDefined(uint64_t address, size_t bytes);
    void copyDefined(uint64_t to, uint64_t from, size_t bytes);
    // The first byte of a live block's range that nobody wrote, or the range's end.
    uint64_t firstUndefined(uint64_t address, size_t bytes);

    size_t used(int device) const;
    size_t live(bool pinned) const;      // blocks
    size_t liveBytes(bool pinned) const;
    std::vector<Allocation*> blocks() const;
    void clear();

    size_t cap = size_t(4) << 30;

private:
    void unmap(Allocation* allocation);
    void account(const Allocation& allocation, long sign);

    std::map<uint64_t, Allocation*> byMapping_;  // key: the mapping's first address
    std::deque<Allocation*> quarantine_;
    std::map<int, size_t> used_;  // by device
};

}  // namespace emulator
