package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.bool;
import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.i64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.types.DType;

/** Elementwise operations on three operands; one of a single element has the step 0. */
final class Ternary {
  /** The least divisor in the gradient of a binary cross-entropy. */
  private static final double LEAST_SPREAD = 1e-12;

  private final Parallel parallel;
  private final boolean fma;

  Ternary(Parallel parallel, boolean fma) {
    this.parallel = parallel;
    this.fma = fma;
  }

  void run(TernaryOp op, Storage x, Storage y, Storage z, Storage out, double a) {
    if (op == TernaryOp.WHERE) {
      where(bool(x), y, z, out);
      return;
    }
    DType dtype = out.dtype();
    switch (dtype) {
      case F32 -> {
        float[] o = f32(out);
        float[] p = f32(x);
        float[] q = f32(y);
        float[] r = f32(z);
        if (parallel.splits(o.length)) {
          parallel.ranges(o.length, 1, (lo, hi) -> range(op, p, q, r, o, lo, hi, (float) a));
        } else {
          range(op, p, q, r, o, 0, o.length, (float) a);
        }
      }
      case F64 -> plain(op, f64(x), f64(y), f64(z), f64(out), a);
      case I64, BOOL -> throw unsupported(op, dtype);
    }
  }

  private static int step(int length) {
    return length == 1 ? 0 : 1;
  }

  private static void where(byte[] mask, Storage y, Storage z, Storage out) {
    int ms = step(mask.length);
    int ys = step((int) y.numel());
    int zs = step((int) z.numel());
    switch (out.dtype()) {
      case F32 -> {
        float[] p = f32(y);
        float[] q = f32(z);
        float[] o = f32(out);
        for (int i = 0; i < o.length; i++) {
          o[i] = mask[i * ms] != 0 ? p[i * ys] : q[i * zs];
        }
      }
      case F64 -> {
        double[] p = f64(y);
        double[] q = f64(z);
        double[] o = f64(out);
        for (int i = 0; i < o.length; i++) {
          o[i] = mask[i * ms] != 0 ? p[i * ys] : q[i * zs];
        }
      }
      case I64 -> {
        long[] p = i64(y);
        long[] q = i64(z);
        long[] o = i64(out);
        for (int i = 0; i < o.length; i++) {
          o[i] = mask[i * ms] != 0 ? p[i * ys] : q[i * zs];
        }
      }
      case BOOL -> {
        byte[] p = bool(y);
        byte[] q = bool(z);
        byte[] o = bool(out);
        for (int i = 0; i < o.length; i++) {
          o[i] = mask[i * ms] != 0 ? p[i * ys] : q[i * zs];
        }
      }
    }
  }

  private void range(
      TernaryOp op, float[] x, float[] y, float[] z, float[] out, int lo, int hi, float a) {
    int n = out.length;
    boolean full = fma && x.length == n && y.length == n && z.length == n;
    if (full && op == TernaryOp.ADDCMUL) {
      addcmul(x, y, z, out, lo, hi, a);
    } else if (full && op == TernaryOp.ADDCDIV) {
      addcdiv(x, y, z, out, lo, hi, a);
    } else {
      int xs = step(x.length);
      int ys = step(y.length);
      int zs = step(z.length);
      for (int i = lo; i < hi; i++) {
        float p = x[i * xs];
        float q = y[i * ys];
        float r = z[i * zs];
        out[i] =
            switch (op) {
              case ADDCMUL -> Scalars.multiplyAdd(a * q, r, p, fma);
              case ADDCDIV -> p + (a * q) / r;
              case MAX_GRAD -> q < r ? 0f : q == r ? 0.5f * p : p;
              case BCE_GRAD -> p * (q - r) / Math.max((1 - q) * q, (float) LEAST_SPREAD);
              case WHERE -> throw new AssertionError(op);
            };
      }
    }
  }

  private static void addcmul(
      float[] x, float[] y, float[] z, float[] out, int lo, int hi, float a) {
    for (int i = lo; i < hi; i++) {
      out[i] = Math.fma(a * y[i], z[i], x[i]);
    }
  }

  private static void addcdiv(
      float[] x, float[] y, float[] z, float[] out, int lo, int hi, float a) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] + (a * y[i]) / z[i];
    }
  }

  private static void plain(
      TernaryOp op, double[] x, double[] y, double[] z, double[] out, double a) {
    int xs = step(x.length);
    int ys = step(y.length);
    int zs = step(z.length);
    for (int i = 0; i < out.length; i++) {
      double p = x[i * xs];
      double q = y[i * ys];
      double r = z[i * zs];
      out[i] =
          switch (op) {
            case ADDCMUL -> Math.fma(a * q, r, p);
            case ADDCDIV -> p + (a * q) / r;
            case MAX_GRAD -> q < r ? 0 : q == r ? 0.5 * p : p;
            case BCE_GRAD -> p * (q - r) / Math.max((1 - q) * q, LEAST_SPREAD);
            case WHERE -> throw new AssertionError(op);
          };
    }
  }
}
