// Exported: modules, kernels and launches.
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <tuple>

#include "driver.h"
#include "interpreter.h"

using namespace emulator;

namespace {

// Set while a module loads: whose variables are being placed.
int loadingDevice = 0;

uint64_t allocateVariable(size_t bytes, const std::string& name) {
    Allocation* a = driver().memory.allocate(bytes, loadingDevice, false, false);
    if (a == nullptr) throw Failure{OUT_OF_MEMORY, "no memory for the module's variable '" + name + "'"};
    driver().memory.giveToModule(a);
    return a->begin;
}

using ModuleKey = std::tuple<std::string, int, int, int>;

// Decoding the backend's PTX takes a while, and tests open devices often: what was unloaded is used again.
Module* decoded(const char* ptx, Context& context) {
    static auto* known = new std::multimap<ModuleKey, Module*>();
    Driver& d = driver();
    const ModuleKey key(ptx, d.modes.highestPtx(), d.modes.capability, context.device);
    const auto same = known->equal_range(key);
    for (auto entry = same.first; entry != same.second; ++entry)
        if (d.modules.count(entry->second) == 0) return entry->second;
    loadingDevice = context.device;
    Module* module = loadModule(ptx, d.modes.highestPtx(), d.modes.capability, context.device, allocateVariable);
    known->emplace(key, module);
    return module;
}

int load(Module** out, const char* ptx, Context& context) {
    if (ptx == nullptr) return INVALID_VALUE;
    *out = decoded(ptx, context);
    for (auto& entry : (*out)->variables)
        memcpy(reinterpret_cast<void*>(entry.second.address), entry.second.initial.data(), entry.second.initial.size());
    for (auto& entry : (*out)->kernels) entry.second.dynamicSharedLimit = Kernel().dynamicSharedLimit;
    driver().modules.insert(*out);
    return SUCCESS;
}

// Copies the arguments into one block laid out as the PTX says.
std::vector<char> gatherParameters(const Kernel& kernel, void** separate, void** extra) {
    std::vector<char> block(std::max<size_t>(kernel.parameterBytes, 1));
    if (extra != nullptr) {
        const void* buffer = nullptr;
        size_t bytes = 0;
        bool sized = false;
        for (int k = 0; extra[k] != nullptr; k += 2) {
            const auto key = reinterpret_cast<uint64_t>(extra[k]);
            if (key == 1) {
                buffer = extra[k + 1];
            } else if (key == 2) {
                bytes = *static_cast<size_t*>(extra[k + 1]);
                sized = true;
            } else {
                throw Failure{INVALID_VALUE, "unknown key " + std::to_string(key) + " in `extra`"};
            }
        }
        if (separate != nullptr) throw Failure{INVALID_VALUE, "both kernelParams and `extra` are given"};
        if (!sized || buffer == nullptr || bytes != kernel.parameterBytes)
            throw Failure{INVALID_VALUE, "kernel '" + kernel.name + "' takes " + std::to_string(kernel.parameterBytes) + " bytes of parameters, `extra` has " +
                                             std::to_string(bytes)};
        memcpy(block.data(), buffer, bytes);
        return block;
    }
    if (separate == nullptr && !kernel.parameters.empty()) throw Failure{INVALID_VALUE, "kernel '" + kernel.name + "' is launched without parameters"};
    for (size_t k = 0; k < kernel.parameters.size(); k++) {
        const Parameter& p = kernel.parameters[k];
        if (separate[k] == nullptr) throw Failure{INVALID_VALUE, "parameter " + std::to_string(k) + " of kernel '" + kernel.name + "' is null"};
        memcpy(block.data() + p.offset, separate[k], p.bytes);
    }
    return block;
}

void checkShape(const Kernel& kernel, const LaunchShape& s) {
    const std::string text = "grid (" + std::to_string(s.grid[0]) + "," + std::to_string(s.grid[1]) + "," + std::to_string(s.grid[2]) + "), block (" +
                             std::to_string(s.block[0]) + "," + std::to_string(s.block[1]) + "," + std::to_string(s.block[2]) + ") of kernel '" + kernel.name + "'";
    for (int k = 0; k < 3; k++)
        if (s.grid[k] == 0 || s.block[k] == 0) throw Failure{INVALID_VALUE, text + ": a dimension is 0"};
    if (s.grid[0] > 2147483647u || s.grid[1] > 65535 || s.grid[2] > 65535) throw Failure{INVALID_VALUE, text + ": the grid is too large"};
    if (s.block[2] > 64 || uint64_t(s.block[0]) * s.block[1] * s.block[2] > 1024) throw Failure{INVALID_VALUE, text + ": a block has at most 1024 threads"};
    if (s.threads() > kernel.maxThreads)
        throw Failure{LAUNCH_OUT_OF_RESOURCES, text + ": the kernel was compiled for at most " + std::to_string(kernel.maxThreads) + " threads"};
    if (uint64_t(kernel.staticShared) + s.dynamicShared > std::max<uint64_t>(48 * 1024, uint64_t(kernel.staticShared) + kernel.dynamicSharedLimit))
        throw Failure{INVALID_VALUE, text + ": " + std::to_string(s.dynamicShared) + " bytes of dynamic shared memory are more than allowed"};
}

int launch(const char* name, Function* function, LaunchShape shape, void* stream, void** separate, void** extra) {
    return call(name, CONTEXT, [&](Context& context) -> int {
        Driver& d = driver();
        auto target = d.stream(stream, context);
        if (d.handedOut.count(function) == 0 || d.modules.count(function->module) == 0) throw Failure{INVALID_HANDLE, "no kernel of a loaded module"};
        if (function->context != &context) throw Failure{INVALID_CONTEXT, "the kernel belongs to another context"};
        const Kernel* kernel = function->kernel;
        checkShape(*kernel, shape);
        auto parameters = std::make_shared<std::vector<char>>(gatherParameters(*kernel, separate, extra));
        d.enqueue(target, kernel->name, [=] {
            Driver& now = driver();
            execute(*kernel, shape, parameters->data(), now.memory, now.modes, now.kernels[kernel->name], now.watches);
        });
        return SUCCESS;
    });
}

}  // namespace

EMULATOR_API int cuModuleLoadData(Module** module, const void* image) {
    return call("cuModuleLoadData", CONTEXT, [&](Context& c) { return load(module, static_cast<const char*>(image), c); });
}

EMULATOR_API int cuModuleLoadDataEx(Module** module, const void* image, unsigned, int*, void**) {
    return call("cuModuleLoadDataEx", CONTEXT, [&](Context& c) { return load(module, static_cast<const char*>(image), c); });
}

// Kernels of the module stay in memory: work that still waits may hold them.
EMULATOR_API int cuModuleUnload(Module* module) {
    return call("cuModuleUnload", CONTEXT, [&](Context& context) -> int {
        if (driver().modules.count(module) == 0) return INVALID_HANDLE;
        driver().drain(context);
        driver().modules.erase(module);
        return SUCCESS;
    });
}

EMULATOR_API int cuModuleGetFunction(Function** function, Module* module, const char* name) {
    return call("cuModuleGetFunction", CONTEXT, [&](Context& context) -> int {
        Driver& d = driver();
        if (d.modules.count(module) == 0) return INVALID_HANDLE;
        auto found = module->kernels.find(name);
        if (found == module->kernels.end()) throw Failure{NOT_FOUND, std::string("the module has no kernel '") + name + "'"};
        auto& slot = d.functions[{&context, &found->second}];
        if (slot == nullptr) slot = std::make_unique<Function>(Function{&found->second, module, &context});
        d.handedOut.insert(slot.get());
        *function = slot.get();
        return SUCCESS;
    });
}

EMULATOR_API int cuModuleGetGlobal_v2(uint64_t* address, size_t* bytes, Module* module, const char* name) {
    return call("cuModuleGetGlobal_v2", CONTEXT, [&](Context&) -> int {
        if (driver().modules.count(module) == 0) return INVALID_HANDLE;
        auto found = module->variables.find(name);
        if (found == module->variables.end()) return NOT_FOUND;
        if (address != nullptr) *address = found->second.address;
        if (bytes != nullptr) *bytes = found->second.bytes;
        return SUCCESS;
    });
}

EMULATOR_API int cuModuleGetLoadingMode(int* mode) {
    return call("cuModuleGetLoadingMode", INITIALISED, [&](Context&) -> int {
        *mode = 1;  // eager
        return SUCCESS;
    });
}

EMULATOR_API int cuFuncGetAttribute(int* value, int attribute, Function* function) {
    return call("cuFuncGetAttribute", CONTEXT, [&](Context&) -> int {
        const Kernel& k = *function->kernel;
        switch (attribute) {
            case 0: *value = int(k.maxThreads); break;
            case 1: *value = int(k.staticShared); break;
            case 3: *value = int(k.localBytes); break;
            case 4: *value = 32; break;   // registers: unknown here
            case 5: case 6: *value = driver().modes.capability; break;
            case 8: *value = int(k.dynamicSharedLimit); break;
            default: *value = 0;
        }
        return SUCCESS;
    });
}

EMULATOR_API int cuFuncSetAttribute(Function* function, int attribute, int value) {
    return call("cuFuncSetAttribute", CONTEXT, [&](Context&) -> int {
        if (attribute != 8) return SUCCESS;
        if (value < 0) return INVALID_VALUE;
        function->kernel->dynamicSharedLimit = uint32_t(value);
        return SUCCESS;
    });
}

EMULATOR_API int cuFuncSetCacheConfig(Function*, int) {
    return call("cuFuncSetCacheConfig", CONTEXT, [](Context&) -> int { return SUCCESS; });
}

EMULATOR_API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function* function, int threads, size_t shared) {
    return call("cuOccupancyMaxActiveBlocksPerMultiprocessor", CONTEXT, [&](Context&) -> int {
        if (threads <= 0 || threads > 1024) return INVALID_VALUE;
        const size_t used = shared + function->kernel->staticShared;
        const int byShared = used == 0 ? 32 : int((160 * 1024) / used);
        *blocks = std::max(0, std::min({32, 2048 / threads, byShared}));
        return SUCCESS;
    });
}

EMULATOR_API int cuLaunchKernel(Function* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                                void* stream, void** parameters, void** extra) {
    LaunchShape shape;
    shape.grid[0] = gx, shape.grid[1] = gy, shape.grid[2] = gz;
    shape.block[0] = bx, shape.block[1] = by, shape.block[2] = bz;
    shape.dynamicShared = shared;
    return launch("cuLaunchKernel", function, shape, stream, parameters, extra);
}
