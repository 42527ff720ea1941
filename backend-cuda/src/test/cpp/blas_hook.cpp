#include "blas_hook.h"

#include "driver.h"

namespace emulator {

namespace {

void check(const char* name, const Matrices& m, int code) {
    Driver& d = driver();
    for (int64_t b = 0; b < m.batch && m.rows > 0 && m.columns > 0; b++) {
        const uint64_t first = m.address + uint64_t(b * m.stride * m.element);
        const size_t bytes = size_t(((m.columns - 1) * m.leading + m.rows) * m.element);
        if (d.memory.holding(first, bytes) == nullptr)
            throw Failure{code, std::string(name) + ": a matrix of " + std::to_string(m.rows) + " by " + std::to_string(m.columns) +
                                    " does not lie in one block: its first byte is " + d.memory.describe(first) + ", its last byte is " +
                                    d.memory.describe(first + bytes - 1)};
        if (first % uint64_t(m.element) != 0) throw Failure{code, std::string(name) + ": a matrix is misaligned"};
    }
}

void eachColumn(const Matrices& m, const std::function<void(uint64_t, size_t)>& visit) {
    for (int64_t b = 0; b < m.batch; b++)
        for (int64_t c = 0; c < m.columns; c++) visit(m.address + uint64_t((b * m.stride + c * m.leading) * m.element), size_t(m.rows * m.element));
}

}  // namespace

int enterBlas(const char* name) {
    return call(name, CONTEXT, [](Context&) -> int { return SUCCESS; });
}

int runBlas(const char* name, void* handle, const std::vector<Matrices>& operands, const std::function<void()>& compute) {
    return call(name, CONTEXT, [&](Context& context) -> int {
        Driver& d = driver();
        auto stream = d.stream(handle, context);
        for (const Matrices& m : operands) check(name, m, INVALID_VALUE);
        d.enqueue(stream, name, [name, operands, compute] {
            DeviceMemory& memory = driver().memory;
            const bool race = driver().modes.race;
            for (const Matrices& m : operands) check(name, m, ILLEGAL_ADDRESS);
            for (const Matrices& m : operands) {
                if (!race || !m.read) continue;
                eachColumn(m, [&](uint64_t address, size_t bytes) {
                    const uint64_t bad = memory.firstUndefined(address, bytes);
                    if (bad != address + bytes) throw Failure{LAUNCH_FAILED, std::string(name) + ": uninitialised global memory read: " + memory.describe(bad)};
                });
            }
            compute();
            driver().kernels[name].launches++;
            for (const Matrices& m : operands)
                if (race && m.written) eachColumn(m, [&](uint64_t address, size_t bytes) { memory.markDefined(address, bytes); });
        });
        return SUCCESS;
    });
}

bool onDevice(uint64_t address, size_t bytes) {
    Driver& d = driver();
    std::lock_guard<std::recursive_mutex> guard(d.lock);
    return d.memory.holding(address, bytes) != nullptr;
}

void missingBlas(const char* name) { unsupported(name); }

}  // namespace emulator
