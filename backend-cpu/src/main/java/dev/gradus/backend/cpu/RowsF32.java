package dev.gradus.backend.cpu;

/** Fused operations along float32 rows, rows lo to hi of a matrix; sums in double. */
final class RowsF32 {
  private RowsF32() {}

  static void softmax(boolean log, float[] x, float[] out, int cols, int lo, int hi) {
    for (int r = lo; r < hi && cols > 0; r++) {
      int from = r * cols;
      int to = from + cols;
      float max = Reduce.max(x, from, to);
      if (log) {
        double sum = 0;
        for (int i = from; i < to; i++) {
          float t = x[i] - max;
          out[i] = t;
          sum += FloatExp.exp(t);
        }
        subtract(out, (float) Math.log(sum), from, to);
      } else {
        for (int i = from; i < to; i++) {
          out[i] = x[i] - max;
        }
        FloatExp.exp(out, out, from, to);
        divide(out, (float) SumF32.sum(out, from, to), from, to);
      }
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

  static void softmaxGrad(
      boolean log, float[] g, float[] y, float[] out, int cols, int lo, int hi) {
    for (int r = lo; r < hi; r++) {
      int from = r * cols;
      int to = from + cols;
      if (log) {
        float sum = (float) SumF32.sum(g, from, to);
        FloatExp.exp(y, out, from, to);
        for (int i = from; i < to; i++) {
          out[i] = g[i] - out[i] * sum;
        }
      } else {
        float sum = (float) dot(g, y, from, to);
        for (int i = from; i < to; i++) {
          out[i] = (g[i] - sum) * y[i];
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
