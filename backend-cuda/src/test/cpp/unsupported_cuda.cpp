// Every function of the driver that JCuda's native code imports (cuda_names.inc: `nm -D --undefined-only` on it). Those that
// the emulator has take precedence, as these are weak.
#include "driver.h"

#define NAME(name)                                                                                \
    extern "C" __attribute__((visibility("default"), weak)) int name() { return emulator::unsupported(#name); }
#include "cuda_names.inc"
