package dev.gradus.backend.cpu;

import dev.gradus.spi.PointwiseOp;
import java.util.Arrays;

/** Runs pointwise programs on float64 elements, a block at a time. */
final class PointwiseF64 {
  private PointwiseF64() {}

  /**
   * Updates elements lo to hi.
   *
   * @param memory the arrays of the lanes that are in memory
   * @param lanes the calling thread's lanes
   */
  static void run(
      PointwiseCode code, double[] scalars, double[][] memory, double[][] lanes, int lo, int hi) {
    int block = lanes[0].length;
    for (int s = 0; s < scalars.length; s++) {
      Arrays.fill(lanes[code.firstScalar + s], 0, Math.min(block, hi - lo), scalars[s]);
    }
    for (int at = lo; at < hi; at += block) {
      int n = Math.min(block, hi - at);
      for (int lane : code.loads) {
        System.arraycopy(memory[lane], at, lanes[lane], 0, n);
      }
      for (int i = 0; i < code.op.length; i++) {
        double[] x = lanes[code.in[3 * i]];
        double[] y = lanes[code.in[3 * i + 1]];
        double[] z = lanes[code.in[3 * i + 2]];
        run(code.op[i], x, y, z, lanes[code.out[i]], n);
      }
      for (int lane : code.stores) {
        System.arraycopy(lanes[lane], 0, memory[lane], at, n);
      }
    }
  }

  private static void run(PointwiseOp op, double[] x, double[] y, double[] z, double[] out, int n) {
    switch (op) {
      case COPY -> System.arraycopy(x, 0, out, 0, n);
      case NEG -> {
        for (int i = 0; i < n; i++) {
          out[i] = -x[i];
        }
      }
      case ABS -> {
        for (int i = 0; i < n; i++) {
          out[i] = Math.abs(x[i]);
        }
      }
      case SQRT -> {
        for (int i = 0; i < n; i++) {
          out[i] = Math.sqrt(x[i]);
        }
      }
      case SIGN -> {
        for (int i = 0; i < n; i++) {
          out[i] = (x[i] > 0 ? 1.0 : 0) - (x[i] < 0 ? 1.0 : 0);
        }
      }
      case ADD -> {
        for (int i = 0; i < n; i++) {
          out[i] = x[i] + y[i];
        }
      }
      case SUB -> {
        for (int i = 0; i < n; i++) {
          out[i] = x[i] - y[i];
        }
      }
      case MUL -> {
        for (int i = 0; i < n; i++) {
          out[i] = x[i] * y[i];
        }
      }
      case DIV -> {
        for (int i = 0; i < n; i++) {
          out[i] = x[i] / y[i];
        }
      }
      case MAX -> {
        for (int i = 0; i < n; i++) {
          out[i] = Math.max(x[i], y[i]);
        }
      }
      case MIN -> {
        for (int i = 0; i < n; i++) {
          out[i] = Math.min(x[i], y[i]);
        }
      }
      case FMA -> {
        for (int i = 0; i < n; i++) {
          out[i] = Math.fma(x[i], y[i], z[i]);
        }
      }
      case LERP -> lerp(x, y, z[0], out, n);
      case WHERE -> {
        for (int i = 0; i < n; i++) {
          out[i] = x[i] > 0 ? y[i] : z[i];
        }
      }
    }
  }

  private static void lerp(double[] x, double[] end, double w, double[] out, int n) {
    double rest = 1 - w;
    if (Math.abs(w) < 0.5) {
      for (int i = 0; i < n; i++) {
        out[i] = Math.fma(w, end[i] - x[i], x[i]);
      }
    } else {
      for (int i = 0; i < n; i++) {
        out[i] = Math.fma(-(end[i] - x[i]), rest, end[i]);
      }
    }
  }
}
