package dev.gradus.backend.cpu;

/** Small products by a kernel one vector wide, on the matrices as they lie. */
final class NarrowGemmF32 {
  /*
   * Nothing is padded to whole vectors. A vector that reaches beyond a row of B reads the beginning
   * of the next one; the sums of those lanes mean nothing, and are stored where the next row of C
   * begins, which is stored later: blocks go from the right to the left, strips downwards. Only
   * the last row needs room behind it, so C is computed in an array with some, and B copied into
   * one where it ends too early.
   */

  /** Multiply-adds at most, and so elements of each matrix. */
  private static final int WORK = 1 << 15;

  private final GemmKernel kernel;
  private final int mr;
  private final int nr;
  private final ThreadLocal<Room> rooms;

  NarrowGemmF32(GemmKernel kernel) {
    this.kernel = kernel;
    this.mr = kernel.rows();
    this.nr = kernel.columns();
    this.rooms = ThreadLocal.withInitial(() -> new Room(mr, nr));
  }

  /** One thread's copy of B, of too few rows of A, and its C. */
  private static final class Room {
    final float[] a;
    final float[] b;
    final float[] c;

    Room(int mr, int nr) {
      a = new float[mr * GemmTile.DEPTH];
      b = new float[WORK + nr];
      c = new float[WORK + nr];
    }
  }

  /** Whether it takes products of these sizes. */
  boolean takes(int m, int n, int k) {
    return (long) m * n * k <= WORK && (long) Math.max(m, mr) * n <= WORK && k <= GemmTile.DEPTH;
  }

  /** One product of a batch, its matrices at these places. */
  void run(GemmOperands o, int aAt, int bAt, int cAt, boolean accumulate) {
    Room room = rooms.get();
    int n = o.n();
    float[] b = o.b();
    int at = bAt;
    if (o.bcs() != 1 || bAt + o.k() * n + nr > b.length) {
      copyB(o, bAt, room.b);
      b = room.b;
      at = 0;
    }
    if (o.m() < mr) {
      copyA(o, aAt, room.a);
      strip(o, room.a, 0, 1, mr, b, at, room.c, 0);
    } else {
      for (int i = 0; i < o.m(); i += mr) {
        // The last strip overlaps the one before it.
        int row = Math.min(i, o.m() - mr);
        strip(o, o.a(), aAt + row * o.ars(), o.ars(), o.acs(), b, at, room.c, row * n);
      }
    }
    take(room.c, o.c(), cAt, o.m() * n, accumulate);
  }

  private void strip(
      GemmOperands o,
      float[] a,
      int aAt,
      int ars,
      int acs,
      float[] b,
      int bAt,
      float[] c,
      int cAt) {
    int n = o.n();
    for (int j = (n - 1) / nr * nr; j >= 0; j -= nr) {
      kernel.run(a, aAt, ars, acs, b, bAt + j, n, o.k(), c, cAt + j, n, false);
    }
  }

  private static void copyB(GemmOperands o, int from, float[] to) {
    float[] b = o.b();
    int n = o.n();
    int k = o.k();
    if (o.bcs() == 1) {
      System.arraycopy(b, from, to, 0, k * n);
    } else {
      for (int j = 0; j < n; j++) {
        for (int p = 0, q = from + j * k, at = j; p < k; p++, at += n) {
          to[at] = b[q + p];
        }
      }
    }
  }

  /** Copies too few rows; those that are missing repeat the last one. */
  private void copyA(GemmOperands o, int from, float[] to) {
    for (int r = 0; r < mr; r++) {
      int q = from + Math.min(r, o.m() - 1) * o.ars();
      for (int p = 0, at = r; p < o.k(); p++, q += o.acs(), at += mr) {
        to[at] = o.a()[q];
      }
    }
  }

  private static void take(float[] from, float[] c, int at, int n, boolean accumulate) {
    if (accumulate) {
      for (int i = 0; i < n; i++) {
        c[at + i] += from[i];
      }
    } else {
      System.arraycopy(from, 0, c, at, n);
    }
  }
}
