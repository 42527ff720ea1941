/**
 * What a backend implements and core calls. A backend is one class that implements {@link
 * dev.gradus.spi.Backend} and one {@link dev.gradus.spi.BackendProvider} found by {@link
 * java.util.ServiceLoader}.
 *
 * <ol>
 *   <li>Results go into an {@code out} that core allocated. For elementwise operations {@code out}
 *       may be one of the operands; for others not.
 *   <li>Core has checked shapes, types, devices and lifetimes; a backend only asserts.
 *   <li>A call may return before the work is done. Only {@code download} and {@code synchronize}
 *       wait. Kernels may be called from several threads at once.
 *   <li>Storages are contiguous and row-major. Transposed operands exist in {@code gemm} only;
 *       other permutations were copied before. Scalars, trailing rows and leading columns are
 *       spread by the backend ({@link dev.gradus.spi.Spread}), every other broadcast was expanded
 *       before.
 *   <li>Scalars are {@code double}; the backend rounds them to the storage's type, which it always
 *       asks.
 *   <li>The default body of a fused operation is its definition.
 *   <li>A forward operation and its gradient are one pair. {@code gemm}, reductions and the scatter
 *       can accumulate, so that a gradient is written straight into its buffer.
 *   <li>The order of floating-point additions depends on the sizes alone: results have the same
 *       bits for any number of threads.
 *   <li>F32, F64, I64 and BOOL; a type that an operation lacks is an {@link
 *       java.lang.UnsupportedOperationException} that names both.
 * </ol>
 */
@NullMarked
package dev.gradus.spi;

import org.jspecify.annotations.NullMarked;
