package dev.gradus.backend.cpu;

/** Plain loops, which run everywhere. */
final class PlainKernels implements Kernels {
  @Override
  public int vectorBits() {
    return 0;
  }
}
