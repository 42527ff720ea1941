/**
 * The backend that computes on NVIDIA GPUs, through the CUDA driver and cuBLAS by JCuda.
 *
 * <p>Everything runs on one stream of a device, in the order of the calls; only uploads have a
 * second one, with events between. A storage is a block of device memory. Kernels are PTX in the
 * jar, which the driver compiles for its device. Nothing is added by atomic operations, so results
 * have the same bits in every run on the same device, driver and cuBLAS.
 *
 * <p>Only {@code Cu} and {@code CuBlas} know JCuda.
 *
 * <p>{@code DeviceCheck} is the program behind {@code gradus gpu-check}: {@code KernelCheck}
 * compares what a {@code KernelCase} gives with {@code RecordedValues}, {@code KernelSpeed} takes
 * times.
 */
@NullMarked
package dev.gradus.backend.cuda;

import org.jspecify.annotations.NullMarked;
