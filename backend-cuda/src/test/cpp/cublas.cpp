// libcublas.so.12: reference products in the driver's streams. Sums run over k in order, with one fma a term.
#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "blas_hook.h"

#define EMULATOR_API extern "C" __attribute__((visibility("default")))

using emulator::Matrices;

namespace {

enum Status {
    OK = 0,
    NOT_INITIALIZED = 1,
    ALLOC_FAILED = 3,
    INVALID_VALUE = 7,
    ARCH_MISMATCH = 8,
    MAPPING_ERROR = 11,
    EXECUTION_FAILED = 13,
    INTERNAL_ERROR = 14,
    NOT_SUPPORTED = 15,
};

struct Handle {
    void* stream = nullptr;
    int mathMode = 0, pointerMode = 0, atomicsMode = 0;
};

std::mutex lock;
std::set<Handle*> handles;

bool known(Handle* handle) {
    std::lock_guard<std::mutex> guard(lock);
    return handles.count(handle) == 1;
}

int statusOf(int driverCode) {
    switch (driverCode) {
        case 0: return OK;
        case 1: return INVALID_VALUE;
        case 2: return ALLOC_FAILED;
        case 3: case 201: return NOT_INITIALIZED;
        default: return EXECUTION_FAILED;
    }
}

inline float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

constexpr int64_t STRIP = 32, GROUP = 4;  // rows and columns of C that one loop holds

// One column-major product C = alpha op(A) op(B) + beta C.
template <class T>
void multiply(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
    const int64_t strips = (m + STRIP - 1) / STRIP;
    std::vector<T> left(size_t(strips * k * STRIP), T(0));  // strips of op(A), each with its rows together
    if (alpha != T(0))
        for (int64_t i = 0; i < m; i++)
            for (int64_t l = 0; l < k; l++) left[size_t((i / STRIP * k + l) * STRIP + i % STRIP)] = ta ? a[i * lda + l] : a[l * lda + i];
    for (int64_t s = 0; s < strips; s++) {
        for (int64_t j0 = 0; j0 < n; j0 += GROUP) {
            const int64_t columns = n - j0 < GROUP ? n - j0 : GROUP;
            T sum[GROUP][STRIP] = {};
            for (int64_t l = 0; l < k && alpha != T(0); l++) {
                const T* rows = left.data() + (s * k + l) * STRIP;
                for (int64_t j = 0; j < columns; j++) {
                    const T factor = tb ? b[l * ldb + j0 + j] : b[(j0 + j) * ldb + l];
                    for (int64_t i = 0; i < STRIP; i++) sum[j][i] = fused(rows[i], factor, sum[j][i]);
                }
            }
            for (int64_t j = 0; j < columns; j++) {
                T* out = c + (j0 + j) * ldc + s * STRIP;
                for (int64_t i = 0; i < STRIP && s * STRIP + i < m; i++) out[i] = beta == T(0) ? alpha * sum[j][i] : fused(alpha, sum[j][i], beta * out[i]);
            }
        }
    }
}

template <class T>
struct Product {
    int ta, tb;
    int64_t m, n, k;
    const T *alpha, *a;
    int64_t lda, strideA;
    const T* b;
    int64_t ldb, strideB;
    const T* beta;
    T* c;
    int64_t ldc, strideC, batch;
};

template <class T>
int run(const char* name, Handle* handle, const Product<T>& p) {
    if (!known(handle)) return NOT_INITIALIZED;
    const bool na = p.ta == 0, nb = p.tb == 0;
    if (p.ta < 0 || p.ta > 2 || p.tb < 0 || p.tb > 2 || p.m < 0 || p.n < 0 || p.k < 0 || p.batch < 0) return INVALID_VALUE;
    const int64_t one = 1;
    if (p.lda < std::max(one, na ? p.m : p.k) || p.ldb < std::max(one, nb ? p.k : p.n) || p.ldc < std::max(one, p.m)) return INVALID_VALUE;
    if (p.alpha == nullptr || p.beta == nullptr) return INVALID_VALUE;
    if (p.batch > 1 && p.strideC < (p.n - 1) * p.ldc + p.m && p.m > 0 && p.n > 0) return INVALID_VALUE;  // results would overlap
    if (p.m == 0 || p.n == 0 || p.batch == 0) return statusOf(emulator::enterBlas(name));
    const bool late = handle->pointerMode == 1;
    const T alpha = late ? T(1) : *p.alpha, beta = late ? T(1) : *p.beta;
    const bool used = alpha != T(0) && p.k > 0;
    const int64_t size = sizeof(T);
    std::vector<Matrices> operands;
    if (used) {
        operands.push_back({uint64_t(p.a), na ? p.m : p.k, na ? p.k : p.m, p.lda, p.strideA, p.batch, size, true, false});
        operands.push_back({uint64_t(p.b), nb ? p.k : p.n, nb ? p.n : p.k, p.ldb, p.strideB, p.batch, size, true, false});
    }
    operands.push_back({uint64_t(p.c), p.m, p.n, p.ldc, p.strideC, p.batch, size, beta != T(0), true});
    return statusOf(emulator::runBlas(name, handle->stream, operands, [=] {
        const T al = late ? *p.alpha : alpha, be = late ? *p.beta : beta;
        for (int64_t i = 0; i < p.batch; i++)
            multiply<T>(!na, !nb, p.m, p.n, p.k, al, p.a + i * p.strideA, p.lda, p.b + i * p.strideB, p.ldb, be, p.c + i * p.strideC, p.ldc);
    }));
}

}  // namespace

EMULATOR_API int cublasCreate_v2(Handle** handle) {
    const int status = emulator::enterBlas("cublasCreate_v2");
    if (status != 0) return status == 2 ? ALLOC_FAILED : NOT_INITIALIZED;
    std::lock_guard<std::mutex> guard(lock);
    *handle = new Handle();
    handles.insert(*handle);
    return OK;
}

EMULATOR_API int cublasDestroy_v2(Handle* handle) {
    if (!known(handle)) return NOT_INITIALIZED;
    std::lock_guard<std::mutex> guard(lock);
    handles.erase(handle);
    delete handle;
    return OK;
}

EMULATOR_API int cublasGetVersion_v2(Handle*, int* version) {
    *version = 120000;
    return OK;
}

EMULATOR_API int cublasGetProperty(int kind, int* value) {
    *value = kind == 0 ? 12 : 0;
    return OK;
}

EMULATOR_API const char* cublasGetStatusName(int status) {
    switch (status) {
        case OK: return "CUBLAS_STATUS_SUCCESS";
        case NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
        case ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
        case INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
        case ARCH_MISMATCH: return "CUBLAS_STATUS_ARCH_MISMATCH";
        case MAPPING_ERROR: return "CUBLAS_STATUS_MAPPING_ERROR";
        case EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
        case INTERNAL_ERROR: return "CUBLAS_STATUS_INTERNAL_ERROR";
        case NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
        default: return "CUBLAS_STATUS_UNKNOWN";
    }
}

EMULATOR_API const char* cublasGetStatusString(int status) { return cublasGetStatusName(status); }

EMULATOR_API int cublasSetStream_v2(Handle* handle, void* stream) {
    if (!known(handle)) return NOT_INITIALIZED;
    const int status = emulator::enterBlas("cublasSetStream_v2");
    if (status == 0) handle->stream = stream;
    return statusOf(status);
}

EMULATOR_API int cublasGetStream_v2(Handle* handle, void** stream) {
    if (!known(handle)) return NOT_INITIALIZED;
    *stream = handle->stream;
    return OK;
}

EMULATOR_API int cublasSetWorkspace_v2(Handle* handle, void* workspace, size_t bytes) {
    if (!known(handle)) return NOT_INITIALIZED;
    const int status = emulator::enterBlas("cublasSetWorkspace_v2");
    if (status != 0) return statusOf(status);
    const auto address = reinterpret_cast<uint64_t>(workspace);
    if (bytes > 0 && (address % 256 != 0 || !emulator::onDevice(address, bytes))) return INVALID_VALUE;
    return OK;
}

EMULATOR_API int cublasSetMathMode(Handle* handle, int mode) {
    if (!known(handle)) return NOT_INITIALIZED;
    handle->mathMode = mode;
    return OK;
}

EMULATOR_API int cublasGetMathMode(Handle* handle, int* mode) {
    if (!known(handle)) return NOT_INITIALIZED;
    *mode = handle->mathMode;
    return OK;
}

EMULATOR_API int cublasSetPointerMode_v2(Handle* handle, int mode) {
    if (!known(handle)) return NOT_INITIALIZED;
    handle->pointerMode = mode;
    return OK;
}

EMULATOR_API int cublasGetPointerMode_v2(Handle* handle, int* mode) {
    if (!known(handle)) return NOT_INITIALIZED;
    *mode = handle->pointerMode;
    return OK;
}

EMULATOR_API int cublasSetAtomicsMode(Handle* handle, int mode) {
    if (!known(handle)) return NOT_INITIALIZED;
    handle->atomicsMode = mode;
    return OK;
}

EMULATOR_API int cublasGetAtomicsMode(Handle* handle, int* mode) {
    if (!known(handle)) return NOT_INITIALIZED;
    *mode = handle->atomicsMode;
    return OK;
}

// The same functions for both precisions, with 32-bit and 64-bit sizes.
#define GEMM(NAME, T, INT)                                                                                                                          \
    EMULATOR_API int NAME(Handle* h, int ta, int tb, INT m, INT n, INT k, const T* alpha, const T* a, INT lda, const T* b, INT ldb, const T* beta, T* c, \
                          INT ldc) {                                                                                                                \
        return run<T>(#NAME, h, Product<T>{ta, tb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1});                                       \
    }
#define GEMM_BATCHED(NAME, T, INT)                                                                                                                  \
    EMULATOR_API int NAME(Handle* h, int ta, int tb, INT m, INT n, INT k, const T* alpha, const T* a, INT lda, long long sa, const T* b, INT ldb,       \
                          long long sb, const T* beta, T* c, INT ldc, long long sc, INT batch) {                                                     \
        return run<T>(#NAME, h, Product<T>{ta, tb, m, n, k, alpha, a, lda, sa, b, ldb, sb, beta, c, ldc, sc, batch});                                \
    }
GEMM(cublasSgemm_v2, float, int)
GEMM(cublasDgemm_v2, double, int)
GEMM(cublasSgemm_v2_64, float, int64_t)
GEMM(cublasDgemm_v2_64, double, int64_t)
GEMM_BATCHED(cublasSgemmStridedBatched, float, int)
GEMM_BATCHED(cublasDgemmStridedBatched, double, int)
GEMM_BATCHED(cublasSgemmStridedBatched_64, float, int64_t)
GEMM_BATCHED(cublasDgemmStridedBatched_64, double, int64_t)
