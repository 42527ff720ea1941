package dev.gradus.tensor;

import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.List;

/** The operations of {@link Tensor} that move or select elements, or convert them. */
abstract class ShapeOperations {

  ShapeOperations() {}

  abstract Tensor self();

  /** The same elements in another shape, over the same memory; one size may be -1. */
  public final Tensor reshape(long... dims) {
    return ShapeFunctions.reshape(self(), dims);
  }

  /** Dimensions {@code from} to {@code to}, both inclusive, as one; either may count from -1. */
  public final Tensor flatten(int from, int to) {
    Shape s = self().shape();
    int a = Checks.axisOrScalar("flatten", s, from);
    int b = Checks.axisOrScalar("flatten", s, to);
    if (s.rank() == 0) {
      return reshape(1);
    }
    if (a > b) {
      throw new IllegalArgumentException(
          "flatten: dimension " + from + " comes after dimension " + to + " in " + s);
    }
    long[] dims = new long[s.rank() - (b - a)];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = i < a ? s.dim(i) : i == a ? s.numel(a, b + 1) : s.dim(i + b - a);
    }
    return reshape(dims);
  }

  /** All elements as one vector. */
  public final Tensor flatten() {
    return flatten(0, -1);
  }

  /** With a dimension of size 1 before dimension {@code dim}; it may count from -1. */
  public final Tensor unsqueeze(int dim) {
    Shape s = self().shape();
    int at = dim < 0 ? dim + s.rank() + 1 : dim;
    if (at < 0 || at > s.rank()) {
      throw new IllegalArgumentException(
          "unsqueeze: there is no place "
              + dim
              + " in "
              + s
              + "; it must be in ["
              + (-s.rank() - 1)
              + ", "
              + s.rank()
              + "]");
    }
    long[] dims = new long[s.rank() + 1];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = i < at ? s.dim(i) : i == at ? 1 : s.dim(i - 1);
    }
    return reshape(dims);
  }

  /** Without dimension {@code dim}, which must have size 1. */
  public final Tensor squeeze(int dim) {
    Shape s = self().shape();
    int d = Checks.axis("squeeze", s, dim);
    if (s.dim(d) != 1) {
      throw new IllegalArgumentException(
          "squeeze: dimension "
              + dim
              + " of "
              + s
              + " has size "
              + s.dim(d)
              + "; only size 1 can go");
    }
    return reshape(s.without(d).toArray());
  }

  /** Two dimensions exchanged. Of the last two, {@code matmul} takes the result without a copy. */
  public final Tensor transpose(int dim0, int dim1) {
    return ShapeFunctions.transpose(self(), dim0, dim1);
  }

  /**
   * Dimensions in another order: dimension i of the result is dimension {@code order[i]} of this.
   */
  public final Tensor permute(int... order) {
    return ShapeFunctions.permute(self(), order);
  }

  /** Dimensions of size 1, and new leading ones, repeated to a larger shape; -1 keeps a size. */
  public final Tensor expand(long... dims) {
    return ShapeFunctions.expand(self(), dims);
  }

  /** A stretch of a dimension: {@code length} positions from {@code start}. */
  public final Tensor narrow(int dim, long start, long length) {
    return ShapeFunctions.narrow(self(), dim, start, length);
  }

  /**
   * The positions {@code start} (inclusive) to {@code end} (exclusive) of a dimension; either may
   * count from the end.
   */
  public final Tensor slice(int dim, long start, long end) {
    long n = self().shape().dim(Checks.axis("slice", self().shape(), dim));
    long from = Math.max(0, Math.min(n, start < 0 ? start + n : start));
    long to = Math.max(from, Math.min(n, end < 0 ? end + n : end));
    return narrow(dim, from, to - from);
  }

  /** One position of a dimension, which disappears; it may count from -1. */
  public final Tensor select(int dim, long index) {
    Shape s = self().shape();
    int d = Checks.axis("select", s, dim);
    long at = index < 0 ? index + s.dim(d) : index;
    if (at < 0 || at >= s.dim(d)) {
      throw new IllegalArgumentException(
          "select: position "
              + index
              + " is not in dimension "
              + dim
              + " of "
              + s
              + "; it has "
              + s.dim(d));
    }
    return narrow(d, at, 1).squeeze(d);
  }

  /** Tensors one after another along a dimension. */
  public static Tensor concat(List<Tensor> tensors, int dim) {
    return ShapeFunctions.concat(tensors, dim);
  }

  /** Tensors of one shape along a new dimension. */
  public static Tensor stack(List<Tensor> tensors, int dim) {
    Checks.notNone("stack", tensors);
    for (Tensor t : tensors) {
      Checks.sameShape("stack", tensors.get(0), t);
    }
    return concat(tensors.stream().map(t -> t.unsqueeze(dim)).toList(), dim);
  }

  // ---- conversion

  /** The same values in another type; this itself if it has it. */
  public final Tensor to(DType dtype) {
    return dtype == self().dtype()
        ? self()
        : ShapeFunctions.convert(self(), self().device(), dtype);
  }

  /** The same values on another device; this itself if it is there. */
  public final Tensor to(Device device) {
    return device == self().device()
        ? self()
        : ShapeFunctions.convert(self(), device, self().dtype());
  }

  /** The same values in memory of their own. */
  public final Tensor copy() {
    return ShapeFunctions.convert(self(), self().device(), self().dtype());
  }
}
