package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.i64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.Axis;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Storage;

/** Reductions along the middle of {@code [outer, length, inner]}. Sums of float32 are in SumF32. */
final class Reduce {
  private final Parallel parallel;
  private final SumF32 sums;

  Reduce(Parallel parallel) {
    this.parallel = parallel;
    this.sums = new SumF32(parallel);
  }

  void run(ReduceOp op, Storage x, Axis axis, Storage out, boolean accumulate) {
    int outer = (int) axis.outer();
    int length = (int) axis.length();
    int inner = (int) axis.inner();
    switch (x.dtype()) {
      case F32 -> {
        if (op == ReduceOp.SUM) {
          sums.run(f32(x), outer, length, inner, f32(out), accumulate);
        } else {
          extremesF32(op == ReduceOp.MAX, f32(x), outer, length, inner, f32(out), accumulate);
        }
      }
      case F64 -> plainF64(op, f64(x), outer, length, inner, f64(out), accumulate);
      case I64 -> plainI64(op, i64(x), outer, length, inner, i64(out), accumulate);
      case BOOL -> throw unsupported(op, x.dtype());
    }
  }

  private void extremesF32(
      boolean max, float[] x, int outer, int length, int inner, float[] out, boolean add) {
    if (outer > 1 && parallel.splits((long) outer * length * inner)) {
      parallel.ranges(
          outer,
          length * inner,
          (lo, hi) -> {
            for (int o = lo; o < hi; o++) {
              extremesAt(max, x, o, length, inner, out, add);
            }
          });
    } else {
      for (int o = 0; o < outer; o++) {
        extremesAt(max, x, o, length, inner, out, add);
      }
    }
  }

  private static void extremesAt(
      boolean max, float[] x, int o, int length, int inner, float[] out, boolean add) {
    int base = o * length * inner;
    for (int i = 0; i < inner; i++) {
      float m;
      if (inner == 1) {
        m = max ? max(x, base, base + length) : min(x, base, base + length);
      } else {
        m = x[base + i];
        for (int j = 1, q = base + i + inner; j < length; j++, q += inner) {
          m = max ? Math.max(m, x[q]) : Math.min(m, x[q]);
        }
      }
      int at = o * inner + i;
      out[at] = add ? out[at] + m : m;
    }
  }

  /** The greatest of {@code x[lo]} to {@code x[hi - 1]}; NaN if one is NaN. */
  static float max(float[] x, int lo, int hi) {
    float m = x[lo];
    for (int i = lo; i < hi; i++) {
      // Taken a few times a row: cheaper than Math.max, which stands for NaN and zeros each time.
      if (!(x[i] <= m)) {
        m = x[i];
        if (Float.isNaN(m)) {
          return m;
        }
      }
    }
    for (int i = lo; i < hi && m == 0; i++) {
      if (x[i] == 0) {
        m = Math.max(m, x[i]);
      }
    }
    return m;
  }

  private static float min(float[] x, int lo, int hi) {
    float m = x[lo];
    for (int i = lo + 1; i < hi; i++) {
      m = Math.min(m, x[i]);
    }
    return m;
  }

  private static void plainF64(
      ReduceOp op, double[] x, int outer, int length, int inner, double[] out, boolean add) {
    double[] row = new double[inner];
    for (int o = 0; o < outer; o++) {
      for (int j = 0; j < length; j++) {
        int base = (o * length + j) * inner;
        for (int i = 0; i < inner; i++) {
          double v = x[base + i];
          row[i] = j == 0 ? v : combine(op, row[i], v);
        }
      }
      for (int i = 0; i < inner; i++) {
        double v = length == 0 ? 0 : row[i];
        int at = o * inner + i;
        out[at] = add ? out[at] + v : v;
      }
    }
  }

  private static double combine(ReduceOp op, double a, double b) {
    return switch (op) {
      case SUM -> a + b;
      case MAX -> Math.max(a, b);
      case MIN -> Math.min(a, b);
    };
  }

  private static void plainI64(
      ReduceOp op, long[] x, int outer, int length, int inner, long[] out, boolean add) {
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < inner; i++) {
        long s = 0;
        for (int j = 0; j < length; j++) {
          long v = x[(o * length + j) * inner + i];
          s = j == 0 ? v : combine(op, s, v);
        }
        int at = o * inner + i;
        out[at] = add ? out[at] + s : s;
      }
    }
  }

  private static long combine(ReduceOp op, long a, long b) {
    return switch (op) {
      case SUM -> a + b;
      case MAX -> Math.max(a, b);
      case MIN -> Math.min(a, b);
    };
  }

  void arg(boolean greatest, Storage x, Axis axis, Storage out) {
    int outer = (int) axis.outer();
    int length = (int) axis.length();
    int inner = (int) axis.inner();
    long[] o = i64(out);
    switch (x.dtype()) {
      case F32 -> argF32(greatest, f32(x), outer, length, inner, o);
      case F64 -> argF64(greatest, f64(x), outer, length, inner, o);
      case I64 -> argI64(greatest, i64(x), outer, length, inner, o);
      case BOOL -> throw unsupported(greatest ? "argmax" : "argmin", x.dtype());
    }
  }

  private static void argF32(
      boolean greatest, float[] x, int outer, int length, int inner, long[] out) {
    for (int at = 0; at < outer * inner; at++) {
      int base = at / inner * length * inner + at % inner;
      int best = 0;
      float m = x[base];
      for (int j = 1; j < length && !Float.isNaN(m); j++) {
        float v = x[base + j * inner];
        if ((greatest ? v > m : v < m) || Float.isNaN(v)) {
          m = v;
          best = j;
        }
      }
      out[at] = best;
    }
  }

  private static void argF64(
      boolean greatest, double[] x, int outer, int length, int inner, long[] out) {
    for (int at = 0; at < outer * inner; at++) {
      int base = at / inner * length * inner + at % inner;
      int best = 0;
      double m = x[base];
      for (int j = 1; j < length && !Double.isNaN(m); j++) {
        double v = x[base + j * inner];
        if ((greatest ? v > m : v < m) || Double.isNaN(v)) {
          m = v;
          best = j;
        }
      }
      out[at] = best;
    }
  }

  private static void argI64(
      boolean greatest, long[] x, int outer, int length, int inner, long[] out) {
    for (int at = 0; at < outer * inner; at++) {
      int base = at / inner * length * inner + at % inner;
      int best = 0;
      for (int j = 1; j < length; j++) {
        long v = x[base + j * inner];
        long m = x[base + best * inner];
        if (greatest ? v > m : v < m) {
          best = j;
        }
      }
      out[at] = best;
    }
  }
}
