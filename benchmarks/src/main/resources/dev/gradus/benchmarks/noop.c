// A CUDA driver and a cuBLAS whose calls do nothing and succeed: what remains of a launch is the way to the driver.
// It counts launches, and answers their number where a driver answers how much memory is free.
#include <stdlib.h>

typedef unsigned long long u64;

static char object;
static u64 launches;
static u64 memory = 1 << 20;

#define NOTHING(name) int name(void) { return 0; }
#define HANDLE(name) int name(void **made) { *made = &object; return 0; }

NOTHING(cuInit)
NOTHING(cuDeviceGet)
NOTHING(cuDevicePrimaryCtxRelease_v2)
NOTHING(cuCtxSetCurrent)
NOTHING(cuCtxSynchronize)
NOTHING(cuModuleUnload)
NOTHING(cuStreamSynchronize)
NOTHING(cuStreamDestroy_v2)
NOTHING(cuMemFree_v2)
NOTHING(cuMemcpyHtoDAsync_v2)
NOTHING(cuMemcpyDtoHAsync_v2)
NOTHING(cuEventRecord)
NOTHING(cuEventSynchronize)
NOTHING(cuEventDestroy_v2)
NOTHING(cuStreamWaitEvent)
HANDLE(cuDevicePrimaryCtxRetain)
HANDLE(cuModuleLoadDataEx)
HANDLE(cuModuleGetFunction)
HANDLE(cuStreamCreate)
HANDLE(cuEventCreate)

int cuDriverGetVersion(int *version) { *version = 12000; return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGetName(char *name) { name[0] = 0; return 0; }
int cuDeviceGetAttribute(int *value) { *value = 8; return 0; }
int cuDeviceTotalMem_v2(u64 *bytes) { *bytes = 1ull << 34; return 0; }
int cuGetErrorString(int status, const char **text) { *text = status == 0 ? "no error" : "error"; return 0; }

int cuMemAlloc_v2(u64 *address, u64 bytes) {
  *address = memory;
  memory += (bytes + 511) & ~511ull;
  return 0;
}
int cuMemHostAlloc(void **address, u64 bytes) {
  *address = malloc(bytes);
  return *address == 0 ? 2 : 0;
}
int cuMemFreeHost(void *address) { free(address); return 0; }

int cuLaunchKernel(void) { launches++; return 0; }
int cuMemGetInfo_v2(u64 *answer, u64 *total) { *answer = *total = launches; return 0; }

HANDLE(cublasCreate_v2)
NOTHING(cublasDestroy_v2)
NOTHING(cublasSetStream_v2)
NOTHING(cublasSetWorkspace_v2)
NOTHING(cublasSetMathMode)
int cublasGetVersion_v2(void *blas, int *version) { *version = 120000; return 0; }
