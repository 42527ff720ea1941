package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.i64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;

/** Fused operations along rows: the choice of the type, and the split of rows over threads. */
final class Rows {
  /** What an element with an exponential costs, in cheap elements. */
  private static final int EXP_WORK = 4;

  private final Parallel parallel;
  private final MathF32 math;

  Rows(Parallel parallel, MathF32 math) {
    this.parallel = parallel;
    this.math = math;
  }

  private boolean splits(int rows, int cols, int work) {
    return rows > 1 && parallel.splits((long) rows * cols * work);
  }

  private static void requireFloating(String op, DType dtype) {
    if (!dtype.isFloating()) {
      throw unsupported(op, dtype);
    }
  }

  void softmax(boolean log, Storage x, Storage out, int rows, int cols) {
    requireFloating(log ? "log_softmax" : "softmax", x.dtype());
    if (splits(rows, cols, EXP_WORK)) {
      parallel.ranges(rows, cols * EXP_WORK, (lo, hi) -> softmax(log, x, out, cols, lo, hi));
    } else {
      softmax(log, x, out, cols, 0, rows);
    }
  }

  private void softmax(boolean log, Storage x, Storage out, int cols, int lo, int hi) {
    if (x.dtype() == DType.F32 && log) {
      RowsF32.logSoftmax(math, f32(x), f32(out), cols, lo, hi);
    } else if (x.dtype() == DType.F32) {
      RowsF32.softmax(math, f32(x), f32(out), cols, lo, hi);
    } else {
      RowsF64.softmax(log, f64(x), f64(out), cols, lo, hi);
    }
  }

  void softmaxGrad(boolean log, Storage g, Storage y, Storage out, int rows, int cols) {
    requireFloating("the gradient of softmax", y.dtype());
    int work = log ? EXP_WORK : 2;
    if (splits(rows, cols, work)) {
      parallel.ranges(rows, cols * work, (lo, hi) -> softmaxGrad(log, g, y, out, cols, lo, hi));
    } else {
      softmaxGrad(log, g, y, out, cols, 0, rows);
    }
  }

  private void softmaxGrad(
      boolean log, Storage g, Storage y, Storage out, int cols, int lo, int hi) {
    if (y.dtype() == DType.F32 && log) {
      RowsF32.logSoftmaxGrad(math, f32(g), f32(y), f32(out), cols, lo, hi);
    } else if (y.dtype() == DType.F32) {
      RowsF32.softmaxGrad(f32(g), f32(y), f32(out), cols, lo, hi);
    } else {
      RowsF64.softmaxGrad(log, f64(g), f64(y), f64(out), cols, lo, hi);
    }
  }

  void normalize(Storage x, Storage out, Storage rstd, int rows, int cols, double eps) {
    requireFloating("normalize", x.dtype());
    if (splits(rows, cols, 2)) {
      parallel.ranges(rows, cols * 2, (lo, hi) -> normalize(x, out, rstd, cols, eps, lo, hi));
    } else {
      normalize(x, out, rstd, cols, eps, 0, rows);
    }
  }

  private static void normalize(
      Storage x, Storage out, Storage rstd, int cols, double eps, int lo, int hi) {
    if (x.dtype() == DType.F32) {
      RowsF32.normalize(f32(x), f32(out), f32(rstd), cols, eps, lo, hi);
    } else {
      RowsF64.normalize(f64(x), f64(out), f64(rstd), cols, eps, lo, hi);
    }
  }

  void normalizeGrad(Storage g, Storage y, Storage rstd, Storage out, int rows, int cols) {
    requireFloating("the gradient of normalize", y.dtype());
    if (splits(rows, cols, 2)) {
      parallel.ranges(rows, cols * 2, (lo, hi) -> normalizeGrad(g, y, rstd, out, cols, lo, hi));
    } else {
      normalizeGrad(g, y, rstd, out, cols, 0, rows);
    }
  }

  private static void normalizeGrad(
      Storage g, Storage y, Storage rstd, Storage out, int cols, int lo, int hi) {
    if (y.dtype() == DType.F32) {
      RowsF32.normalizeGrad(f32(g), f32(y), f32(rstd), f32(out), cols, lo, hi);
    } else {
      RowsF64.normalizeGrad(f64(g), f64(y), f64(rstd), f64(out), cols, lo, hi);
    }
  }

  void nll(
      Storage logp,
      Storage targets,
      Storage out,
      int rows,
      int cols,
      double smoothing,
      long ignore) {
    requireFloating("nll", logp.dtype());
    long[] t = i64(targets);
    if (logp.dtype() == DType.F32) {
      RowsF32.nll(f32(logp), t, f32(out), cols, smoothing, ignore, 0, rows);
    } else {
      RowsF64.nll(f64(logp), t, f64(out), cols, smoothing, ignore, 0, rows);
    }
  }

  void nllGrad(
      Storage g, Storage targets, Storage out, int rows, int cols, double smoothing, long ignore) {
    requireFloating("the gradient of nll", g.dtype());
    if (splits(rows, cols, 1)) {
      parallel.ranges(
          rows, cols, (lo, hi) -> nllGrad(g, targets, out, cols, smoothing, ignore, lo, hi));
    } else {
      nllGrad(g, targets, out, cols, smoothing, ignore, 0, rows);
    }
  }

  private static void nllGrad(
      Storage g,
      Storage targets,
      Storage out,
      int cols,
      double smoothing,
      long ignore,
      int lo,
      int hi) {
    if (g.dtype() == DType.F32) {
      RowsF32.nllGrad(f32(g), i64(targets), f32(out), cols, smoothing, ignore, lo, hi);
    } else {
      RowsF64.nllGrad(f64(g), i64(targets), f64(out), cols, smoothing, ignore, lo, hi);
    }
  }
}
