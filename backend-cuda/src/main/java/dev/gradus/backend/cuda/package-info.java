/**
 * The backend that computes on NVIDIA GPUs, through the CUDA driver and cuBLAS by JCuda.
 *
 * <p>Everything runs on one stream of a device, in the order of the calls; only uploads have a
 * second one, with events between. A storage is a block of device memory. Kernels are PTX in the
 * jar, which the driver compiles for its device. Unless {@code gradus.cuda.atomics} is on nothing
 * is added by atomic operations, so results have the same bits in every run on the same device,
 * driver and cuBLAS.
 *
 * <p>Only {@code Cu} and {@code CuBlas} know JCuda, and {@code Status} looks at what they return.
 * From the outside in:
 *
 * <ul>
 *   <li>{@code CudaBackendProvider} asks {@code CudaProbe} whether there is a device, which has
 *       {@code NativeLoader} find CUDA's libraries ({@code LibrarySearch}) and unpack JCuda's
 *       ({@code NativeFiles}), and {@code Kernels} load the PTX.
 *   <li>{@code CudaBackend} sends each operation to the class of its family: {@code Elementwise},
 *       {@code Axes}, {@code RowOps}, {@code Copies}, {@code Scatter}, {@code Coalesce}, {@code
 *       Powers}, {@code Products}. Each has a file of kernels.
 *   <li>{@code Batch} has the tables of the steps of {@code AdamSteps}, {@code SgdSteps} and {@code
 *       PointwiseSteps}; {@code CudaRecording} is a step that is recorded.
 *   <li>{@code CudaDevice} has the streams, {@code DeviceMemory} the memory, {@code Transfers} the
 *       copies from and to the host, {@code LaunchBlock} the parameters of a launch.
 * </ul>
 *
 * <p>{@code DeviceCheck} is the program behind {@code gradus gpu-check}: {@code KernelCheck}
 * compares what a {@code KernelCase} gives with {@code RecordedValues}, {@code KernelSpeed} takes
 * times.
 */
@NullMarked
package dev.gradus.backend.cuda;

import org.jspecify.annotations.NullMarked;
