package dev.gradus.backend.cpu;

import dev.gradus.spi.Gemm;

/** Matrix products in float32 by a native library. */
final class NativeGemmF32 {
  /*
   * A call pins its arrays. Before JDK 22 (and with some collectors after it) no collection can
   * start meanwhile, and every thread that allocates may have to wait for it. So a call is at most
   * CALL_WORK multiply-adds, 10 ms on a core of 100 GFLOP/s, and 20 ms on one of half of that.
   *
   * Tiles are a function of the shape: OpenBLAS gives other bits for one and the same product
   * with other numbers of threads, so it runs with one, and tiles run beside each other. Tiles are
   * few enough to pack their operands seldom: at n = 1024 128 rows of full width kept 0.83 of
   * OpenBLAS's own threading, 256 rows 0.95. Large ones are about 1024 rows of 512 columns, and a
   * call takes DEPTH of the inner size: with all of it the columns would have to be fewer, and A
   * be packed more often (2048: 256 columns, 5 % longer; 4096: 128 columns, 14 %; two threads).
   */

  /** Multiply-adds of one call, at most. */
  static final long CALL_WORK = 1L << 29;

  /** Whether G1, the usual collector, goes on beside a pinned array (JEP 423). */
  private static final boolean COLLECTS = Runtime.version().feature() >= 22;

  /** The inner size of one call where there is a limit; longer products add up in order. */
  private static final int DEPTH = 1024;

  /** Multiply-adds from which threads pay: 20 microseconds of one. */
  private static final long SPLIT_WORK = 1 << 21;

  /** Columns of a tile where there are many. */
  private static final int WIDTH = 256;

  /** Multiply-adds that a tile should have where rows are few. */
  private static final long TILE_WORK = 1L << 23;

  private final Parallel parallel;
  private final NativeBlas blas;
  private final boolean whole;

  /** The inner size of one call, at most. */
  private final int depth;

  NativeGemmF32(Parallel parallel, NativeBlas blas, BlasUse use) {
    this.parallel = parallel;
    this.blas = blas;
    this.whole = use == BlasUse.WHOLE || blas.isHosts();
    this.depth = whole && COLLECTS ? Integer.MAX_VALUE : DEPTH;
  }

  void run(Gemm g, float[] a, float[] b, float[] c) {
    int m = (int) g.m();
    int n = (int) g.n();
    int k = (int) g.k();
    if (whole) {
      blas.threads(parallel.threads());
      tiles(g, a, b, c, m, columnsInCall(m, n, k, blas.isHosts() ? 1 : parallel.threads()), 1);
    } else {
      blas.threads(1);
      int rows = tileRows(m);
      tiles(g, a, b, c, rows, tileColumns(rows, n, k), parallel.threads());
    }
  }

  /**
   * Rows of a tile of m rows: B is packed again for each tile, so it is few that are high, and an
   * even number of about equal ones.
   */
  private static int tileRows(int m) {
    if (m < 128) {
      return m;
    }
    int high = m >= 2048 ? 1024 : 256;
    int tiles = 2 * Math.max(1, (m + high) / (2 * high));
    return ((m + tiles - 1) / tiles + 15) & -16;
  }

  private static int tileColumns(int rows, int n, int k) {
    long deep = Math.min(k, DEPTH);
    long most = Math.max(1, CALL_WORK / (rows * deep));
    long wanted = rows >= 128 ? most : Math.max(WIDTH, TILE_WORK / ((long) rows * k));
    return (int) Math.min(n, Math.min(wanted, most));
  }

  /** Columns that the library takes at once with all its threads. */
  private static int columnsInCall(int m, int n, int k, int threads) {
    if (COLLECTS) {
      return n;
    }
    long most = 2L * threads * CALL_WORK / Math.max(1, (long) m * Math.min(k, DEPTH));
    return (int) Math.min(n, Math.max(1, most));
  }

  private void tiles(Gemm g, float[] a, float[] b, float[] c, int rows, int cols, int threads) {
    int down = ((int) g.m() + rows - 1) / rows;
    int across = ((int) g.n() + cols - 1) / cols;
    int tasks = (int) g.batch() * down * across;
    long work = g.m() * g.n() * g.k() * g.batch();
    if (tasks == 1 || threads == 1 || work < SPLIT_WORK) {
      for (int t = 0; t < tasks; t++) {
        tile(g, a, b, c, rows, cols, t);
      }
    } else {
      // Small products of a batch go together.
      int group = (int) Math.max(1, tasks * (SPLIT_WORK / 4) / work);
      parallel.run(
          (tasks + group - 1) / group,
          q -> {
            for (int t = q * group; t < Math.min(tasks, (q + 1) * group); t++) {
              tile(g, a, b, c, rows, cols, t);
            }
          });
    }
  }

  private void tile(Gemm g, float[] a, float[] b, float[] c, int rows, int cols, int task) {
    int m = (int) g.m();
    int n = (int) g.n();
    int k = (int) g.k();
    int across = (n + cols - 1) / cols;
    int down = (m + rows - 1) / rows;
    int item = task / (down * across);
    int i = task % (down * across) / across * rows;
    int j = task % across * cols;
    int aAt = (int) (item * g.strideA()) + (g.transA() ? i : i * k);
    int bAt = (int) (item * g.strideB()) + (g.transB() ? j * k : j);
    for (int p = 0; p < k; p += depth) {
      blas.sgemm(
          g.transA(),
          g.transB(),
          Math.min(rows, m - i),
          Math.min(cols, n - j),
          Math.min(depth, k - p),
          a,
          aAt + (g.transA() ? p * m : p),
          g.transA() ? m : k,
          b,
          bAt + (g.transB() ? p : p * n),
          g.transB() ? k : n,
          g.accumulate() || p > 0,
          c,
          (item * m + i) * n + j,
          n);
    }
  }
}
