package dev.gradus.spi;

import dev.gradus.types.DType;
import java.nio.LongBuffer;
import java.util.List;

/**
 * The definitions of the fused operations: each composed of primitives, in the order of its
 * formula.
 */
final class Composed {
  private Composed() {}

  static void softmax(Backend b, boolean log, Storage x, Storage out, long rows, long cols) {
    Axis row = new Axis(rows, cols, 1);
    Storage perRow = b.allocate(x.dtype(), rows);
    Storage exp = b.allocate(x.dtype(), rows * cols);
    b.reduce(ReduceOp.MAX, x, row, perRow, false);
    b.binary(BinaryOp.SUB, x, Spread.FULL, perRow, Spread.COLUMN, out, 0);
    b.unary(UnaryOp.EXP, out, exp, 0, 0);
    b.reduce(ReduceOp.SUM, exp, row, perRow, false);
    if (log) {
      b.unary(UnaryOp.LOG, perRow, perRow, 0, 0);
      b.binary(BinaryOp.SUB, out, Spread.FULL, perRow, Spread.COLUMN, out, 0);
    } else {
      b.binary(BinaryOp.DIV, exp, Spread.FULL, perRow, Spread.COLUMN, out, 0);
    }
    b.free(exp);
    b.free(perRow);
  }

  static void softmaxGrad(
      Backend b, boolean log, Storage grad, Storage y, Storage out, long rows, long cols) {
    Axis row = new Axis(rows, cols, 1);
    Storage perRow = b.allocate(y.dtype(), rows);
    Storage t = b.allocate(y.dtype(), rows * cols);
    if (log) {
      b.reduce(ReduceOp.SUM, grad, row, perRow, false);
      b.unary(UnaryOp.EXP, y, t, 0, 0);
      b.binary(BinaryOp.MUL, t, Spread.FULL, perRow, Spread.COLUMN, t, 0);
      b.binary(BinaryOp.SUB, grad, Spread.FULL, t, Spread.FULL, out, 0);
    } else {
      b.binary(BinaryOp.MUL, grad, Spread.FULL, y, Spread.FULL, t, 0);
      b.reduce(ReduceOp.SUM, t, row, perRow, false);
      b.binary(BinaryOp.SUB, grad, Spread.FULL, perRow, Spread.COLUMN, t, 0);
      b.binary(BinaryOp.MUL, t, Spread.FULL, y, Spread.FULL, out, 0);
    }
    b.free(t);
    b.free(perRow);
  }

  static void normalize(
      Backend b, Storage x, Storage out, Storage rstd, long rows, long cols, double eps) {
    Axis row = new Axis(rows, cols, 1);
    Storage t = b.allocate(x.dtype(), rows * cols);
    b.reduce(ReduceOp.SUM, x, row, rstd, false);
    b.unary(UnaryOp.DIV_SCALAR, rstd, rstd, (double) cols, 0);
    b.binary(BinaryOp.SUB, x, Spread.FULL, rstd, Spread.COLUMN, t, 0);
    b.binary(BinaryOp.MUL, t, Spread.FULL, t, Spread.FULL, out, 0);
    b.reduce(ReduceOp.SUM, out, row, rstd, false);
    b.unary(UnaryOp.DIV_SCALAR, rstd, rstd, (double) cols, 0);
    b.unary(UnaryOp.ADD_SCALAR, rstd, rstd, eps, 0);
    b.unary(UnaryOp.SQRT, rstd, rstd, 0, 0);
    b.unary(UnaryOp.RDIV_SCALAR, rstd, rstd, 1, 0);
    b.binary(BinaryOp.MUL, t, Spread.FULL, rstd, Spread.COLUMN, out, 0);
    b.free(t);
  }

  static void normalizeGrad(
      Backend b, Storage grad, Storage y, Storage rstd, Storage out, long rows, long cols) {
    Axis row = new Axis(rows, cols, 1);
    Storage perRow = b.allocate(y.dtype(), rows);
    Storage t = b.allocate(y.dtype(), rows * cols);
    Storage centred = b.allocate(y.dtype(), rows * cols);
    b.reduce(ReduceOp.SUM, grad, row, perRow, false);
    b.unary(UnaryOp.DIV_SCALAR, perRow, perRow, (double) cols, 0);
    b.binary(BinaryOp.SUB, grad, Spread.FULL, perRow, Spread.COLUMN, centred, 0);
    b.binary(BinaryOp.MUL, grad, Spread.FULL, y, Spread.FULL, t, 0);
    b.reduce(ReduceOp.SUM, t, row, perRow, false);
    b.unary(UnaryOp.DIV_SCALAR, perRow, perRow, (double) cols, 0);
    b.binary(BinaryOp.MUL, y, Spread.FULL, perRow, Spread.COLUMN, t, 0);
    b.binary(BinaryOp.SUB, centred, Spread.FULL, t, Spread.FULL, t, 0);
    b.binary(BinaryOp.MUL, t, Spread.FULL, rstd, Spread.COLUMN, out, 0);
    b.free(centred);
    b.free(t);
    b.free(perRow);
  }

  static void nll(
      Backend b,
      Storage logp,
      Storage targets,
      Storage out,
      long rows,
      long cols,
      double smoothing,
      long ignore) {
    Axis row = new Axis(rows, cols, 1);
    Storage mask = classMask(b, targets, rows, cols);
    Storage zero = b.allocate(logp.dtype(), 1);
    Storage t = b.allocate(logp.dtype(), rows * cols);
    b.fill(zero, 0);
    b.ternary(TernaryOp.WHERE, mask, logp, zero, t, 0);
    b.reduce(ReduceOp.SUM, t, row, out, false);
    b.unary(UnaryOp.MUL_SCALAR, out, out, smoothing - 1, 0);
    if (smoothing != 0) {
      Storage mean = b.allocate(logp.dtype(), rows);
      b.reduce(ReduceOp.SUM, logp, row, mean, false);
      b.binary(BinaryOp.ADD_SCALED, out, Spread.FULL, mean, Spread.FULL, out, -smoothing / cols);
      b.free(mean);
    }
    zeroIgnored(b, targets, ignore, out, rows);
    b.free(t);
    b.free(zero);
    b.free(mask);
  }

  static void nllGrad(
      Backend b,
      Storage grad,
      Storage targets,
      Storage out,
      long rows,
      long cols,
      double smoothing,
      long ignore) {
    Storage mask = classMask(b, targets, rows, cols);
    Storage hit = b.allocate(grad.dtype(), 1);
    Storage miss = b.allocate(grad.dtype(), 1);
    Storage counted = b.allocate(grad.dtype(), rows);
    b.fill(hit, smoothing - 1 - smoothing / cols);
    b.fill(miss, -smoothing / cols);
    b.ternary(TernaryOp.WHERE, mask, hit, miss, out, 0);
    b.copyStrided(new long[] {rows}, grad, 0, new long[] {1}, counted, 0, new long[] {1});
    zeroIgnored(b, targets, ignore, counted, rows);
    b.binary(BinaryOp.MUL, out, Spread.FULL, counted, Spread.COLUMN, out, 0);
    b.free(counted);
    b.free(miss);
    b.free(hit);
    b.free(mask);
  }

  static void sumPowers(Backend b, List<Storage> xs, double p, Storage out) {
    long[] one = {1};
    boolean greatest = Double.isInfinite(p);
    Storage result = b.allocate(DType.F64, 1);
    b.fill(out, 0);
    for (int i = 0; i < xs.size(); i++) {
      long n = xs.get(i).numel();
      if (n > 0) {
        Storage t = b.allocate(DType.F64, n);
        b.cast(xs.get(i), t);
        b.unary(UnaryOp.ABS, t, t, 0, 0);
        if (!greatest) {
          b.unary(UnaryOp.POW_SCALAR, t, t, p, 0);
        }
        ReduceOp op = greatest ? ReduceOp.MAX : ReduceOp.SUM;
        b.reduce(op, t, new Axis(1, n, 1), result, false);
        b.copyStrided(one, result, 0, one, out, i, one);
        b.free(t);
      }
    }
    b.free(result);
  }

  /** True at (row, class) where the row's target is that class. */
  private static Storage classMask(Backend b, Storage targets, long rows, long cols) {
    Storage classes = b.allocate(DType.I64, cols);
    Storage mask = b.allocate(DType.BOOL, rows * cols);
    long[] ids = new long[(int) cols];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = i;
    }
    b.upload(LongBuffer.wrap(ids), classes);
    b.compare(CompareOp.EQ, classes, Spread.ROW, targets, Spread.COLUMN, mask);
    b.free(classes);
    return mask;
  }

  private static void zeroIgnored(
      Backend b, Storage targets, long ignore, Storage perRow, long rows) {
    Storage id = b.allocate(DType.I64, 1);
    Storage zero = b.allocate(perRow.dtype(), 1);
    Storage ignored = b.allocate(DType.BOOL, rows);
    b.upload(LongBuffer.wrap(new long[] {ignore}), id);
    b.fill(zero, 0);
    b.compare(CompareOp.EQ, targets, Spread.FULL, id, Spread.SCALAR, ignored);
    b.ternary(TernaryOp.WHERE, ignored, zero, perRow, perRow, 0);
    b.free(ignored);
    b.free(zero);
    b.free(id);
  }
}
