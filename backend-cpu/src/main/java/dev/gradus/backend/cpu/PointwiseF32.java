package dev.gradus.backend.cpu;

import dev.gradus.spi.PointwiseOp;
import java.util.Arrays;

/** Runs pointwise programs on float32 elements, a block at a time. */
final class PointwiseF32 {
  private final boolean fma;
  private final SignsF32 signs;

  PointwiseF32(boolean fma, SignsF32 signs) {
    this.fma = fma;
    this.signs = signs;
  }

  /**
   * Updates elements lo to hi.
   *
   * @param memory the arrays of the lanes that are in memory
   * @param lanes the calling thread's lanes
   */
  void run(PointwiseCode code, float[] scalars, float[][] memory, float[][] lanes, int lo, int hi) {
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
        float[] x = lanes[code.in[3 * i]];
        float[] y = lanes[code.in[3 * i + 1]];
        float[] z = lanes[code.in[3 * i + 2]];
        run(code.op[i], x, y, z, lanes[code.out[i]], n);
      }
      for (int lane : code.stores) {
        System.arraycopy(lanes[lane], 0, memory[lane], at, n);
      }
    }
  }

  private void run(PointwiseOp op, float[] x, float[] y, float[] z, float[] out, int n) {
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
          out[i] = (float) Math.sqrt(x[i]);
        }
      }
      case SIGN -> signs.sign(x, out, n);
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
      case FMA -> fma(x, y, z, out, n);
      case LERP -> lerp(x, y, z[0], out, n);
      case WHERE -> signs.where(x, y, z, out, n);
    }
  }

  private void fma(float[] x, float[] y, float[] z, float[] out, int n) {
    if (fma) {
      for (int i = 0; i < n; i++) {
        out[i] = Math.fma(x[i], y[i], z[i]);
      }
    } else {
      for (int i = 0; i < n; i++) {
        out[i] = (float) ((double) x[i] * y[i] + z[i]);
      }
    }
  }

  private void lerp(float[] x, float[] end, float w, float[] out, int n) {
    float rest = 1 - w;
    if (!fma) {
      boolean near = Math.abs(w) < 0.5f;
      for (int i = 0; i < n; i++) {
        float d = end[i] - x[i];
        out[i] = (float) (near ? (double) w * d + x[i] : (double) -d * rest + end[i]);
      }
    } else if (Math.abs(w) < 0.5f) {
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
