package dev.gradus.backend.cuda;

import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
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

  /** What cuBLAS calls a status, with its number. */
  static String text(int status) {
    return JCublas2.cublasGetStatusName(status) + " (" + status + ")";
  }

  /**
   * A batch of column-major products {@code C = op(A) op(B) + beta C}.
   *
   * @param alpha one, in memory, of the products' type
   * @param beta one or zero
   */
  record Product(
      boolean transA,
      boolean transB,
      long m,
      long n,
      long k,
      long batch,
      Matrix a,
      Matrix b,
      Matrix c,
      Cu.HostPointer alpha,
      Cu.HostPointer beta) {

    /** Whether it is one product that fits the function of one, which takes sizes as 32 bits. */
    private boolean isSmall() {
      long most = Math.max(m, Math.max(n, k));
      long leading = Math.max(a.leading, Math.max(b.leading, c.leading));
      return batch == 1 && Math.max(most, leading) <= Integer.MAX_VALUE;
    }
  }

  /**
   * A matrix of a product.
   *
   * @param address of its first element
   * @param leading elements from one column to the next
   * @param stride elements from one matrix to the next
   */
  record Matrix(long address, long leading, long stride) {}

  private static int op(boolean transposed) {
    return transposed ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
  }

  /** A product of float32 matrices. */
  static int sgemm(Handle blas, Product p) {
    Cu.At a = new Cu.At(p.a.address);
    Cu.At b = new Cu.At(p.b.address);
    Cu.At c = new Cu.At(p.c.address);
    int opA = op(p.transA);
    int opB = op(p.transB);
    if (p.isSmall()) {
      return JCublas2.cublasSgemm(
          blas.handle,
          opA,
          opB,
          (int) p.m,
          (int) p.n,
          (int) p.k,
          p.alpha,
          a,
          (int) p.a.leading,
          b,
          (int) p.b.leading,
          p.beta,
          c,
          (int) p.c.leading);
    }
    return JCublas2.cublasSgemmStridedBatched_64(
        blas.handle,
        opA,
        opB,
        p.m,
        p.n,
        p.k,
        p.alpha,
        a,
        p.a.leading,
        p.a.stride,
        b,
        p.b.leading,
        p.b.stride,
        p.beta,
        c,
        p.c.leading,
        p.c.stride,
        p.batch);
  }

  /** A product of float64 matrices. */
  static int dgemm(Handle blas, Product p) {
    Cu.At a = new Cu.At(p.a.address);
    Cu.At b = new Cu.At(p.b.address);
    Cu.At c = new Cu.At(p.c.address);
    int opA = op(p.transA);
    int opB = op(p.transB);
    if (p.isSmall()) {
      return JCublas2.cublasDgemm(
          blas.handle,
          opA,
          opB,
          (int) p.m,
          (int) p.n,
          (int) p.k,
          p.alpha,
          a,
          (int) p.a.leading,
          b,
          (int) p.b.leading,
          p.beta,
          c,
          (int) p.c.leading);
    }
    return JCublas2.cublasDgemmStridedBatched_64(
        blas.handle,
        opA,
        opB,
        p.m,
        p.n,
        p.k,
        p.alpha,
        a,
        p.a.leading,
        p.a.stride,
        b,
        p.b.leading,
        p.b.stride,
        p.beta,
        c,
        p.c.leading,
        p.c.stride,
        p.batch);
  }
}
