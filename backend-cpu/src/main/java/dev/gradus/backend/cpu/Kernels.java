package dev.gradus.backend.cpu;

/**
 * The inner loops that exist twice: as plain loops, and in {@code src/main/vector} with the Vector
 * API. Both do the same arithmetic in the same order.
 */
interface Kernels {
  /** The bits of a vector, or 0 where C2 makes the vectors by itself. */
  int vectorBits();
}
