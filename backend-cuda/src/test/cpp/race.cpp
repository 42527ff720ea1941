#include "race.h"

#include <sys/mman.h>

namespace emulator {

namespace {

// Whether an earlier access and one of `now` may happen in either order.
bool unordered(const Touch& then, const Toucher& now) {
    if (then.stamp != now.stamp) return false;
    if (then.blocks || then.block != now.block) return true;
    if (then.interval != now.interval) return false;
    if (then.many || then.thread / 32 != now.thread / 32) return true;
    return then.thread != now.thread && then.warpInterval == now.warpInterval;
}

void enter(Touch& record, const Toucher& now, uint8_t bytes, bool atomic) {
    record.stamp = now.stamp;
    record.block = now.block;
    record.interval = now.interval;
    record.warpInterval = now.warpInterval;
    record.thread = now.thread;
    record.many = 0;
    record.blocks = 0;
    record.atomic = atomic;
    record.bytes = bytes;
}

}  // namespace

const char* touch(WordHistory& word, const Toucher& now, Access access, uint8_t bytes, bool same, Touch* other) {
    Touch& write = word.write;
    Touch& read = word.read;
    const bool atomic = access == Access::Atomic;
    if (access == Access::Read) {
        if ((write.bytes & bytes) && unordered(write, now)) {
            *other = write;
            return "read after write";
        }
        if (read.stamp == now.stamp && unordered(read, now)) {  // a second reader: remember that there are several
            if (read.block != now.block) read.blocks = 1;
            read.many = 1;
            read.bytes |= bytes;
        } else {
            enter(read, now, bytes, false);
        }
        return nullptr;
    }
    if ((write.bytes & bytes) && !(atomic && write.atomic) && !same && unordered(write, now)) {
        *other = write;
        return "write after write";
    }
    if ((read.bytes & bytes) && unordered(read, now)) {
        *other = read;
        return "write after read";
    }
    if (write.stamp == now.stamp && unordered(write, now)) {  // another's bytes of the word, or an atomic's companion
        if (write.block != now.block) write.blocks = 1;
        write.many = 1;
        write.bytes |= bytes;
        write.atomic = write.atomic && atomic;
    } else {
        enter(write, now, bytes, atomic);
    }
    return nullptr;
}

void* reserveZeros(size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

void releaseZeros(void* memory, size_t bytes) {
    if (memory != nullptr) munmap(memory, bytes);
}

}  // namespace emulator
