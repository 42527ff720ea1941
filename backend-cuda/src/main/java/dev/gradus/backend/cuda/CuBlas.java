package dev.gradus.backend.cuda;

import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.runtime.cudaStream_t;

/** cuBLAS's functions, each with its status; see {@link Cu}. */
@CheckReturnValue
final class CuBlas {
  /** cuBLAS has its own word for success. */
  static final int SUCCESS = 0;

  private CuBlas() {}

  /**
   * Loads JCuda's native code.
   *
   * @throws LinkageError if it does not load
   */
  static void initialize() {
    JCublas2.setExceptionsEnabled(false);
  }

  /** cuBLAS, bound to a context. */
  static final class Handle {
    private final cublasHandle handle = new cublasHandle();
  }

  static int create(Handle blas) {
    return JCublas2.cublasCreate(blas.handle);
  }

  static int destroy(Handle blas) {
    return JCublas2.cublasDestroy(blas.handle);
  }

  static int version(Handle blas, int[] version) {
    return JCublas2.cublasGetVersion(blas.handle, version);
  }

  /** Binds cuBLAS to a stream; it forgets its workspace by that. */
  static int stream(Handle blas, Cu.Stream stream) {
    return JCublas2.cublasSetStream(blas.handle, new cudaStream_t(stream.handle()));
  }

  static int workspace(Handle blas, long address, long bytes) {
    return JCublas2.cublasSetWorkspace(blas.handle, new Cu.At(address), bytes);
  }

  /** Lets float32 products round their operands to TF32, or not. */
  static int tf32(Handle blas, boolean allowed) {
    return JCublas2.cublasSetMathMode(
        blas.handle,
        allowed ? cublasMath.CUBLAS_TF32_TENSOR_OP_MATH : cublasMath.CUBLAS_DEFAULT_MATH);
  }
}
