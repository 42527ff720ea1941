package dev.gradus.backend.cpu;

import dev.gradus.spi.Gemm;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Matrix products in float32: each goes the way that is fastest at its size. */
final class GemmF32 {
  /** Multiply-adds above which threads pay. */
  private static final long SPLIT_WORK = 1 << 20;

  /** Multiply-adds up to which nothing but the loops themselves pays. */
  private static final long TINY_WORK = 128;

  /** Multiply-adds up to which packing does not pay. */
  private static final long SIMPLE_WORK = 4096;

  /** Multiply-adds from which a native call pays. */
  private static final long NATIVE_WORK = 1000;

  /** Below this many columns C is computed transposed, if that makes rows longer. */
  private static final int SHORT_ROW = 64;

  private final Parallel parallel;
  private final boolean fma;
  private final BlasUse use;
  private final GemmTile tile;
  private final @Nullable NarrowGemmF32 narrow;

  /* Looked for at the first product that is large enough. */
  private volatile boolean searched;
  private volatile @Nullable NativeGemmF32 library;

  GemmF32(Parallel parallel, CpuSettings settings) {
    this(parallel, settings, settings.vectors().kernels().tiles(settings.fma()));
  }

  GemmF32(Parallel parallel, CpuSettings settings, GemmTile tile) {
    this.parallel = parallel;
    this.fma = settings.fma();
    this.use = settings.blas();
    this.tile = tile;
    this.narrow = settings.vectors().kernels().narrow();
  }

  void run(Gemm g, float[] a, float[] b, float[] c) {
    int m = (int) g.m();
    int n = (int) g.n();
    int k = (int) g.k();
    if (k == 0 || m == 0 || n == 0) {
      if (!g.accumulate()) {
        Arrays.fill(c, 0, m * n * (int) g.batch(), 0f);
      }
      return;
    }
    NarrowGemmF32 vectors = narrow;
    long work = (long) m * n * k;
    boolean small = work <= TINY_WORK || (vectors != null && vectors.takes(m, n, k));
    NativeGemmF32 blas = !small && work >= NATIVE_WORK ? library() : null;
    if (blas != null) {
      blas.run(g, a, b, c);
      return;
    }
    GemmOperands o = GemmOperands.of(g, a, b, c);
    if (work > TINY_WORK && small && vectors != null) {
      each(o, g, (aAt, bAt, cAt) -> vectors.run(o, aAt, bAt, cAt, g.accumulate()));
    } else if (small || (work <= SIMPLE_WORK && k <= GemmTile.DEPTH)) {
      each(o, g, (aAt, bAt, cAt) -> SmallGemmF32.run(fma, o, aAt, bAt, cAt, g.accumulate()));
    } else {
      boolean swap = n < SHORT_ROW && m > n;
      tiles(swap ? o.transposed() : o, (int) g.batch(), g.accumulate());
    }
  }

  /** One product of a batch, its matrices at these places. */
  private interface One {
    void run(int aAt, int bAt, int cAt);
  }

  private void each(GemmOperands o, Gemm g, One one) {
    int batch = (int) g.batch();
    int result = o.m() * o.n();
    long work = (long) result * o.k();
    if (batch > 1 && work * batch >= SPLIT_WORK && parallel.threads() > 1) {
      parallel.ranges(batch, (int) work, (lo, hi) -> range(o, result, one, lo, hi));
    } else {
      range(o, result, one, 0, batch);
    }
  }

  private static void range(GemmOperands o, int result, One one, int lo, int hi) {
    for (int t = lo; t < hi; t++) {
      one.run((int) (t * o.strideA()), (int) (t * o.strideB()), t * result);
    }
  }

  private @Nullable NativeGemmF32 library() {
    if (!searched) {
      NativeBlas blas = use == BlasUse.OFF ? null : BlasSearch.result().blas();
      library = blas == null ? null : new NativeGemmF32(parallel, blas, use);
      searched = true;
    }
    return library;
  }

  private void tiles(GemmOperands o, int batch, boolean accumulate) {
    int rowTiles = (o.m() + tile.rows() - 1) / tile.rows();
    long work = (long) o.m() * o.n() * o.k() * batch;
    int columns = tile.columns();
    if (batch * rowTiles == 1 && work >= SPLIT_WORK && parallel.threads() > 1) {
      // Two tiles at least, so that two threads have work; loops of 64 columns are long enough.
      columns = Math.min(columns, ((o.n() + 1) / 2 + 63) & -64);
    }
    tiles(o, batch, rowTiles, columns, work, accumulate);
  }

  private void tiles(
      GemmOperands o, int batch, int rowTiles, int columns, long work, boolean accumulate) {
    int tasks = batch * rowTiles * ((o.n() + columns - 1) / columns);
    if (work < SPLIT_WORK || parallel.threads() == 1) {
      tiles(o, rowTiles, columns, 0, tasks, accumulate);
    } else {
      // Small products of a batch go together.
      int group = (int) Math.max(1, tasks * (SPLIT_WORK / 4) / work);
      parallel.run(
          (tasks + group - 1) / group,
          q ->
              tiles(o, rowTiles, columns, q * group, Math.min(tasks, (q + 1) * group), accumulate));
    }
  }

  private void tiles(
      GemmOperands o, int rowTiles, int columns, int from, int to, boolean accumulate) {
    int tiles = rowTiles * ((o.n() + columns - 1) / columns);
    for (int t = from; t < to; t++) {
      int item = t / tiles;
      int i0 = t % tiles % rowTiles * tile.rows();
      int j0 = t % tiles / rowTiles * columns;
      tile.run(
          o,
          (int) (item * o.strideA()),
          (int) (item * o.strideB()),
          item * o.m() * o.n(),
          i0,
          Math.min(o.m(), i0 + tile.rows()),
          j0,
          Math.min(o.n(), j0 + columns),
          accumulate);
    }
  }
}
