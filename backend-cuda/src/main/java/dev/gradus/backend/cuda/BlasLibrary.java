package dev.gradus.backend.cuda;

import org.jspecify.annotations.Nullable;

/**
 * Whether cuBLAS is loaded, found out once a process.
 *
 * @param problem why it is not; null where it is
 */
record BlasLibrary(@Nullable CudaUnusable problem) {

  /** cuBLAS as this process has it. */
  static BlasLibrary ofProcess() {
    return Once.RESULT;
  }

  private static final class Once {
    static final BlasLibrary RESULT = load();
  }

  private static BlasLibrary load() {
    try {
      return load(NativeLoader.ofProcess());
    } catch (CudaUnusable e) {
      return new BlasLibrary(e);
    }
  }

  static BlasLibrary load(NativeLoader loader) {
    try {
      loader.loadCuBlas();
      return new BlasLibrary(null);
    } catch (CudaUnusable e) {
      return new BlasLibrary(e);
    }
  }

  boolean isLoaded() {
    return problem == null;
  }

  /** What computes products, for the report. */
  String description() {
    return problem == null
        ? "cuBLAS"
        : "a kernel of Gradus, slower than cuBLAS: "
            + problem.reason()
            + " ("
            + problem.remedy()
            + ")";
  }
}
