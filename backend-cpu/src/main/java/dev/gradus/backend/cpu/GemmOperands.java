package dev.gradus.backend.cpu;

import dev.gradus.spi.Gemm;

/**
 * The arrays of a matrix product, each with its step from row to row and from column to column.
 *
 * @param strideA elements from one A of a batch to the next
 * @param strideB elements from one B of a batch to the next
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record GemmOperands(
    int m,
    int n,
    int k,
    float[] a,
    int ars,
    int acs,
    long strideA,
    float[] b,
    int brs,
    int bcs,
    long strideB,
    float[] c,
    int crs,
    int ccs) {

  static GemmOperands of(Gemm g, float[] a, float[] b, float[] c) {
    int m = (int) g.m();
    int n = (int) g.n();
    int k = (int) g.k();
    return new GemmOperands(
        m,
        n,
        k,
        a,
        g.transA() ? 1 : k,
        g.transA() ? m : 1,
        g.strideA(),
        b,
        g.transB() ? 1 : n,
        g.transB() ? k : 1,
        g.strideB(),
        c,
        n,
        1);
  }

  /** The operands of the transposed product. */
  GemmOperands transposed() {
    return new GemmOperands(n, m, k, b, bcs, brs, strideB, a, acs, ars, strideA, c, ccs, crs);
  }
}
