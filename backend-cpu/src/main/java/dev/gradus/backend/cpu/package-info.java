/**
 * The backend that computes on the host, in plain Java.
 *
 * <p>A storage is one whole Java array. F32 loops are written so that the JIT compiler vectorises
 * them: one common index for all arrays, one loop for each operation, the switch outside. F64 and
 * I64 loops are plain, and F64 always has Math.fma where a fused multiply-add is asked for. Work is
 * split over threads only where the bits of a result cannot depend on the split.
 */
@NullMarked
package dev.gradus.backend.cpu;

import org.jspecify.annotations.NullMarked;
