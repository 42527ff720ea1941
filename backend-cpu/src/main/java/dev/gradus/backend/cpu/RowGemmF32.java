package dev.gradus.backend.cpu;

import java.util.Arrays;

/** Tiles of matrix products by plain loops, in the form that C2 vectorises. */
final class RowGemmF32 implements GemmTile {
  /*
   * The kernel updates two rows of C from four rows of B at one common index, all six of them
   * arrays of their own: the form which C2 vectorises on JDK 17 and 25, measured against 1 x 4,
   * 2 x 2, 4 x 1, 4 x 4 and 1 x 8. Rows of B are packed for that, a panel of DEPTH x COLUMNS at a
   * time; A is read where it is. At n = 1024 panels of 512 columns took 27 ms, of 256 31.
   */

  private static final int ROWS = 128;
  private static final int COLUMNS = 512;

  /** Up to this width the kernel for short rows is the faster one. */
  private static final int SHORT_KERNEL = 40;

  private static final ThreadLocal<Panel> PANELS = ThreadLocal.withInitial(Panel::new);

  private final boolean fma;

  RowGemmF32(boolean fma) {
    this.fma = fma;
  }

  /** One thread's packed rows of B and sums of four rows of C. */
  private static final class Panel {
    final float[][] b = new float[DEPTH][COLUMNS];
    final float[][] c = new float[4][COLUMNS];
  }

  @Override
  public int rows() {
    return ROWS;
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
    Panel panel = PANELS.get();
    int width = j1 - j0;
    int k = o.k();
    for (int k0 = 0; k0 < k; k0 += DEPTH) {
      int depth = Math.min(DEPTH, k - k0);
      int padded = (depth + 3) & -4;
      pack(o, bAt + k0 * o.brs() + j0 * o.bcs(), depth, padded, width, panel.b);
      for (int i = i0; i < i1; i += 4) {
        int rows = Math.min(4, i1 - i);
        for (int r = 0; r < 4; r++) {
          Arrays.fill(panel.c[r], 0, width, 0f);
        }
        fourRows(fma, o, aAt + i * o.ars() + k0 * o.acs(), rows, depth, width, panel);
        for (int r = 0; r < rows; r++) {
          store(o, panel.c[r], cAt + (i + r) * o.crs() + j0 * o.ccs(), width, accumulate || k0 > 0);
        }
      }
    }
  }

  /** Copies rows of B; rows up to a multiple of four are zeros, which add nothing. */
  private static void pack(
      GemmOperands o, int at, int depth, int padded, int width, float[][] rows) {
    float[] b = o.b();
    if (o.bcs() == 1) {
      for (int p = 0; p < depth; p++) {
        System.arraycopy(b, at + p * o.brs(), rows[p], 0, width);
      }
    } else {
      for (int p = 0; p + 4 <= depth; p += 4) {
        packFour(b, at + p, o.bcs(), width, rows[p], rows[p + 1], rows[p + 2], rows[p + 3]);
      }
      for (int p = depth & -4; p < depth; p++) {
        float[] row = rows[p];
        for (int j = 0; j < width; j++) {
          row[j] = b[at + p + j * o.bcs()];
        }
      }
    }
    for (int p = depth; p < padded; p++) {
      Arrays.fill(rows[p], 0, width, 0f);
    }
  }

  private static void packFour(
      float[] b, int at, int step, int width, float[] r0, float[] r1, float[] r2, float[] r3) {
    for (int j = 0, q = at; j < width; j++, q += step) {
      r0[j] = b[q];
      r1[j] = b[q + 1];
      r2[j] = b[q + 2];
      r3[j] = b[q + 3];
    }
  }

  private static void store(GemmOperands o, float[] row, int at, int width, boolean add) {
    float[] c = o.c();
    if (o.ccs() == 1 && !add) {
      System.arraycopy(row, 0, c, at, width);
    } else {
      for (int j = 0, q = at; j < width; j++, q += o.ccs()) {
        c[q] = add ? c[q] + row[j] : row[j];
      }
    }
  }

  /** Adds depth products to four sums; rows that are missing at the end count as zeros. */
  private static void fourRows(
      boolean fma, GemmOperands o, int at, int rows, int depth, int width, Panel panel) {
    float[] a = o.a();
    int p1 = o.acs();
    int i1 = rows > 1 ? o.ars() : 0;
    int i2 = rows > 2 ? 2 * o.ars() : 0;
    int i3 = rows > 3 ? 3 * o.ars() : 0;
    float[][] b = panel.b;
    float[][] c = panel.c;
    int p = 0;
    for (; p + 4 <= depth; p += 4) {
      int q = at + p * p1;
      int q1 = q + p1;
      int q2 = q1 + p1;
      int q3 = q2 + p1;
      if (!fma) {
        twoRowsWithoutFma(
            c[0],
            c[1],
            b[p],
            b[p + 1],
            b[p + 2],
            b[p + 3],
            width,
            a[q],
            a[q1],
            a[q2],
            a[q3],
            a[q + i1],
            a[q1 + i1],
            a[q2 + i1],
            a[q3 + i1]);
        twoRowsWithoutFma(
            c[2],
            c[3],
            b[p],
            b[p + 1],
            b[p + 2],
            b[p + 3],
            width,
            a[q + i2],
            a[q1 + i2],
            a[q2 + i2],
            a[q3 + i2],
            a[q + i3],
            a[q1 + i3],
            a[q2 + i3],
            a[q3 + i3]);
      } else if (width > SHORT_KERNEL) {
        twoRows(
            c[0],
            c[1],
            b[p],
            b[p + 1],
            b[p + 2],
            b[p + 3],
            width,
            a[q],
            a[q1],
            a[q2],
            a[q3],
            a[q + i1],
            a[q1 + i1],
            a[q2 + i1],
            a[q3 + i1]);
        if (rows > 2) {
          twoRows(
              c[2],
              c[3],
              b[p],
              b[p + 1],
              b[p + 2],
              b[p + 3],
              width,
              a[q + i2],
              a[q1 + i2],
              a[q2 + i2],
              a[q3 + i2],
              a[q + i3],
              a[q1 + i3],
              a[q2 + i3],
              a[q3 + i3]);
        }
      } else {
        shortRows(
            c[0],
            c[1],
            c[2],
            c[3],
            b[p],
            b[p + 1],
            b[p + 2],
            b[p + 3],
            width,
            a[q],
            a[q1],
            a[q2],
            a[q3],
            a[q + i1],
            a[q1 + i1],
            a[q2 + i1],
            a[q3 + i1],
            a[q + i2],
            a[q1 + i2],
            a[q2 + i2],
            a[q3 + i2],
            a[q + i3],
            a[q1 + i3],
            a[q2 + i3],
            a[q3 + i3]);
      }
    }
    for (; p < depth; p++) {
      int q = at + p * p1;
      for (int r = 0; r < rows; r++) {
        axpy(fma, c[r], b[p], a[q + r * o.ars()], width);
      }
    }
  }

  private static void axpy(boolean fma, float[] c, float[] b, float a, int n) {
    if (fma) {
      for (int j = 0; j < n; j++) {
        c[j] = Math.fma(a, b[j], c[j]);
      }
    } else {
      for (int j = 0; j < n; j++) {
        c[j] = a * b[j] + c[j];
      }
    }
  }

  private static void twoRows(
      float[] c0,
      float[] c1,
      float[] b0,
      float[] b1,
      float[] b2,
      float[] b3,
      int n,
      float a00,
      float a01,
      float a02,
      float a03,
      float a10,
      float a11,
      float a12,
      float a13) {
    // Without locals for the elements of B: with them C2 of JDK 17 does not vectorise.
    for (int j = 0; j < n; j++) {
      c0[j] =
          Math.fma(
              a03, b3[j], Math.fma(a02, b2[j], Math.fma(a01, b1[j], Math.fma(a00, b0[j], c0[j]))));
      c1[j] =
          Math.fma(
              a13, b3[j], Math.fma(a12, b2[j], Math.fma(a11, b1[j], Math.fma(a10, b0[j], c1[j]))));
    }
  }

  private static void twoRowsWithoutFma(
      float[] c0,
      float[] c1,
      float[] b0,
      float[] b1,
      float[] b2,
      float[] b3,
      int n,
      float a00,
      float a01,
      float a02,
      float a03,
      float a10,
      float a11,
      float a12,
      float a13) {
    for (int j = 0; j < n; j++) {
      c0[j] = (((c0[j] + a00 * b0[j]) + a01 * b1[j]) + a02 * b2[j]) + a03 * b3[j];
      c1[j] = (((c1[j] + a10 * b0[j]) + a11 * b1[j]) + a12 * b2[j]) + a13 * b3[j];
    }
  }

  /** Four rows at once: the scalar loop, which wins where a row is but a few vectors. */
  private static void shortRows(
      float[] c0,
      float[] c1,
      float[] c2,
      float[] c3,
      float[] b0,
      float[] b1,
      float[] b2,
      float[] b3,
      int n,
      float a00,
      float a01,
      float a02,
      float a03,
      float a10,
      float a11,
      float a12,
      float a13,
      float a20,
      float a21,
      float a22,
      float a23,
      float a30,
      float a31,
      float a32,
      float a33) {
    for (int j = 0; j < n; j++) {
      float x0 = b0[j];
      float x1 = b1[j];
      float x2 = b2[j];
      float x3 = b3[j];
      c0[j] = Math.fma(a03, x3, Math.fma(a02, x2, Math.fma(a01, x1, Math.fma(a00, x0, c0[j]))));
      c1[j] = Math.fma(a13, x3, Math.fma(a12, x2, Math.fma(a11, x1, Math.fma(a10, x0, c1[j]))));
      c2[j] = Math.fma(a23, x3, Math.fma(a22, x2, Math.fma(a21, x1, Math.fma(a20, x0, c2[j]))));
      c3[j] = Math.fma(a33, x3, Math.fma(a32, x2, Math.fma(a31, x1, Math.fma(a30, x0, c3[j]))));
    }
  }
}
