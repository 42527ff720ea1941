package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.bool;
import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.i64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;

/**
 * Elementwise operations of every type: sends float32 to its loops, and has those of the others.
 */
final class Elementwise {
  private final Parallel parallel;
  private final UnaryF32 unaryF32;
  private final UnaryGradF32 unaryGradF32;
  private final BinaryF32 binaryF32;

  Elementwise(Parallel parallel, boolean fma, MathF32 math) {
    this.parallel = parallel;
    this.unaryF32 = new UnaryF32(parallel, math);
    this.unaryGradF32 = new UnaryGradF32(parallel, math);
    this.binaryF32 = new BinaryF32(parallel, fma);
  }

  void unary(UnaryOp op, Storage x, Storage out, double a, double b) {
    DType dtype = out.dtype();
    switch (dtype) {
      case F32 -> {
        float[] o = f32(out);
        unaryF32.run(op, f32(x), o, o.length, a, b);
      }
      case F64 -> unaryF64(op, f64(x), f64(out), a, b);
      case I64 -> unaryI64(op, i64(x), i64(out), a, b);
      case BOOL -> throw unsupported(op, dtype);
    }
  }

  private void unaryF64(UnaryOp op, double[] x, double[] out, double a, double b) {
    if (parallel.splits(out.length)) {
      parallel.ranges(out.length, 1, (lo, hi) -> unaryF64(op, x, out, lo, hi, a, b));
    } else {
      unaryF64(op, x, out, 0, out.length, a, b);
    }
  }

  private static void unaryF64(
      UnaryOp op, double[] x, double[] out, int lo, int hi, double a, double b) {
    for (int i = lo; i < hi; i++) {
      out[i] = Scalars.unary(op, x[i], a, b);
    }
  }

  private static void unaryI64(UnaryOp op, long[] x, long[] out, double a, double b) {
    long p = (long) a;
    long q = (long) b;
    switch (op) {
      case NEG, ABS, ADD_SCALAR, MUL_SCALAR, CLAMP -> {
        for (int i = 0; i < out.length; i++) {
          long v = x[i];
          out[i] =
              switch (op) {
                case NEG -> -v;
                case ABS -> Math.abs(v);
                case ADD_SCALAR -> v + p;
                case MUL_SCALAR -> v * p;
                default -> Math.min(Math.max(v, p), q);
              };
        }
      }
      default -> throw unsupported(op, DType.I64);
    }
  }

  void unaryGrad(UnaryOp op, Storage grad, Storage saved, Storage out, double a, double b) {
    DType dtype = out.dtype();
    switch (dtype) {
      case F32 -> {
        float[] o = f32(out);
        unaryGradF32.run(op, f32(grad), f32(saved), o, o.length, a, b);
      }
      case F64 -> {
        double[] g = f64(grad);
        double[] s = f64(saved);
        double[] o = f64(out);
        for (int i = 0; i < o.length; i++) {
          o[i] = Scalars.unaryGrad(op, g[i], s[i], a, b);
        }
      }
      case I64, BOOL ->
          throw unsupported(
              "the gradient of " + op.name().toLowerCase(java.util.Locale.ROOT), dtype);
    }
  }

  void binary(BinaryOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out, double a) {
    DType dtype = out.dtype();
    switch (dtype) {
      case F32 -> {
        float[] o = f32(out);
        binaryF32.run(op, f32(x), xs, f32(y), ys, o, o.length, a);
      }
      case F64 -> binaryF64(op, f64(x), xs, f64(y), ys, f64(out), a);
      case I64 -> binaryI64(op, i64(x), xs, i64(y), ys, i64(out));
      case BOOL -> throw unsupported(op, dtype);
    }
  }

  private static void binaryF64(
      BinaryOp op, double[] x, Spread xs, double[] y, Spread ys, double[] out, double a) {
    int n = out.length;
    for (int i = 0; i < n; i++) {
      double p = x[Spreads.index(xs, i, x.length, n)];
      double q = y[Spreads.index(ys, i, y.length, n)];
      out[i] = Scalars.binary(op, p, q, a);
    }
  }

  private static void binaryI64(BinaryOp op, long[] x, Spread xs, long[] y, Spread ys, long[] out) {
    int n = out.length;
    switch (op) {
      case ADD, SUB, MUL, MAXIMUM, MINIMUM -> {
        for (int i = 0; i < n; i++) {
          long p = x[Spreads.index(xs, i, x.length, n)];
          long q = y[Spreads.index(ys, i, y.length, n)];
          out[i] =
              switch (op) {
                case ADD -> p + q;
                case SUB -> p - q;
                case MUL -> p * q;
                case MAXIMUM -> Math.max(p, q);
                default -> Math.min(p, q);
              };
        }
      }
      default -> throw unsupported(op, DType.I64);
    }
  }

  void compare(CompareOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out) {
    byte[] o = bool(out);
    int n = o.length;
    int xn = (int) x.numel();
    int yn = (int) y.numel();
    switch (x.dtype()) {
      case F32 -> {
        float[] p = f32(x);
        float[] q = f32(y);
        for (int i = 0; i < n; i++) {
          o[i] = holds(op, p[Spreads.index(xs, i, xn, n)], q[Spreads.index(ys, i, yn, n)]);
        }
      }
      case F64 -> {
        double[] p = f64(x);
        double[] q = f64(y);
        for (int i = 0; i < n; i++) {
          o[i] = holds(op, p[Spreads.index(xs, i, xn, n)], q[Spreads.index(ys, i, yn, n)]);
        }
      }
      case I64 -> {
        long[] p = i64(x);
        long[] q = i64(y);
        for (int i = 0; i < n; i++) {
          o[i] = holds(op, p[Spreads.index(xs, i, xn, n)], q[Spreads.index(ys, i, yn, n)]);
        }
      }
      case BOOL -> {
        byte[] p = bool(x);
        byte[] q = bool(y);
        for (int i = 0; i < n; i++) {
          long a = p[Spreads.index(xs, i, xn, n)];
          o[i] = holds(op, a, (long) q[Spreads.index(ys, i, yn, n)]);
        }
      }
    }
  }

  private static byte holds(CompareOp op, double x, double y) {
    boolean h =
        switch (op) {
          case EQ -> x == y;
          case NE -> x != y;
          case LT -> x < y;
          case LE -> x <= y;
          case GT -> x > y;
          case GE -> x >= y;
        };
    return h ? (byte) 1 : 0;
  }

  private static byte holds(CompareOp op, long x, long y) {
    boolean h =
        switch (op) {
          case EQ -> x == y;
          case NE -> x != y;
          case LT -> x < y;
          case LE -> x <= y;
          case GT -> x > y;
          case GE -> x >= y;
        };
    return h ? (byte) 1 : 0;
  }
}
