package dev.gradus.backend.cpu;

/** Matrix products in float32 that are too small for packing: a few elements at a time. */
final class SmallGemmF32 {
  private SmallGemmF32() {}

  /** A small product, two rows of four elements at a time. */
  static void run(boolean fma, GemmOperands o, int aAt, int bAt, int cAt, boolean add) {
    int m = o.m();
    int n = o.n();
    int k = o.k();
    float[] a = o.a();
    int ars = o.ars();
    int acs = o.acs();
    float[] b = o.b();
    int brs = o.brs();
    int bcs = o.bcs();
    float[] c = o.c();
    for (int i = 0; i < m; i += 2) {
      int row = aAt + i * ars;
      int at = cAt + i * n;
      boolean pair = i + 1 < m;
      int j = 0;
      for (; j + 4 <= n; j += 4) {
        if (pair) {
          twoByFour(fma, a, row, ars, acs, b, bAt + j * bcs, brs, bcs, k, c, at + j, n, add);
        } else {
          four(fma, a, row, acs, b, bAt + j * bcs, brs, bcs, k, c, at + j, add);
        }
      }
      for (; j < n; j++) {
        float s = dot(fma, a, row, acs, b, bAt + j * bcs, brs, k);
        c[at + j] = add ? c[at + j] + s : s;
        if (pair) {
          float t = dot(fma, a, row + ars, acs, b, bAt + j * bcs, brs, k);
          c[at + n + j] = add ? c[at + n + j] + t : t;
        }
      }
    }
  }

  /** Eight sums, so that an addition need not wait for the one before it. */
  private static void twoByFour(
      boolean fma,
      float[] a,
      int row,
      int ars,
      int acs,
      float[] b,
      int col,
      int brs,
      int bcs,
      int k,
      float[] c,
      int at,
      int n,
      boolean add) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    float t0 = 0;
    float t1 = 0;
    float t2 = 0;
    float t3 = 0;
    int q = row;
    int r = col;
    if (fma) {
      for (int p = 0; p < k; p++, q += acs, r += brs) {
        float x = a[q];
        float y = a[q + ars];
        float b0 = b[r];
        float b1 = b[r + bcs];
        float b2 = b[r + 2 * bcs];
        float b3 = b[r + 3 * bcs];
        s0 = Math.fma(x, b0, s0);
        s1 = Math.fma(x, b1, s1);
        s2 = Math.fma(x, b2, s2);
        s3 = Math.fma(x, b3, s3);
        t0 = Math.fma(y, b0, t0);
        t1 = Math.fma(y, b1, t1);
        t2 = Math.fma(y, b2, t2);
        t3 = Math.fma(y, b3, t3);
      }
    } else {
      for (int p = 0; p < k; p++, q += acs, r += brs) {
        float x = a[q];
        float y = a[q + ars];
        float b0 = b[r];
        float b1 = b[r + bcs];
        float b2 = b[r + 2 * bcs];
        float b3 = b[r + 3 * bcs];
        s0 += x * b0;
        s1 += x * b1;
        s2 += x * b2;
        s3 += x * b3;
        t0 += y * b0;
        t1 += y * b1;
        t2 += y * b2;
        t3 += y * b3;
      }
    }
    put(c, at, s0, s1, s2, s3, add);
    put(c, at + n, t0, t1, t2, t3, add);
  }

  private static void put(float[] c, int at, float s0, float s1, float s2, float s3, boolean add) {
    c[at] = add ? c[at] + s0 : s0;
    c[at + 1] = add ? c[at + 1] + s1 : s1;
    c[at + 2] = add ? c[at + 2] + s2 : s2;
    c[at + 3] = add ? c[at + 3] + s3 : s3;
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
    put(c, at, s0, s1, s2, s3, add);
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
