package dev.gradus.backend.cpu;

import dev.gradus.spi.Gemm;

/** Matrix products in float64: plain loops. */
final class GemmF64 {
  private GemmF64() {}

  static void run(Parallel parallel, Gemm g, double[] a, double[] b, double[] c) {
    int m = (int) g.m();
    int rows = m * (int) g.batch();
    long work = g.n() * g.k();
    if (parallel.splits(rows * work)) {
      int weight = (int) Math.max(1, Math.min(Parallel.GRAIN, work));
      parallel.ranges(rows, weight, (lo, hi) -> rows(g, m, a, b, c, lo, hi));
    } else {
      rows(g, m, a, b, c, 0, rows);
    }
  }

  /** Rows of C, counted through the batch. */
  private static void rows(Gemm g, int m, double[] a, double[] b, double[] c, int lo, int hi) {
    int n = (int) g.n();
    int k = (int) g.k();
    int aStep = g.transA() ? m : 1;
    int bRow = g.transB() ? 1 : n;
    int bCol = g.transB() ? k : 1;
    double[] sum = new double[n];
    for (int r = lo; r < hi; r++) {
      int item = r / m;
      int aAt = (int) (item * g.strideA()) + r % m * (g.transA() ? 1 : k);
      int bAt = (int) (item * g.strideB());
      java.util.Arrays.fill(sum, 0);
      for (int p = 0; p < k; p++) {
        double v = a[aAt + p * aStep];
        int q = bAt + p * bRow;
        for (int j = 0; j < n; j++) {
          sum[j] += v * b[q + j * bCol];
        }
      }
      for (int j = 0; j < n; j++) {
        c[r * n + j] = g.accumulate() ? c[r * n + j] + sum[j] : sum[j];
      }
    }
  }
}
