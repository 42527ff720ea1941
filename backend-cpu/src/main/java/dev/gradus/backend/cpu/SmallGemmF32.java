package dev.gradus.backend.cpu;

import dev.gradus.spi.Gemm;

/** Matrix products in float32 that are too small for packing: four elements of a row at a time. */
final class SmallGemmF32 {
  private SmallGemmF32() {}

  /** Computes a batch; {@code work} is the multiply-adds of one product. */
  static void run(
      Parallel parallel, boolean fma, Gemm g, float[] a, float[] b, float[] c, long work) {
    int batch = (int) g.batch();
    if (batch > 1 && work * batch >= GemmF32.SPLIT_WORK && parallel.threads() > 1) {
      parallel.ranges(
          batch,
          (int) work,
          (lo, hi) -> {
            for (int t = lo; t < hi; t++) {
              one(fma, g, a, (int) (t * g.strideA()), b, (int) (t * g.strideB()), c, t);
            }
          });
    } else {
      for (int t = 0; t < batch; t++) {
        one(fma, g, a, (int) (t * g.strideA()), b, (int) (t * g.strideB()), c, t);
      }
    }
  }

  /** A small product, four elements of a row at a time. */
  private static void one(
      boolean fma, Gemm g, float[] a, int aAt, float[] b, int bAt, float[] c, int item) {
    int m = (int) g.m();
    int n = (int) g.n();
    int k = (int) g.k();
    int ars = g.transA() ? 1 : k;
    int acs = g.transA() ? m : 1;
    int brs = g.transB() ? 1 : n;
    int bcs = g.transB() ? k : 1;
    boolean add = g.accumulate();
    for (int i = 0; i < m; i++) {
      int row = aAt + i * ars;
      int at = (item * m + i) * n;
      int j = 0;
      for (; j + 4 <= n; j += 4) {
        four(fma, a, row, acs, b, bAt + j * bcs, brs, bcs, k, c, at + j, add);
      }
      for (; j < n; j++) {
        float s = dot(fma, a, row, acs, b, bAt + j * bcs, brs, k);
        c[at + j] = add ? c[at + j] + s : s;
      }
    }
  }

  private static void four(
      boolean fma,
      float[] a,
      int row,
      int acs,
      float[] b,
      int col,
      int brs,
      int bcs,
      int k,
      float[] c,
      int at,
      boolean add) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    int q = row;
    int r = col;
    if (fma) {
      for (int p = 0; p < k; p++, q += acs, r += brs) {
        float x = a[q];
        s0 = Math.fma(x, b[r], s0);
        s1 = Math.fma(x, b[r + bcs], s1);
        s2 = Math.fma(x, b[r + 2 * bcs], s2);
        s3 = Math.fma(x, b[r + 3 * bcs], s3);
      }
    } else {
      for (int p = 0; p < k; p++, q += acs, r += brs) {
        float x = a[q];
        s0 += x * b[r];
        s1 += x * b[r + bcs];
        s2 += x * b[r + 2 * bcs];
        s3 += x * b[r + 3 * bcs];
      }
    }
    c[at] = add ? c[at] + s0 : s0;
    c[at + 1] = add ? c[at + 1] + s1 : s1;
    c[at + 2] = add ? c[at + 2] + s2 : s2;
    c[at + 3] = add ? c[at + 3] + s3 : s3;
  }

  private static float dot(
      boolean fma, float[] a, int row, int acs, float[] b, int col, int brs, int k) {
    float s = 0;
    int q = row;
    int r = col;
    for (int p = 0; p < k; p++, q += acs, r += brs) {
      s = fma ? Math.fma(a[q], b[r], s) : s + a[q] * b[r];
    }
    return s;
  }
}
