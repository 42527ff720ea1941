package dev.gradus.backend.cpu;

/**
 * With what a backend computes.
 *
 * @param threads how many threads compute, the calling one included
 * @param fma whether to use {@link Math#fma}: that there is a hardware FMA
 * @param vectors the loops that exist twice
 * @param blas how large products use a native library
 */
record CpuSettings(int threads, boolean fma, VectorApi vectors, BlasUse blas) {
  /**
   * What the process has, and was told to use.
   *
   * @throws IllegalArgumentException if {@code gradus.threads} is not a whole number of at least 1,
   *     or {@code gradus.blas} none of its values
   */
  static CpuSettings ofProcess() {
    return new CpuSettings(
        Parallel.configuredThreads(), HardwareFma.PRESENT, VectorApi.find(), BlasUse.configured());
  }

  CpuSettings withThreads(int count) {
    return new CpuSettings(count, fma, vectors, blas);
  }

  CpuSettings withFma(boolean present) {
    return new CpuSettings(threads, present, vectors, blas);
  }

  CpuSettings withVectors(VectorApi other) {
    return new CpuSettings(threads, fma, other, blas);
  }

  CpuSettings withBlas(BlasUse use) {
    return new CpuSettings(threads, fma, vectors, use);
  }
}
