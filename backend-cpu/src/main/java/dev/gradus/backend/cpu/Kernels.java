package dev.gradus.backend.cpu;

import org.jspecify.annotations.Nullable;

/**
 * The inner loops that exist twice: as plain loops, and in {@code src/main/vector} with the Vector
 * API. Both do the same arithmetic in the same order.
 */
interface Kernels {
  /** The bits of a vector, or 0 where C2 makes the vectors by itself. */
  int vectorBits();

  /** What computes the tiles of large products. */
  GemmTile tiles(boolean fma);

  /** What computes small products; null where nothing is better than plain loops. */
  @Nullable NarrowGemmF32 narrow();

  /** The transcendental functions. */
  MathF32 math();

  /** Adam's update. */
  AdamKernel adam();

  /** What depends on signs. */
  SignsF32 signs();
}
