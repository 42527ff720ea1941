// What the emulated cuBLAS asks of the emulated driver.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace emulator {

// A batch of column-major matrices in device memory.
struct Matrices {
    uint64_t address;
    int64_t rows, columns, leading, stride;
    int64_t batch;
    int64_t element;  // bytes
    bool read, written;
};

// Counts a call of cuBLAS and answers a driver's status: an injected failure, or that of a dead context.
__attribute__((visibility("default"))) int enterBlas(const char* name);

// Puts a computation into a stream. Its operands have to lie in live blocks, now and when it runs.
__attribute__((visibility("default"))) int runBlas(const char* name, void* stream, const std::vector<Matrices>& operands,
                                                   const std::function<void()>& compute);

// Whether the whole range lies in one live block of device memory.
__attribute__((visibility("default"))) bool onDevice(uint64_t address, size_t bytes);

// Prints that a function is missing and counts it.
__attribute__((visibility("default"))) void missingBlas(const char* name);

}  // namespace emulator
