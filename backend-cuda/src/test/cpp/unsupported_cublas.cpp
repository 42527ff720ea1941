// Every function of cuBLAS that JCuda's native code imports; see unsupported_cuda.cpp.
#include "blas_hook.h"

namespace {

int answer(const char* name) {
    emulator::missingBlas(name);
    return 15;  // CUBLAS_STATUS_NOT_SUPPORTED
}

}  // namespace

#define NAME(name)                                                                                \
    extern "C" __attribute__((visibility("default"), weak)) int name() { return answer(#name); }
#include "cublas_names.inc"
