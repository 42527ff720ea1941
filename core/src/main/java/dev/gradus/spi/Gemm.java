package dev.gradus.spi;

/**
 * The sizes of a batch of matrix products {@code C = op(A) op(B)}, or {@code C += …}: everything
 * but the operands. Matrices are row-major and dense; the j-th product takes its operands at {@code
 * j * stride}.
 *
 * @param transA whether A is stored as k × m and used transposed
 * @param transB whether B is stored as n × k and used transposed
 * @param m rows of C
 * @param n columns of C
 * @param k the inner size; 0 gives zeros (or leaves C, when accumulating)
 * @param batch the number of products
 * @param strideA elements from one A to the next; 0 uses one A for all
 * @param strideB elements from one B to the next; 0 uses one B for all
 * @param accumulate whether the products are added to what C holds. With {@code batch > 1} every
 *     product has a C of its own, {@code m * n} elements apart
 */
public record Gemm(
    boolean transA,
    boolean transB,
    long m,
    long n,
    long k,
    long batch,
    long strideA,
    long strideB,
    boolean accumulate) {

  /** One product, not accumulating. */
  public static Gemm of(boolean transA, boolean transB, long m, long n, long k) {
    return new Gemm(transA, transB, m, n, k, 1, 0, 0, false);
  }

  /** The same sizes, adding to C or overwriting it. */
  public Gemm accumulating(boolean accumulate) {
    return accumulate == this.accumulate
        ? this
        : new Gemm(transA, transB, m, n, k, batch, strideA, strideB, accumulate);
  }
}
