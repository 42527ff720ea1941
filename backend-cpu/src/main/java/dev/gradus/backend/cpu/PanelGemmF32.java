package dev.gradus.backend.cpu;

import java.util.Arrays;

/**
 * Tiles of matrix products by a kernel over packed panels (Goto and van de Geijn, Anatomy of
 * high-performance matrix multiplication, 2008).
 */
final class PanelGemmF32 implements GemmTile {
  /*
   * B is packed into panels as wide as the kernel, a row after the other, zeros at the edge; but it
   * is read in place where its rows are contiguous and too few rows of A would use the copy. A is
   * read in place where its rows are contiguous; a strip of it is packed otherwise, and at the edge.
   */

  private static final int ROWS = 252;
  private static final int COLUMNS = 256;

  /** Rows of A for which B is not copied. */
  private static final int FEW_ROWS = 24;

  private final GemmKernel kernel;
  private final int mr;
  private final int nr;
  private final ThreadLocal<Panels> panels;

  PanelGemmF32(GemmKernel kernel) {
    this.kernel = kernel;
    this.mr = kernel.rows();
    this.nr = kernel.columns();
    this.panels = ThreadLocal.withInitial(() -> new Panels(mr, nr));
  }

  /** One thread's packed panels of B, strip of A, and block of C. */
  private static final class Panels {
    final float[] b;
    final float[] a;
    final float[] c;

    Panels(int mr, int nr) {
      b = new float[(COLUMNS + nr) * DEPTH];
      a = new float[mr * DEPTH];
      c = new float[mr * nr];
    }
  }

  @Override
  public int rows() {
    return ROWS / mr * mr;
  }

  @Override
  public int columns() {
    return COLUMNS;
  }

  @Override
  public void run(
      GemmOperands o,
      int aAt,
      int bAt,
      int cAt,
      int i0,
      int i1,
      int j0,
      int j1,
      boolean accumulate) {
    Panels w = panels.get();
    boolean inPlace = o.bcs() == 1 && i1 - i0 <= FEW_ROWS;
    for (int k0 = 0; k0 < o.k(); k0 += DEPTH) {
      int depth = Math.min(DEPTH, o.k() - k0);
      for (int j = j0; j < j1; j += nr) {
        int width = Math.min(nr, j1 - j);
        if (!inPlace || width < nr) {
          packB(o, bAt + k0 * o.brs() + j * o.bcs(), depth, width, w.b, (j - j0) * DEPTH);
        }
      }
      for (int i = i0; i < i1; i += mr) {
        strip(
            o,
            w,
            aAt + i * o.ars() + k0 * o.acs(),
            bAt + k0 * o.brs(),
            cAt + i * o.crs(),
            Math.min(mr, i1 - i),
            depth,
            j0,
            j1,
            inPlace,
            accumulate || k0 > 0);
      }
    }
  }

  /** The blocks of C beside each other that one strip of A takes part in. */
  private void strip(
      GemmOperands o,
      Panels w,
      int aAt,
      int bAt,
      int cAt,
      int rows,
      int depth,
      int j0,
      int j1,
      boolean inPlace,
      boolean add) {
    float[] a = o.a();
    int ars = o.ars();
    int acs = o.acs();
    int at = aAt;
    if (acs != 1 || rows < mr) {
      packA(o, aAt, rows, depth, w.a);
      a = w.a;
      ars = 1;
      acs = mr;
      at = 0;
    }
    for (int j = j0; j < j1; j += nr) {
      int width = Math.min(nr, j1 - j);
      boolean full = width == nr && rows == mr && o.ccs() == 1;
      boolean direct = inPlace && width == nr;
      kernel.run(
          a,
          at,
          ars,
          acs,
          direct ? o.b() : w.b,
          direct ? bAt + j : (j - j0) * DEPTH,
          direct ? o.brs() : nr,
          depth,
          full ? o.c() : w.c,
          full ? cAt + j : 0,
          full ? o.crs() : nr,
          full && add);
      if (!full) {
        store(o, w.c, cAt + j * o.ccs(), rows, width, add);
      }
    }
  }

  private void packB(GemmOperands o, int from, int depth, int width, float[] panel, int to) {
    float[] b = o.b();
    if (o.bcs() == 1) {
      for (int p = 0; p < depth; p++) {
        System.arraycopy(b, from + p * o.brs(), panel, to + p * nr, width);
      }
    } else {
      for (int j = 0; j < width; j++) {
        int q = from + j * o.bcs();
        for (int p = 0, at = to + j; p < depth; p++, q += o.brs(), at += nr) {
          panel[at] = b[q];
        }
      }
    }
    if (width < nr) {
      for (int p = 0; p < depth; p++) {
        Arrays.fill(panel, to + p * nr + width, to + (p + 1) * nr, 0f);
      }
    }
  }

  private void packA(GemmOperands o, int from, int rows, int depth, float[] strip) {
    float[] a = o.a();
    for (int r = 0; r < mr; r++) {
      // A row that is missing repeats the last one, and nobody reads what it gives.
      int q = from + Math.min(r, rows - 1) * o.ars();
      for (int p = 0, at = r; p < depth; p++, q += o.acs(), at += mr) {
        strip[at] = a[q];
      }
    }
  }

  private void store(GemmOperands o, float[] block, int at, int rows, int width, boolean add) {
    float[] c = o.c();
    for (int r = 0; r < rows; r++) {
      int q = at + r * o.crs();
      for (int j = 0; j < width; j++, q += o.ccs()) {
        c[q] = add ? c[q] + block[r * nr + j] : block[r * nr + j];
      }
    }
  }
}
