package dev.gradus.backend.cpu;

/** Fused operations along float64 rows, rows lo to hi of a matrix. */
final class RowsF64 {
  private RowsF64() {}

  static void softmax(boolean log, double[] x, double[] out, int cols, int lo, int hi) {
    for (int r = lo; r < hi && cols > 0; r++) {
      int from = r * cols;
      int to = from + cols;
      double max = max(x, from, to);
      if (log) {
        double sum = 0;
        for (int i = from; i < to; i++) {
          double t = x[i] - max;
          out[i] = t;
          sum += Math.exp(t);
        }
        subtract(out, Math.log(sum), from, to);
      } else {
        double sum = 0;
        for (int i = from; i < to; i++) {
          double e = Math.exp(x[i] - max);
          out[i] = e;
          sum += e;
        }
        divide(out, sum, from, to);
      }
    }
  }

  private static void subtract(double[] out, double v, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] -= v;
    }
  }

  private static void divide(double[] out, double v, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] /= v;
    }
  }

  static void softmaxGrad(
      boolean log, double[] g, double[] y, double[] out, int cols, int lo, int hi) {
    for (int r = lo; r < hi; r++) {
      int from = r * cols;
      int to = from + cols;
      if (log) {
        double sum = sum(g, from, to);
        for (int i = from; i < to; i++) {
          out[i] = g[i] - Math.exp(y[i]) * sum;
        }
      } else {
        double sum = dot(g, y, from, to);
        for (int i = from; i < to; i++) {
          out[i] = (g[i] - sum) * y[i];
        }
      }
    }
  }

  private static double max(double[] x, int lo, int hi) {
    double m = x[lo];
    for (int i = lo + 1; i < hi; i++) {
      m = Math.max(m, x[i]);
    }
    return m;
  }

  private static double sum(double[] x, int lo, int hi) {
    double s = 0;
    for (int i = lo; i < hi; i++) {
      s += x[i];
    }
    return s;
  }

  private static double dot(double[] x, double[] y, int lo, int hi) {
    double s = 0;
    for (int i = lo; i < hi; i++) {
      s += x[i] * y[i];
    }
    return s;
  }

  static void normalize(
      double[] x, double[] out, double[] rstd, int cols, double eps, int lo, int hi) {
    for (int r = lo; r < hi; r++) {
      int from = r * cols;
      int to = from + cols;
      double mean = (sum(x, from, to) / cols);
      for (int i = from; i < to; i++) {
        out[i] = x[i] - mean;
      }
      double s = (1 / Math.sqrt(dot(out, out, from, to) / cols + eps));
      rstd[r] = s;
      for (int i = from; i < to; i++) {
        out[i] *= s;
      }
    }
  }

  static void normalizeGrad(
      double[] g, double[] y, double[] rstd, double[] out, int cols, int lo, int hi) {
    for (int r = lo; r < hi; r++) {
      int from = r * cols;
      int to = from + cols;
      double mean = (sum(g, from, to) / cols);
      double slope = (dot(g, y, from, to) / cols);
      double s = rstd[r];
      for (int i = from; i < to; i++) {
        out[i] = ((g[i] - mean) - y[i] * slope) * s;
      }
    }
  }

  static void nll(
      double[] logp,
      long[] targets,
      double[] out,
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
          loss -= smoothing / cols * sum(logp, from, from + cols);
        }
        out[r] = loss;
      }
    }
  }

  static void nllGrad(
      double[] g,
      long[] targets,
      double[] out,
      int cols,
      double smoothing,
      long ignore,
      int lo,
      int hi) {
    double miss = (-smoothing / cols);
    double hit = (smoothing - 1 - smoothing / cols);
    for (int r = lo; r < hi; r++) {
      long t = targets[r];
      int from = r * cols;
      double v = t == ignore ? 0 : g[r];
      java.util.Arrays.fill(out, from, from + cols, miss * v);
      if (t != ignore) {
        out[from + (int) t] = hit * v;
      }
    }
  }
}
