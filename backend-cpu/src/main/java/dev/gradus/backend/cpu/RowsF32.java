package dev.gradus.backend.cpu;

/** Fused operations along float32 rows, rows lo to hi of a matrix; sums in double. */
final class RowsF32 {
  private RowsF32() {}

  /*
   * Exponentials go in pieces that many short rows share: a call for each row would cost more than
   * the row.
   */

  private static final int PIECE = 256;

  /** The rows that make a piece, at least one. */
  private static int rowsOfPiece(int cols) {
    return Math.max(1, PIECE / Math.max(1, cols));
  }

  static void softmax(MathF32 math, float[] x, float[] out, int cols, int lo, int hi) {
    int step = rowsOfPiece(cols);
    for (int r = lo; r < hi && cols > 0; r += step) {
      int end = Math.min(hi, r + step);
      for (int i = r; i < end; i++) {
        subtractMax(x, out, i * cols, (i + 1) * cols);
      }
      math.exp(out, out, r * cols, end * cols);
      for (int i = r; i < end; i++) {
        int from = i * cols;
        divide(out, (float) SumF32.sum(out, from, from + cols), from, from + cols);
      }
    }
  }

  static void logSoftmax(MathF32 math, float[] x, float[] out, int cols, int lo, int hi) {
    int step = rowsOfPiece(cols);
    float[] e = new float[Math.min(PIECE, step * cols)];
    for (int r = lo; r < hi && cols > 0; r += step) {
      int end = Math.min(hi, r + step);
      for (int i = r; i < end; i++) {
        subtractMax(x, out, i * cols, (i + 1) * cols);
      }
      if (cols > PIECE) {
        subtract(
            out,
            (float) Math.log(expSum(math, out, r * cols, end * cols, e)),
            r * cols,
            end * cols);
      } else {
        int n = (end - r) * cols;
        System.arraycopy(out, r * cols, e, 0, n);
        math.exp(e, e, 0, n);
        for (int i = r, at = 0; i < end; i++, at += cols) {
          float v = (float) Math.log(SumF32.sum(e, at, at + cols));
          subtract(out, v, i * cols, (i + 1) * cols);
        }
      }
    }
  }

  /** The sum of the exponentials of a long row, piece by piece. */
  private static double expSum(MathF32 math, float[] x, int lo, int hi, float[] e) {
    double sum = 0;
    for (int b = lo; b < hi; b += PIECE) {
      int n = Math.min(PIECE, hi - b);
      System.arraycopy(x, b, e, 0, n);
      math.exp(e, e, 0, n);
      sum += SumF32.sum(e, 0, n);
    }
    return sum;
  }

  private static void subtractMax(float[] x, float[] out, int lo, int hi) {
    float max = Reduce.max(x, lo, hi);
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] - max;
    }
  }

  private static void subtract(float[] out, float v, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] -= v;
    }
  }

  private static void divide(float[] out, float v, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] /= v;
    }
  }

  static void softmaxGrad(float[] g, float[] y, float[] out, int cols, int lo, int hi) {
    for (int r = lo; r < hi; r++) {
      int from = r * cols;
      int to = from + cols;
      float sum = (float) dot(g, y, from, to);
      for (int i = from; i < to; i++) {
        out[i] = (g[i] - sum) * y[i];
      }
    }
  }

  static void logSoftmaxGrad(
      MathF32 math, float[] g, float[] y, float[] out, int cols, int lo, int hi) {
    int step = rowsOfPiece(cols);
    for (int r = lo; r < hi; r += step) {
      int end = Math.min(hi, r + step);
      math.exp(y, out, r * cols, end * cols);
      for (int i = r; i < end; i++) {
        int to = (i + 1) * cols;
        float sum = (float) SumF32.sum(g, i * cols, to);
        for (int j = i * cols; j < to; j++) {
          out[j] = g[j] - out[j] * sum;
        }
      }
    }
  }

  /** The sum of products, which are exact in double. */
  private static double dot(float[] x, float[] y, int lo, int hi) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = lo;
    for (; i < hi - 3; i += 4) {
      s0 += (double) x[i] * y[i];
      s1 += (double) x[i + 1] * y[i + 1];
      s2 += (double) x[i + 2] * y[i + 2];
      s3 += (double) x[i + 3] * y[i + 3];
    }
    for (; i < hi; i++) {
      s0 += (double) x[i] * y[i];
    }
    return (s0 + s1) + (s2 + s3);
  }

  static void normalize(
      float[] x, float[] out, float[] rstd, int cols, double eps, int lo, int hi) {
    for (int r = lo; r < hi; r++) {
      int from = r * cols;
      int to = from + cols;
      float mean = (float) (SumF32.sum(x, from, to) / cols);
      for (int i = from; i < to; i++) {
        out[i] = x[i] - mean;
      }
      float s = (float) (1 / Math.sqrt(dot(out, out, from, to) / cols + eps));
      rstd[r] = s;
      for (int i = from; i < to; i++) {
        out[i] *= s;
      }
    }
  }

  static void normalizeGrad(
      float[] g, float[] y, float[] rstd, float[] out, int cols, int lo, int hi) {
    for (int r = lo; r < hi; r++) {
      int from = r * cols;
      int to = from + cols;
      float mean = (float) (SumF32.sum(g, from, to) / cols);
      float slope = (float) (dot(g, y, from, to) / cols);
      float s = rstd[r];
      for (int i = from; i < to; i++) {
        out[i] = ((g[i] - mean) - y[i] * slope) * s;
      }
    }
  }

  static void nll(
      float[] logp,
      long[] targets,
      float[] out,
      int cols,
      double smoothing,
      long ignore,
      int lo,
      int hi) {
    for (int r = lo; r < hi; r++) {
      long t = targets[r];
      int from = r * cols;
      if (t == ignore) {
        out[r] = 0;
      } else {
        double loss = (smoothing - 1) * logp[from + (int) t];
        if (smoothing != 0) {
          loss -= smoothing / cols * SumF32.sum(logp, from, from + cols);
        }
        out[r] = (float) loss;
      }
    }
  }

  static void nllGrad(
      float[] g,
      long[] targets,
      float[] out,
      int cols,
      double smoothing,
      long ignore,
      int lo,
      int hi) {
    float miss = (float) (-smoothing / cols);
    float hit = (float) (smoothing - 1 - smoothing / cols);
    for (int r = lo; r < hi; r++) {
      long t = targets[r];
      int from = r * cols;
      float v = t == ignore ? 0 : g[r];
      java.util.Arrays.fill(out, from, from + cols, miss * v);
      if (t != ignore) {
        out[from + (int) t] = hit * v;
      }
    }
  }
}
