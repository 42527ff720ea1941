/* A libcublas.so.12 that hands what Gradus calls on to libcublas.so.13, beside it or where the linker finds it.
   Nothing is in the jar of it; docs/gpu.md has the command that builds it. For Linux on x86-64. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* The arguments stay where they are: the call becomes one of the function behind the pointer. */
#define FORWARD(name)                                             \
  __attribute__((used)) static void *to_##name;                   \
  __attribute__((naked)) void name(void) { __asm__("jmp *to_" #name "(%rip)"); }

#define ALL(DO)                                                              \
  DO(cublasCreate_v2)                                                        \
  DO(cublasDestroy_v2)                                                       \
  DO(cublasGetVersion_v2)                                                    \
  DO(cublasGetStatusName)                                                    \
  DO(cublasSetStream_v2)                                                     \
  DO(cublasSetWorkspace_v2)                                                  \
  DO(cublasSetMathMode)                                                      \
  DO(cublasSgemm_v2)                                                         \
  DO(cublasDgemm_v2)                                                         \
  DO(cublasSgemmStridedBatched_64)                                           \
  DO(cublasDgemmStridedBatched_64)

ALL(FORWARD)

#define FIND(name) to_##name = dlsym(library, #name);

__attribute__((constructor)) static void load(void) {
  void *library = dlopen("libcublas.so.13", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "libcublas.so.12, the forwarder to libcublas.so.13: %s\n", dlerror());
    abort();
  }
  ALL(FIND)
}
