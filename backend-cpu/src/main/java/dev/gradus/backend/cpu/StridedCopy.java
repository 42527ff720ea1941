package dev.gradus.backend.cpu;

import dev.gradus.spi.Storage;

/** Copies of blocks with strides: slices, permutations, expansions. */
final class StridedCopy {
  /** The side of the squares in which a transposition goes. */
  private static final int SQUARE = 32;

  private final Parallel parallel;

  StridedCopy(Parallel parallel) {
    this.parallel = parallel;
  }

  /** Sizes and strides without dimensions that could be joined or left out. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Block(int rank, int[] size, int[] from, int[] to) {

    static Block of(long[] shape, long[] from, long[] to) {
      int[] size = new int[shape.length];
      int[] f = new int[shape.length];
      int[] t = new int[shape.length];
      int rank = 0;
      for (int i = 0; i < shape.length; i++) {
        int n = (int) shape[i];
        if (n == 1) {
          continue;
        }
        if (rank > 0 && f[rank - 1] == from[i] * n && t[rank - 1] == to[i] * n) {
          size[rank - 1] *= n;
        } else {
          size[rank++] = n;
        }
        f[rank - 1] = (int) from[i];
        t[rank - 1] = (int) to[i];
      }
      return new Block(rank, size, f, t);
    }
  }

  /** The two innermost dimensions: sizes and strides. */
  private record Plane(int rows, int cols, int fromRow, int fromCol, int toRow, int toCol) {
    /** Whether it is one row without gaps. */
    boolean isRow() {
      return rows == 1 && fromCol == 1 && toCol == 1;
    }
  }

  @SuppressWarnings("SuspiciousSystemArraycopy") // both arrays have the storage's type
  void run(
      long[] shape,
      Storage src,
      long srcAt,
      long[] srcStrides,
      Storage dst,
      long dstAt,
      long[] dstStrides) {
    long n = 1;
    for (long s : shape) {
      n *= s;
    }
    if (n == 0) {
      return;
    }
    Block b = Block.of(shape, srcStrides, dstStrides);
    Object from = CpuStorage.array(src);
    Object to = CpuStorage.array(dst);
    int r = b.rank;
    Plane plane =
        r == 0
            ? new Plane(1, 1, 0, 1, 0, 1)
            : r == 1
                ? new Plane(1, b.size[0], 0, b.from[0], 0, b.to[0])
                : new Plane(
                    b.size[r - 2],
                    b.size[r - 1],
                    b.from[r - 2],
                    b.from[r - 1],
                    b.to[r - 2],
                    b.to[r - 1]);
    int area = plane.rows * plane.cols;
    int planes = (int) (n / area);
    if (parallel.splits(n) && area == n && plane.isRow()) {
      parallel.ranges(
          plane.cols,
          1,
          (lo, hi) -> System.arraycopy(from, (int) srcAt + lo, to, (int) dstAt + lo, hi - lo));
    } else if (!parallel.splits(n)) {
      planes(b, plane, from, (int) srcAt, to, (int) dstAt, 0, planes);
    } else if (planes > 1) {
      parallel.ranges(
          planes, area, (lo, hi) -> planes(b, plane, from, (int) srcAt, to, (int) dstAt, lo, hi));
    } else {
      parallel.ranges(
          plane.rows,
          plane.cols,
          (lo, hi) -> plane(plane, from, (int) srcAt, to, (int) dstAt, lo, hi));
    }
  }

  private static void planes(
      Block b, Plane plane, Object from, int fromAt, Object to, int toAt, int lo, int hi) {
    for (int p = lo; p < hi; p++) {
      int f = fromAt;
      int t = toAt;
      int rest = p;
      for (int d = b.rank - 3; d >= 0; d--) {
        int i = rest % b.size[d];
        rest /= b.size[d];
        f += i * b.from[d];
        t += i * b.to[d];
      }
      plane(plane, from, f, to, t, 0, plane.rows);
    }
  }

  @SuppressWarnings("SuspiciousSystemArraycopy") // both arrays have the storage's type
  private static void plane(Plane p, Object from, int fromAt, Object to, int toAt, int lo, int hi) {
    if (p.fromCol == 1 && p.toCol == 1) {
      for (int i = lo; i < hi; i++) {
        System.arraycopy(from, fromAt + i * p.fromRow, to, toAt + i * p.toRow, p.cols);
      }
      return;
    }
    int step = p.fromRow == 1 ? SQUARE : p.cols;
    for (int i0 = lo; i0 < hi; i0 += SQUARE) {
      int i1 = Math.min(hi, i0 + SQUARE);
      for (int j0 = 0; j0 < p.cols; j0 += step) {
        int j1 = Math.min(p.cols, j0 + step);
        for (int i = i0; i < i1; i++) {
          int f = fromAt + i * p.fromRow + j0 * p.fromCol;
          line(from, f, p.fromCol, to, toAt + i * p.toRow + j0 * p.toCol, p.toCol, j1 - j0);
        }
      }
    }
  }

  private static void line(Object from, int f, int fs, Object to, int t, int ts, int n) {
    if (from instanceof float[] x) {
      line(x, f, fs, (float[]) to, t, ts, n);
    } else if (from instanceof double[] x) {
      line(x, f, fs, (double[]) to, t, ts, n);
    } else if (from instanceof long[] x) {
      line(x, f, fs, (long[]) to, t, ts, n);
    } else {
      line((byte[]) from, f, fs, (byte[]) to, t, ts, n);
    }
  }

  private static void line(float[] x, int f, int fs, float[] y, int t, int ts, int n) {
    for (int i = 0; i < n; i++) {
      y[t + i * ts] = x[f + i * fs];
    }
  }

  private static void line(double[] x, int f, int fs, double[] y, int t, int ts, int n) {
    for (int i = 0; i < n; i++) {
      y[t + i * ts] = x[f + i * fs];
    }
  }

  private static void line(long[] x, int f, int fs, long[] y, int t, int ts, int n) {
    for (int i = 0; i < n; i++) {
      y[t + i * ts] = x[f + i * fs];
    }
  }

  private static void line(byte[] x, int f, int fs, byte[] y, int t, int ts, int n) {
    for (int i = 0; i < n; i++) {
      y[t + i * ts] = x[f + i * fs];
    }
  }
}
