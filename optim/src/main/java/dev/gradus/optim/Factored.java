package dev.gradus.optim;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.List;

/** {@link Adafactor}'s update of one parameter. Nothing in it waits for the device. */
final class Factored implements AutoCloseable {
  private static final double INF = Double.POSITIVE_INFINITY;

  private final Backend b;
  private final UpdateRule.Slot slot;
  private final long numel;

  /** The sizes as those of so many matrices; of a vector one row. */
  private final long matrices;

  private final long rows;
  private final long cols;

  /** The update, in memory that other parameters of this size use too. */
  private final Storage u;

  private final Storage ofRows;
  private final Storage ofCols;
  private final Storage ofMatrices;
  private final Storage length;
  private final Storage excess;
  private final Storage factor;

  /**
   * An update.
   *
   * @param shared of the parameter's type and size, overwritten by each step
   */
  Factored(Backend backend, UpdateRule.Slot slot, Storage shared) {
    this.b = backend;
    this.slot = slot;
    this.u = shared;
    Shape shape = slot.shape();
    numel = shape.numel();
    cols = shape.rank() > 0 ? shape.dim(-1) : 1;
    rows = shape.rank() > 1 ? shape.dim(-2) : 1;
    matrices = numel == 0 ? 0 : numel / (rows * cols);
    DType dtype = slot.param().dtype();
    ofRows = b.allocate(dtype, matrices * rows);
    ofCols = b.allocate(dtype, matrices * cols);
    ofMatrices = b.allocate(dtype, matrices);
    length = b.allocate(DType.F64, 1);
    excess = b.allocate(DType.F64, 1);
    factor = b.allocate(dtype, 1);
  }

  void move(Adafactor.Hyper h) {
    if (numel == 0) {
      return;
    }
    Adafactor.Options o = h.options();
    Storage p = slot.param();
    double eps1 = Double.isNaN(o.eps1()) ? epsilon(p.dtype()) : o.eps1();
    rootMeanSquare(p, Math.sqrt((double) numel), o.eps2(), length);
    if (o.weightDecay() != 0) {
      in(UnaryOp.MUL_SCALAR, p, 1 - o.lr() * o.weightDecay(), 0);
    }
    binary(BinaryOp.MUL, slot.grad(), slot.grad(), u, 0);
    if (slot.shape().rank() > 1) {
      factor(h.weight(), eps1);
    } else {
      Storage variance = slot.buffer(Adafactor.VARIANCE);
      binary(BinaryOp.LERP, variance, u, variance, h.weight());
      b.unary(UnaryOp.MUL_SCALAR, variance, u, 1, 0);
    }
    in(UnaryOp.CLAMP, u, eps1 * eps1, INF);
    in(UnaryOp.SQRT, u, 0, 0);
    in(UnaryOp.RDIV_SCALAR, u, 1, 0);
    binary(BinaryOp.MUL, u, slot.grad(), u, 0);
    rootMeanSquare(u, Math.sqrt((double) numel) * o.d(), 1, excess);
    in(UnaryOp.MUL_SCALAR, length, o.maximize() ? h.relative() : -h.relative(), 0);
    binary(BinaryOp.DIV, length, excess, length, 0);
    b.cast(length, factor);
    b.ternary(TernaryOp.ADDCMUL, p, factor, u, p, 1);
  }

  /** Means of squares by rows and columns, and from them the estimate for each element. */
  private void factor(double weight, double eps1) {
    Storage rowVar = slot.buffer(Adafactor.ROWS);
    Storage colVar = slot.buffer(Adafactor.COLS);
    mean(u, new Axis(matrices * rows, cols, 1), ofRows);
    binary(BinaryOp.LERP, rowVar, ofRows, rowVar, weight);
    mean(u, new Axis(matrices, rows, cols), ofCols);
    binary(BinaryOp.LERP, colVar, ofCols, colVar, weight);
    b.gemm(new Gemm(false, false, rows, cols, 1, matrices, rows, cols, false), rowVar, colVar, u);
    mean(rowVar, new Axis(matrices, rows, 1), ofMatrices);
    in(UnaryOp.CLAMP, ofMatrices, eps1, INF);
    b.binary(BinaryOp.DIV, u, Spread.FULL, ofMatrices, Spread.COLUMN, u, 0);
  }

  private void mean(Storage x, Axis axis, Storage out) {
    b.reduce(ReduceOp.SUM, x, axis, out, false);
    in(UnaryOp.DIV_SCALAR, out, (double) axis.length(), 0);
  }

  /** The Euclidean norm by a divisor, or what is the least. */
  private void rootMeanSquare(Storage x, double divisor, double least, Storage out) {
    b.sumPowers(List.of(x), 2, out);
    in(UnaryOp.SQRT, out, 0, 0);
    in(UnaryOp.DIV_SCALAR, out, divisor, 0);
    in(UnaryOp.CLAMP, out, least, INF);
  }

  private void in(UnaryOp op, Storage x, double a, double c) {
    b.unary(op, x, x, a, c);
  }

  private void binary(BinaryOp op, Storage x, Storage y, Storage out, double a) {
    b.binary(op, x, Spread.FULL, y, Spread.FULL, out, a);
  }

  private static double epsilon(DType dtype) {
    return dtype == DType.F32 ? Math.ulp(1f) : Math.ulp(1.0);
  }

  @Override
  public void close() {
    List.of(ofRows, ofCols, ofMatrices, length, excess, factor).forEach(b::free);
  }
}
