// Race detection: for each four-byte word the last write and the reads since, by thread, block and barrier interval.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace emulator {

// Who touched a word last. Several readers of one interval merge into one record marked `many`.
struct Touch {
    uint32_t stamp = 0;      // launch; 0: nobody
    uint32_t block = 0;
    uint32_t interval = 0;   // barriers that the block had passed
    uint16_t warpInterval = 0;
    uint16_t thread : 10;
    uint16_t many : 1;       // threads of several warps of the block
    uint16_t blocks : 1;     // threads of several blocks
    uint16_t atomic : 1;
    uint8_t bytes = 0;       // which of the word's four

    Touch() : thread(0), many(0), blocks(0), atomic(0) {}
};

struct WordHistory {
    Touch write;
    Touch read;
};

enum class Access { Read, Write, Atomic };

// Who is touching now. Threads of one warp in one interval between warp barriers also count as unordered.
struct Toucher {
    uint32_t stamp;
    uint32_t block;
    uint32_t interval;
    uint16_t warpInterval;
    uint16_t thread;
};

// Enters an access of 1 to 4 bytes into a word's history. Answers null if it is ordered after all conflicting ones, else
// the conflict's kind ("write after read"). `same`: a write that stores the value that is there, which is no conflict with
// another write of it.
const char* touch(WordHistory& word, const Toucher& now, Access access, uint8_t bytes, bool same, Touch* other);

// Memory of zeros for histories: pages exist once touched.
void* reserveZeros(size_t bytes);
void releaseZeros(void* memory, size_t bytes);

}  // namespace emulator
