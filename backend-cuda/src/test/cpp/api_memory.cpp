// Exported: device and pinned memory, copies, fills.
#include <cstring>
#include <memory>

#include "driver.h"

using namespace emulator;

namespace {

bool injectedAllocationFailure() {
    Driver& d = driver();
    return d.modes.failAllocation != 0 && ++d.allocationsToFail == uint64_t(d.modes.failAllocation);
}

// Deferred work may run when the block is gone: then it is the device's fault, not a bad argument.
void needLive(uint64_t address, size_t bytes, const char* what, int code) {
    Driver& d = driver();
    if (bytes == 0 || d.memory.holding(address, bytes) != nullptr) return;
    throw Failure{code, std::string(what) + " of " + std::to_string(bytes) + " bytes does not lie in one block: its first byte is " +
                            d.memory.describe(address) + ", its last byte is " + d.memory.describe(address + bytes - 1)};
}

void countCopy(const char* kind, size_t bytes) {
    Copies& c = driver().copies[kind];
    c.count++;
    c.bytes += bytes;
}

enum class Wait { No, Yes };

std::shared_ptr<Stream> streamFor(void* handle, Context& context, Wait wait) {
    std::shared_ptr<Stream> stream = driver().stream(handle, context);
    if (wait == Wait::Yes) driver().forbidDuringCapture();
    return stream;
}

int finish(const std::shared_ptr<Stream>& stream, Context& context, Wait wait) {
    if (wait == Wait::No) return SUCCESS;
    driver().runUntil([&] { return stream->queue.empty(); });
    return context.stickyCode;
}

int toDevice(uint64_t to, const void* from, size_t bytes, void* handle, Context& context, Wait wait) {
    auto stream = streamFor(handle, context, wait);
    needLive(to, bytes, "the target", INVALID_VALUE);
    countCopy("h2d", bytes);
    // Pageable memory may change once the call returns; pinned memory is read when the copy runs.
    auto snapshot = std::make_shared<std::vector<char>>();
    if (stream->capture == nullptr && !driver().isPinned(reinterpret_cast<uint64_t>(from)))
        snapshot->assign(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
    const bool pageable = !snapshot->empty();
    driver().enqueue(stream, "copy to the device", [=] {
        needLive(to, bytes, "the target", ILLEGAL_ADDRESS);
        memcpy(reinterpret_cast<void*>(to), pageable ? snapshot->data() : from, bytes);
        driver().memory.markDefined(to, bytes);
    });
    return finish(stream, context, wait);
}

int toHost(void* to, uint64_t from, size_t bytes, void* handle, Context& context, Wait wait) {
    auto stream = streamFor(handle, context, wait);
    needLive(from, bytes, "the source", INVALID_VALUE);
    countCopy("d2h", bytes);
    driver().enqueue(stream, "copy to the host", [=] {
        needLive(from, bytes, "the source", ILLEGAL_ADDRESS);
        memcpy(to, reinterpret_cast<void*>(from), bytes);
    });
    const bool pageable = stream->capture == nullptr && !driver().isPinned(reinterpret_cast<uint64_t>(to));
    return finish(stream, context, pageable ? Wait::Yes : wait);
}

int onDevice(uint64_t to, uint64_t from, size_t bytes, void* handle, Context& context, Wait wait) {
    auto stream = streamFor(handle, context, wait);
    needLive(to, bytes, "the target", INVALID_VALUE);
    needLive(from, bytes, "the source", INVALID_VALUE);
    countCopy("d2d", bytes);
    driver().enqueue(stream, "copy on the device", [=] {
        needLive(to, bytes, "the target", ILLEGAL_ADDRESS);
        needLive(from, bytes, "the source", ILLEGAL_ADDRESS);
        memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
        driver().memory.copyDefined(to, from, bytes);
    });
    return finish(stream, context, wait);
}

int copyAny(uint64_t to, uint64_t from, size_t bytes, void* handle, Context& context, Wait wait) {
    DeviceMemory& memory = driver().memory;
    const bool toDev = memory.holding(to, bytes) != nullptr, fromDev = memory.holding(from, bytes) != nullptr;
    if (toDev && fromDev) return onDevice(to, from, bytes, handle, context, wait);
    if (toDev) return toDevice(to, reinterpret_cast<void*>(from), bytes, handle, context, wait);
    if (fromDev) return toHost(reinterpret_cast<void*>(to), from, bytes, handle, context, wait);
    return INVALID_VALUE;
}

template <class T>
int fill(uint64_t to, T value, size_t count, void* handle, Context& context, Wait wait) {
    auto stream = streamFor(handle, context, wait);
    const size_t bytes = count * sizeof(T);
    if (to % sizeof(T) != 0) return INVALID_VALUE;
    needLive(to, bytes, "the target", INVALID_VALUE);
    countCopy("memset", bytes);
    driver().enqueue(stream, "fill", [=] {
        needLive(to, bytes, "the target", ILLEGAL_ADDRESS);
        T* cells = reinterpret_cast<T*>(to);
        for (size_t i = 0; i < count; i++) cells[i] = value;
        driver().memory.markDefined(to, bytes);
    });
    return finish(stream, context, wait);
}

}  // namespace

EMULATOR_API int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
    return call("cuMemAlloc_v2", CONTEXT, [&](Context& context) -> int {
        Driver& d = driver();
        if (bytes == 0) return INVALID_VALUE;
        d.forbidDuringCapture();
        d.allocations++;
        if (injectedAllocationFailure()) throw Failure{OUT_OF_MEMORY, "injected failure of an allocation of " + std::to_string(bytes) + " bytes"};
        Allocation* a = d.memory.allocate(bytes, context.device, false, d.modes.race);
        if (a == nullptr) return OUT_OF_MEMORY;
        *address = a->begin;
        return SUCCESS;
    });
}

EMULATOR_API int cuMemFree_v2(uint64_t address) {
    return call("cuMemFree_v2", CONTEXT, [&](Context& context) -> int {
        if (address == 0) return SUCCESS;
        driver().forbidDuringCapture();
        driver().drain(context);  // a driver waits for the device before it takes memory back
        if (!driver().memory.release(address, false))
            throw Failure{INVALID_VALUE, "no live block begins there: " + driver().memory.describe(address)};
        return SUCCESS;
    });
}

namespace {

int allocateHost(const char* name, void** address, size_t bytes) {
    return call(name, CONTEXT, [&](Context& context) -> int {
        Driver& d = driver();
        if (bytes == 0) return INVALID_VALUE;
        d.allocations++;
        if (injectedAllocationFailure()) throw Failure{OUT_OF_MEMORY, "injected failure of a pinned allocation of " + std::to_string(bytes) + " bytes"};
        Allocation* a = d.memory.allocate(bytes, context.device, true, d.modes.race);
        if (a == nullptr) return OUT_OF_MEMORY;
        *address = reinterpret_cast<void*>(a->begin);
        return SUCCESS;
    });
}

}  // namespace

EMULATOR_API int cuMemHostAlloc(void** address, size_t bytes, unsigned) { return allocateHost("cuMemHostAlloc", address, bytes); }

EMULATOR_API int cuMemAllocHost_v2(void** address, size_t bytes) { return allocateHost("cuMemAllocHost_v2", address, bytes); }

EMULATOR_API int cuMemFreeHost(void* address) {
    return call("cuMemFreeHost", CONTEXT, [&](Context& context) -> int {
        driver().drain(context);
        return driver().memory.release(reinterpret_cast<uint64_t>(address), true) ? SUCCESS : INVALID_VALUE;
    });
}

EMULATOR_API int cuMemHostRegister_v2(void* address, size_t bytes, unsigned) {
    return call("cuMemHostRegister_v2", CONTEXT, [&](Context&) -> int {
        driver().registered[reinterpret_cast<uint64_t>(address)] = bytes;
        return SUCCESS;
    });
}

EMULATOR_API int cuMemHostUnregister(void* address) {
    return call("cuMemHostUnregister", CONTEXT, [&](Context& context) -> int {
        driver().drain(context);
        return driver().registered.erase(reinterpret_cast<uint64_t>(address)) == 1 ? SUCCESS : INVALID_VALUE;
    });
}

EMULATOR_API int cuMemHostGetDevicePointer_v2(uint64_t* device, void* host, unsigned) {
    return call("cuMemHostGetDevicePointer_v2", CONTEXT, [&](Context&) -> int {
        *device = reinterpret_cast<uint64_t>(host);
        return driver().memory.holding(*device, 1) != nullptr ? SUCCESS : INVALID_VALUE;
    });
}

EMULATOR_API int cuMemGetInfo_v2(size_t* free, size_t* total) {
    return call("cuMemGetInfo_v2", CONTEXT, [&](Context& context) -> int {
        *total = driver().modes.memory;
        *free = *total - driver().memory.used(context.device);
        return SUCCESS;
    });
}

EMULATOR_API int cuMemGetAddressRange_v2(uint64_t* begin, size_t* bytes, uint64_t address) {
    return call("cuMemGetAddressRange_v2", CONTEXT, [&](Context&) -> int {
        Allocation* a = driver().memory.holding(address, 1);
        if (a == nullptr) return NOT_FOUND;
        if (begin != nullptr) *begin = a->begin;
        if (bytes != nullptr) *bytes = a->bytes;
        return SUCCESS;
    });
}

EMULATOR_API int cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
    return call("cuMemcpyHtoD_v2", CONTEXT, [&](Context& c) { return toDevice(to, from, bytes, nullptr, c, Wait::Yes); });
}

EMULATOR_API int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
    return call("cuMemcpyHtoDAsync_v2", CONTEXT, [&](Context& c) { return toDevice(to, from, bytes, stream, c, Wait::No); });
}

EMULATOR_API int cuMemcpyDtoH_v2(void* to, uint64_t from, size_t bytes) {
    return call("cuMemcpyDtoH_v2", CONTEXT, [&](Context& c) { return toHost(to, from, bytes, nullptr, c, Wait::Yes); });
}

EMULATOR_API int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
    return call("cuMemcpyDtoHAsync_v2", CONTEXT, [&](Context& c) { return toHost(to, from, bytes, stream, c, Wait::No); });
}

EMULATOR_API int cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t bytes) {
    return call("cuMemcpyDtoD_v2", CONTEXT, [&](Context& c) { return onDevice(to, from, bytes, nullptr, c, Wait::No); });
}

EMULATOR_API int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream) {
    return call("cuMemcpyDtoDAsync_v2", CONTEXT, [&](Context& c) { return onDevice(to, from, bytes, stream, c, Wait::No); });
}

EMULATOR_API int cuMemcpy(uint64_t to, uint64_t from, size_t bytes) {
    return call("cuMemcpy", CONTEXT, [&](Context& c) { return copyAny(to, from, bytes, nullptr, c, Wait::Yes); });
}

EMULATOR_API int cuMemcpyAsync(uint64_t to, uint64_t from, size_t bytes, void* stream) {
    return call("cuMemcpyAsync", CONTEXT, [&](Context& c) { return copyAny(to, from, bytes, stream, c, Wait::No); });
}

// Between devices there is no direct path; both contexts' work is waited for.
EMULATOR_API int cuMemcpyPeer(uint64_t to, Context* toContext, uint64_t from, Context* fromContext, size_t bytes) {
    return call("cuMemcpyPeer", CONTEXT, [&](Context& c) -> int {
        driver().drain(*toContext);
        driver().drain(*fromContext);
        return onDevice(to, from, bytes, nullptr, c, Wait::Yes);
    });
}

EMULATOR_API int cuMemcpyPeerAsync(uint64_t to, Context*, uint64_t from, Context*, size_t bytes, void* stream) {
    return call("cuMemcpyPeerAsync", CONTEXT, [&](Context& c) { return onDevice(to, from, bytes, stream, c, Wait::No); });
}

EMULATOR_API int cuMemsetD8_v2(uint64_t to, unsigned char value, size_t count) {
    return call("cuMemsetD8_v2", CONTEXT, [&](Context& c) { return fill<uint8_t>(to, value, count, nullptr, c, Wait::No); });
}

EMULATOR_API int cuMemsetD8Async(uint64_t to, unsigned char value, size_t count, void* stream) {
    return call("cuMemsetD8Async", CONTEXT, [&](Context& c) { return fill<uint8_t>(to, value, count, stream, c, Wait::No); });
}

EMULATOR_API int cuMemsetD16_v2(uint64_t to, unsigned short value, size_t count) {
    return call("cuMemsetD16_v2", CONTEXT, [&](Context& c) { return fill<uint16_t>(to, value, count, nullptr, c, Wait::No); });
}

EMULATOR_API int cuMemsetD16Async(uint64_t to, unsigned short value, size_t count, void* stream) {
    return call("cuMemsetD16Async", CONTEXT, [&](Context& c) { return fill<uint16_t>(to, value, count, stream, c, Wait::No); });
}

EMULATOR_API int cuMemsetD32_v2(uint64_t to, unsigned value, size_t count) {
    return call("cuMemsetD32_v2", CONTEXT, [&](Context& c) { return fill<uint32_t>(to, value, count, nullptr, c, Wait::No); });
}

EMULATOR_API int cuMemsetD32Async(uint64_t to, unsigned value, size_t count, void* stream) {
    return call("cuMemsetD32Async", CONTEXT, [&](Context& c) { return fill<uint32_t>(to, value, count, stream, c, Wait::No); });
}
