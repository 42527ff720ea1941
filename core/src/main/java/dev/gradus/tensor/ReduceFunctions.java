package dev.gradus.tensor;

import dev.gradus.spi.Axis;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;

/** Sums, extremes and their positions, along dimensions or over everything. */
final class ReduceFunctions {
  private ReduceFunctions() {}

  /** A dimension and what lies around it; of a scalar, its one element. */
  static Axis axis(Shape shape, int dim) {
    return shape.rank() == 0
        ? new Axis(1, 1, 1)
        : new Axis(shape.numel(0, dim), shape.dim(dim), shape.numel(dim + 1, shape.rank()));
  }

  /** The shape without these dimensions, or with size 1 in them. */
  private static Shape reduced(Shape shape, boolean[] named, boolean keepDims) {
    Shape s = shape;
    for (int d = shape.rank() - 1; d >= 0; d--) {
      s = !named[d] ? s : keepDims ? s.with(d, 1) : s.without(d);
    }
    return s;
  }

  // ---- sum

  /** The sum over these dimensions, all of them when none is named. */
  static Tensor sum(String who, Tensor x, int[] dims, boolean keepDims) {
    Checks.notBool(who, x);
    boolean[] named = Checks.axes(who, x.shape(), dims);
    Shape kept = reduced(x.shape(), named, true);
    Shape shape = keepDims ? kept : reduced(x.shape(), named, false);
    Tensor out = Tensor.born(x.device(), shape, x.dtype());
    Broadcasting.sumTo(x.device(), x.storage(), x.shape(), kept, out.storage(), false);
    return Function.wanted(x) ? Function.record(out, new Sum(x, kept)) : out;
  }

  private static final class Sum extends Function {
    private final Shape kept;

    Sum(Tensor x, Shape kept) {
      super("Sum", NOTHING, x);
      this.kept = kept;
    }

    @Override
    void backward(Storage grad) {
      Tensor x = input(0);
      give(0, out -> Broadcasting.expand(x.device(), grad, kept, x.shape(), out));
    }
  }

  // ---- composed of sums

  /** The mean over these dimensions, all of them when none is named. */
  static Tensor mean(String who, Tensor x, int[] dims, boolean keepDims) {
    Checks.floating(who, x);
    Tensor sum = sum(who, x, dims, keepDims);
    return sum.div((double) summands(x, sum));
  }

  /** The variance over these dimensions, all of them when none is named. */
  static Tensor var(Tensor x, int[] dims, int correction, boolean keepDims) {
    Tensor centred = x.sub(mean("var", x, dims, true));
    Tensor sum = sum("var", centred.mul(centred), dims, keepDims);
    return sum.div((double) Math.max(0, summands(x, sum) - correction));
  }

  private static long summands(Tensor x, Tensor sum) {
    return x.numel() / Math.max(1, sum.numel());
  }

  // ---- max and min

  /** The extreme over these dimensions, one after another, all of them when none is named. */
  static Tensor extremum(boolean greatest, Tensor x, int[] dims, boolean keepDims) {
    String who = greatest ? "max" : "min";
    Checks.notBool(who, x);
    boolean[] named = Checks.axes(who, x.shape(), dims);
    Tensor kept = x;
    for (int d = named.length - 1; d >= 0; d--) {
      kept = named[d] ? extremum(greatest, kept, d, true) : kept;
    }
    return keepDims ? kept : kept.reshape(reduced(x.shape(), named, false).toArray());
  }

  /** The extreme of all elements; equal ones share the gradient. */
  static Tensor extremum(boolean greatest, Tensor x) {
    String who = greatest ? "max" : "min";
    Checks.notBool(who, x);
    Checks.notEmpty(who, x.shape(), x.numel());
    Tensor out = Tensor.born(x.device(), Shape.scalar(), x.dtype());
    x.device()
        .backend()
        .reduce(
            greatest ? ReduceOp.MAX : ReduceOp.MIN,
            x.storage(),
            new Axis(1, x.numel(), 1),
            out.storage(),
            false);
    return Function.wanted(x) ? Function.record(out, new Extremum(greatest, x)) : out;
  }

  private static final class Extremum extends Function {
    Extremum(boolean greatest, Tensor x) {
      super(greatest ? "Max" : "Min", 1 | OUTPUT, x);
    }

    @Override
    void backward(Storage grad) {
      Tensor x = input(0);
      long n = x.numel();
      Storage mask = memory().allocate(DType.BOOL, n);
      Storage equal = memory().allocate(x.dtype(), n);
      Storage count = memory().allocate(x.dtype(), 1);
      extremes(mask);
      backend().cast(mask, equal);
      backend().reduce(ReduceOp.SUM, equal, new Axis(1, n, 1), count, false);
      backend().binary(BinaryOp.DIV, grad, Spread.FULL, count, Spread.FULL, count, 0);
      give(
          0,
          out -> backend().binary(BinaryOp.MUL, equal, Spread.FULL, count, Spread.SCALAR, out, 0));
      memory().recycle(count);
      memory().recycle(equal);
      memory().recycle(mask);
    }

    /** Where the elements equal the extreme; where it is NaN, those that are NaN. */
    private void extremes(Storage mask) {
      Storage nan = memory().allocate(DType.BOOL, mask.numel());
      backend().compare(CompareOp.EQ, saved(0), Spread.FULL, savedOutput(), Spread.SCALAR, mask);
      backend().compare(CompareOp.NE, saved(0), Spread.FULL, saved(0), Spread.FULL, nan);
      backend().ternary(TernaryOp.WHERE, nan, nan, mask, mask, 0);
      memory().recycle(nan);
    }
  }

  /** The extreme along a dimension; the first of equal ones takes the gradient. */
  static Tensor extremum(boolean greatest, Tensor x, int dim, boolean keepDim) {
    String who = greatest ? "max" : "min";
    Checks.notBool(who, x);
    Axis axis = axis(x.shape(), Checks.axisOrScalar(who, x.shape(), dim));
    Checks.notEmpty(who, x.shape(), axis.length());
    Shape shape = reduced(x.shape(), Checks.axes(who, x.shape(), new int[] {dim}), keepDim);
    Tensor out = Tensor.born(x.device(), shape, x.dtype());
    x.device()
        .backend()
        .reduce(greatest ? ReduceOp.MAX : ReduceOp.MIN, x.storage(), axis, out.storage(), false);
    return Function.wanted(x) ? Function.record(out, new ExtremumAlong(greatest, x, axis)) : out;
  }

  private static final class ExtremumAlong extends Function {
    private final boolean greatest;
    private final Axis axis;

    ExtremumAlong(boolean greatest, Tensor x, Axis axis) {
      super(greatest ? "Max" : "Min", 1, x);
      this.greatest = greatest;
      this.axis = axis;
    }

    /** Where the position along the dimension is that of the extreme, the gradient; elsewhere 0. */
    @Override
    void backward(Storage grad) {
      Tensor x = input(0);
      long n = x.numel();
      long[] block = {axis.outer(), axis.length(), axis.inner()};
      long[] full = {axis.length() * axis.inner(), axis.inner(), 1};
      long[] reduced = {axis.inner(), 0, 1};
      Storage best = memory().allocate(DType.I64, axis.reduced());
      Storage bestFull = memory().allocate(DType.I64, n);
      Storage gradFull = memory().allocate(x.dtype(), n);
      Storage zero = memory().allocate(x.dtype(), 1);
      Storage mask = memory().allocate(DType.BOOL, n);
      Storage position = memory().allocate(DType.I64, n);
      try (Tensor positions = x.device().arange(axis.length())) {
        long[] along = {0, 1, 0};
        backend().copyStrided(block, positions.storage(), 0, along, position, 0, full);
      }
      backend().argReduce(greatest, saved(0), axis, best);
      backend().copyStrided(block, best, 0, reduced, bestFull, 0, full);
      backend().copyStrided(block, grad, 0, reduced, gradFull, 0, full);
      backend().compare(CompareOp.EQ, position, Spread.FULL, bestFull, Spread.FULL, mask);
      backend().fill(zero, 0);
      give(0, out -> backend().ternary(TernaryOp.WHERE, mask, gradFull, zero, out, 0));
      for (Storage s : new Storage[] {best, bestFull, gradFull, zero, mask, position}) {
        memory().recycle(s);
      }
    }
  }

  /** The position of the extreme along a dimension: int64, without a gradient. */
  static Tensor argExtremum(boolean greatest, Tensor x, int dim, boolean keepDim) {
    String who = greatest ? "argmax" : "argmin";
    Checks.notBool(who, x);
    Axis axis = axis(x.shape(), Checks.axisOrScalar(who, x.shape(), dim));
    Checks.notEmpty(who, x.shape(), axis.length());
    Shape shape = reduced(x.shape(), Checks.axes(who, x.shape(), new int[] {dim}), keepDim);
    Tensor out = Tensor.born(x.device(), shape, DType.I64);
    x.device().backend().argReduce(greatest, x.storage(), axis, out.storage());
    return out;
  }

  /** The position of the extreme of all elements, counted row by row. */
  static Tensor argExtremum(boolean greatest, Tensor x) {
    String who = greatest ? "argmax" : "argmin";
    Checks.notBool(who, x);
    Checks.notEmpty(who, x.shape(), x.numel());
    Tensor out = Tensor.born(x.device(), Shape.scalar(), DType.I64);
    Axis all = new Axis(1, x.numel(), 1);
    x.device().backend().argReduce(greatest, x.storage(), all, out.storage());
    return out;
  }
}
