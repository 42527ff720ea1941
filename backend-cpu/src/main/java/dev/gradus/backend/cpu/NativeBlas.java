package dev.gradus.backend.cpu;

/** A native library's matrix product, called on Java arrays without a copy. */
interface NativeBlas {
  /** The library's name. */
  String name();

  /** Whether its threads are the host application's business. */
  boolean isHosts();

  /** Sets how many threads a call uses; nothing where they are the host's business. */
  void threads(int count);

  /**
   * {@code C = op(A) op(B)}, or {@code C += …}, row-major, each matrix with its place in its array
   * and the distance of its rows.
   */
  void sgemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      float[] a,
      int aAt,
      int lda,
      float[] b,
      int bAt,
      int ldb,
      boolean accumulate,
      float[] c,
      int cAt,
      int ldc);
}
