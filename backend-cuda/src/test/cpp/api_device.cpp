// Exported: initialisation, devices, contexts.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "driver.h"

using namespace emulator;

namespace {

int sharedLimit(int capability) {  // bytes a block may ask for
    switch (capability) {
        case 75: return 65536;
        case 80: return 166912;
        case 86: case 89: return 101376;
        default: return 232448;
    }
}

int multiprocessors(int capability) { return capability >= 90 ? 132 : capability >= 80 ? 108 : 40; }

int attribute(int number, int capability) {
    switch (number) {
        case 1: return 1024;                // threads of a block
        case 2: case 3: return 1024;        // its x, y
        case 4: return 64;                  // its z
        case 5: return 2147483647;          // grid x
        case 6: case 7: return 65535;       // grid y, z
        case 8: return 48 * 1024;           // shared memory of a block
        case 9: return 64 * 1024;           // constant memory
        case 10: return 32;                 // warp
        case 12: return 65536;              // registers of a block
        case 13: return 1410000;            // clock, kHz
        case 16: return multiprocessors(capability);
        case 17: return 0;                  // no time limit
        case 18: return 0;                  // no integrated memory
        case 19: return 1;                  // can map host memory
        case 20: return 0;                  // default compute mode
        case 31: return 1;                  // concurrent kernels
        case 33: case 34: return 0;         // PCI bus, device
        case 36: return 1215000;            // memory clock
        case 37: return 5120;               // bus width
        case 38: return 40 << 20;           // L2
        case 39: return capability == 75 ? 1024 : 2048;  // threads of a multiprocessor
        case 40: return 3;                  // copy engines
        case 41: return 1;                  // one address space
        case 75: return capability / 10;
        case 76: return capability % 10;
        case 78: return 1;                  // stream priorities
        case 81: return sharedLimit(capability) + 1024;  // shared memory of a multiprocessor
        case 82: return 65536;              // registers of a multiprocessor
        case 83: return 0;                  // no managed memory
        case 97: return sharedLimit(capability);
        case 115: return 0;                 // no memory pools
        default: return 0;
    }
}

int checkDevice(int device) { return device >= 0 && device < driver().modes.devices ? SUCCESS : INVALID_DEVICE; }

}  // namespace

EMULATOR_API int cuInit(unsigned flags) {
    return call("cuInit", NOTHING, [&](Context&) -> int {
        if (flags != 0) return INVALID_VALUE;
        if (driver().modes.devices == 0) return NO_DEVICE;
        driver().initialised = true;
        return SUCCESS;
    });
}

EMULATOR_API int cuDriverGetVersion(int* version) {
    return call("cuDriverGetVersion", NOTHING, [&](Context&) -> int {
        *version = driver().modes.driver;
        return SUCCESS;
    });
}

EMULATOR_API int cuGetErrorString(int code, const char** text) {
    *text = errorText(code);
    return *text == nullptr ? INVALID_VALUE : SUCCESS;
}

EMULATOR_API int cuGetErrorName(int code, const char** text) {
    *text = errorName(code);
    return *text == nullptr ? INVALID_VALUE : SUCCESS;
}

EMULATOR_API int cuDeviceGetCount(int* count) {
    return call("cuDeviceGetCount", INITIALISED, [&](Context&) -> int {
        *count = driver().modes.devices;
        return SUCCESS;
    });
}

EMULATOR_API int cuDeviceGet(int* device, int ordinal) {
    return call("cuDeviceGet", INITIALISED, [&](Context&) -> int {
        *device = ordinal;
        return checkDevice(ordinal);
    });
}

EMULATOR_API int cuDeviceGetName(char* name, int length, int device) {
    return call("cuDeviceGetName", INITIALISED, [&](Context&) -> int {
        snprintf(name, size_t(length), "Emulated GPU sm_%d", driver().modes.capability);
        return checkDevice(device);
    });
}

EMULATOR_API int cuDeviceTotalMem_v2(size_t* bytes, int device) {
    return call("cuDeviceTotalMem_v2", INITIALISED, [&](Context&) -> int {
        *bytes = driver().modes.memory;
        return checkDevice(device);
    });
}

EMULATOR_API int cuDeviceGetAttribute(int* value, int number, int device) {
    return call("cuDeviceGetAttribute", INITIALISED, [&](Context&) -> int {
        *value = attribute(number, driver().modes.capability);
        return checkDevice(device);
    });
}

EMULATOR_API int cuDeviceComputeCapability(int* major, int* minor, int device) {
    return call("cuDeviceComputeCapability", INITIALISED, [&](Context&) -> int {
        *major = driver().modes.capability / 10;
        *minor = driver().modes.capability % 10;
        return checkDevice(device);
    });
}

EMULATOR_API int cuDeviceGetUuid(char* uuid, int device) {
    return call("cuDeviceGetUuid", INITIALISED, [&](Context&) -> int {
        memset(uuid, 0, 16);
        uuid[15] = char(device + 1);
        return checkDevice(device);
    });
}

EMULATOR_API int cuDeviceGetPCIBusId(char* text, int length, int device) {
    return call("cuDeviceGetPCIBusId", INITIALISED, [&](Context&) -> int {
        snprintf(text, size_t(length), "0000:%02x:00.0", device + 1);
        return checkDevice(device);
    });
}

EMULATOR_API int cuDeviceCanAccessPeer(int* can, int, int) {
    return call("cuDeviceCanAccessPeer", INITIALISED, [&](Context&) -> int {
        *can = 0;
        return SUCCESS;
    });
}

EMULATOR_API int cuDevicePrimaryCtxRetain(Context** context, int device) {
    return call("cuDevicePrimaryCtxRetain", INITIALISED, [&](Context&) -> int {
        if (checkDevice(device) != SUCCESS) return INVALID_DEVICE;
        *context = driver().primaries[size_t(device)].get();
        (*context)->retained++;
        return SUCCESS;
    });
}

EMULATOR_API int cuDevicePrimaryCtxRelease_v2(int device) {
    return call("cuDevicePrimaryCtxRelease_v2", INITIALISED, [&](Context&) -> int {
        if (checkDevice(device) != SUCCESS) return INVALID_DEVICE;
        Context& context = *driver().primaries[size_t(device)];
        if (context.retained == 0) return INVALID_CONTEXT;
        context.retained--;
        return SUCCESS;
    });
}

EMULATOR_API int cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
    return call("cuDevicePrimaryCtxGetState", INITIALISED, [&](Context&) -> int {
        if (checkDevice(device) != SUCCESS) return INVALID_DEVICE;
        *flags = 0;
        *active = driver().primaries[size_t(device)]->retained > 0;
        return SUCCESS;
    });
}

EMULATOR_API int cuCtxCreate_v2(Context** context, unsigned, int device) {
    return call("cuCtxCreate_v2", INITIALISED, [&](Context&) -> int {
        if (checkDevice(device) != SUCCESS) return INVALID_DEVICE;
        *context = new Context();
        (*context)->device = device;
        driver().contexts.insert(*context);
        currentContext() = *context;
        return SUCCESS;
    });
}

EMULATOR_API int cuCtxDestroy_v2(Context* context) {
    return call("cuCtxDestroy_v2", INITIALISED, [&](Context&) -> int {
        if (driver().contexts.count(context) == 0 || context->primary) return INVALID_CONTEXT;
        driver().contexts.erase(context);
        if (currentContext() == context) currentContext() = nullptr;
        return SUCCESS;
    });
}

EMULATOR_API int cuCtxSetCurrent(Context* context) {
    return call("cuCtxSetCurrent", INITIALISED, [&](Context&) -> int {
        if (context != nullptr && driver().contexts.count(context) == 0) return INVALID_CONTEXT;
        currentContext() = context;
        return SUCCESS;
    });
}

EMULATOR_API int cuCtxGetCurrent(Context** context) {
    return call("cuCtxGetCurrent", INITIALISED, [&](Context&) -> int {
        *context = currentContext();
        return SUCCESS;
    });
}

EMULATOR_API int cuCtxGetDevice(int* device) {
    return call("cuCtxGetDevice", CONTEXT, [&](Context& context) -> int {
        *device = context.device;
        return SUCCESS;
    });
}

EMULATOR_API int cuCtxGetApiVersion(Context*, unsigned* version) {
    return call("cuCtxGetApiVersion", INITIALISED, [&](Context&) -> int {
        *version = 3020;
        return SUCCESS;
    });
}

EMULATOR_API int cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    return call("cuCtxGetStreamPriorityRange", CONTEXT, [&](Context&) -> int {
        if (least != nullptr) *least = 0;
        if (greatest != nullptr) *greatest = -5;
        return SUCCESS;
    });
}

EMULATOR_API int cuCtxSynchronize() {
    return call("cuCtxSynchronize", CONTEXT, [&](Context& context) -> int {
        driver().forbidDuringCapture();
        driver().synchronisations++;
        driver().drain(context);
        return context.stickyCode;
    });
}
