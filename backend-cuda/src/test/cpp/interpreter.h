// Runs the blocks of a launch.
#pragma once

#include "modes.h"
#include "warp.h"

namespace emulator {

// Executes a kernel to its end; adds to the counters. Throws Failure for what a device would stop at.
void execute(const Kernel& kernel, const LaunchShape& shape, const char* parameters, DeviceMemory& memory, const Modes& modes,
             KernelCount& count, std::vector<Watch>& watches);

}  // namespace emulator
