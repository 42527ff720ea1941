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

  static Axis axis(Shape shape, int dim) {
    return new Axis(shape.numel(0, dim), shape.dim(dim), shape.numel(dim + 1, shape.rank()));
  }

  // ---- sum

  /** The sum over these dimensions, all of them when none is named. */
  static Tensor sum(Tensor x, int[] dims, boolean keepDim) {
    Checks.notBool("sum", x);
    Shape kept = x.shape();
    boolean[] reduced = new boolean[kept.rank()];
    for (int d : dims) {
      reduced[Checks.axis("sum", x.shape(), d)] = true;
    }
    for (int d = 0; d < reduced.length; d++) {
      kept = reduced[d] || dims.length == 0 ? kept.with(d, 1) : kept;
    }
    Tensor out =
        Tensor.born(
            x.device(), keepDim ? kept : dropped(kept, reduced, dims.length == 0), x.dtype());
    Broadcasting.sumTo(x.device(), x.storage(), x.shape(), kept, out.storage(), false);
    return Function.wanted(x) ? Function.record(out, new Sum(x, kept)) : out;
  }

  private static Shape dropped(Shape kept, boolean[] reduced, boolean all) {
    Shape s = kept;
    for (int d = reduced.length - 1; d >= 0; d--) {
      s = reduced[d] || all ? s.without(d) : s;
    }
    return s;
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

  // ---- max and min

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
      backend().compare(CompareOp.EQ, saved(0), Spread.FULL, savedOutput(), Spread.SCALAR, mask);
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
  }

  /** The extreme along a dimension; the first of equal ones takes the gradient. */
  static Tensor extremum(boolean greatest, Tensor x, int dim, boolean keepDim) {
    String who = greatest ? "max" : "min";
    Checks.notBool(who, x);
    int d = Checks.axis(who, x.shape(), dim);
    Checks.notEmpty(who, x.shape(), x.shape().dim(d));
    Shape shape = keepDim ? x.shape().with(d, 1) : x.shape().without(d);
    Tensor out = Tensor.born(x.device(), shape, x.dtype());
    x.device()
        .backend()
        .reduce(
            greatest ? ReduceOp.MAX : ReduceOp.MIN,
            x.storage(),
            axis(x.shape(), d),
            out.storage(),
            false);
    return Function.wanted(x) ? Function.record(out, new ExtremumAlong(greatest, x, d)) : out;
  }

  private static final class ExtremumAlong extends Function {
    private final boolean greatest;
    private final int dim;

    ExtremumAlong(boolean greatest, Tensor x, int dim) {
      super(greatest ? "Max" : "Min", 1, x);
      this.greatest = greatest;
      this.dim = dim;
    }

    /** Where the position along the dimension is that of the extreme, the gradient; elsewhere 0. */
    @Override
    void backward(Storage grad) {
      Tensor x = input(0);
      Axis axis = axis(x.shape(), dim);
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
    int d = Checks.axis(who, x.shape(), dim);
    Checks.notEmpty(who, x.shape(), x.shape().dim(d));
    Shape shape = keepDim ? x.shape().with(d, 1) : x.shape().without(d);
    Tensor out = Tensor.born(x.device(), shape, DType.I64);
    x.device().backend().argReduce(greatest, x.storage(), axis(x.shape(), d), out.storage());
    return out;
  }
}
