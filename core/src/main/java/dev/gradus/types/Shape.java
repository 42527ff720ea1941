package dev.gradus.types;

import java.util.Arrays;

/**
 * The sizes of a tensor's dimensions, outermost first. A shape without dimensions is that of a
 * scalar; a dimension of size 0 makes the tensor empty.
 */
public final class Shape {
  private static final Shape SCALAR = new Shape(new long[0], 1);

  private final long[] dims;
  private final long numel;

  private Shape(long[] dims, long numel) {
    this.dims = dims;
    this.numel = numel;
  }

  /**
   * The shape with these sizes.
   *
   * @param dims sizes, each at least 0
   * @throws IllegalArgumentException if a size is negative or their product passes 2^63 - 1
   */
  public static Shape of(long... dims) {
    return dims.length == 0 ? SCALAR : owning(dims.clone());
  }

  /** The shape that keeps this array. */
  private static Shape owning(long[] dims) {
    if (dims.length == 0) {
      return SCALAR;
    }
    long numel = 1;
    for (long d : dims) {
      if (d < 0) {
        throw new IllegalArgumentException(
            "shape: " + Arrays.toString(dims) + " has a negative size; sizes must be >= 0");
      }
      if (Math.multiplyHigh(numel, d) != 0 || numel * d < 0) {
        throw new IllegalArgumentException(
            "shape: " + Arrays.toString(dims) + " has more than 2^63 - 1 elements");
      }
      numel *= d;
    }
    return new Shape(dims, numel);
  }

  /** The shape of a single value. */
  public static Shape scalar() {
    return SCALAR;
  }

  /** The number of dimensions. */
  public int rank() {
    return dims.length;
  }

  /**
   * The size of one dimension.
   *
   * @param index from 0, or from -1 backwards
   * @throws IllegalArgumentException if there is no such dimension
   */
  public long dim(int index) {
    return dims[axis(index)];
  }

  /**
   * The dimension that an index names, counted from 0.
   *
   * @param index from 0, or from -1 backwards
   * @throws IllegalArgumentException if there is no such dimension
   */
  public int axis(int index) {
    int axis = index < 0 ? index + dims.length : index;
    if (axis < 0 || axis >= dims.length) {
      throw new IllegalArgumentException(
          "dimension "
              + index
              + " does not exist in "
              + this
              + "; it must be in ["
              + -dims.length
              + ", "
              + dims.length
              + ")");
    }
    return axis;
  }

  /** The number of elements: the product of the sizes, 1 for a scalar. */
  public long numel() {
    return numel;
  }

  /** A copy of the sizes. */
  public long[] toArray() {
    return dims.clone();
  }

  /** The product of the sizes of dimensions {@code from} (inclusive) to {@code to} (exclusive). */
  public long numel(int from, int to) {
    long n = 1;
    for (int i = from; i < to; i++) {
      n *= dims[i];
    }
    return n;
  }

  /** The row-major strides, in elements: what one step along each dimension skips. */
  public long[] strides() {
    long[] strides = new long[dims.length];
    long step = 1;
    for (int i = dims.length - 1; i >= 0; i--) {
      strides[i] = step;
      step *= dims[i];
    }
    return strides;
  }

  /**
   * The index in each dimension of an element.
   *
   * @param element its number, row by row, in [0, {@link #numel()})
   */
  public long[] position(long element) {
    long[] at = new long[dims.length];
    long rest = element;
    for (int d = at.length - 1; d >= 0; d--) {
      at[d] = rest % dims[d];
      rest /= dims[d];
    }
    return at;
  }

  /**
   * This shape with the size of one dimension replaced; {@code index} may count from -1 backwards.
   */
  public Shape with(int index, long size) {
    long[] d = dims.clone();
    d[axis(index)] = size;
    return owning(d);
  }

  /** This shape without one dimension; {@code index} may count from -1 backwards. */
  public Shape without(int index) {
    int axis = axis(index);
    long[] d = new long[dims.length - 1];
    System.arraycopy(dims, 0, d, 0, axis);
    System.arraycopy(dims, axis + 1, d, axis, d.length - axis);
    return owning(d);
  }

  /** Dimensions {@code from} (inclusive) to {@code to} (exclusive) as a shape of their own. */
  public Shape slice(int from, int to) {
    return from == to ? SCALAR : owning(Arrays.copyOfRange(dims, from, to));
  }

  /** This shape with more dimensions after its own. */
  public Shape append(long... sizes) {
    long[] d = Arrays.copyOf(dims, dims.length + sizes.length);
    System.arraycopy(sizes, 0, d, dims.length, sizes.length);
    return owning(d);
  }

  /**
   * The shape that two shapes broadcast to: aligned at the last dimension, sizes equal or 1
   * (NumPy's rule).
   *
   * @param who the operation, for the message
   * @throws IllegalArgumentException if the shapes do not broadcast
   */
  public static Shape broadcast(String who, Shape a, Shape b) {
    if (a.equals(b)) {
      return a;
    }
    int rank = Math.max(a.rank(), b.rank());
    long[] out = new long[rank];
    for (int i = 1; i <= rank; i++) {
      long x = i <= a.rank() ? a.dims[a.rank() - i] : 1;
      long y = i <= b.rank() ? b.dims[b.rank() - i] : 1;
      if (x != y && x != 1 && y != 1) {
        throw new IllegalArgumentException(
            who
                + ": cannot broadcast "
                + a
                + " with "
                + b
                + "; sizes must be equal or 1, and they are "
                + x
                + " and "
                + y
                + " in dimension "
                + -i);
      }
      out[rank - i] = x == 1 ? y : x;
    }
    return owning(out);
  }

  @Override
  public boolean equals(Object o) {
    return this == o || (o instanceof Shape s && Arrays.equals(dims, s.dims));
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** The sizes in brackets, as {@code [64, 2]}. */
  @Override
  public String toString() {
    return Arrays.toString(dims);
  }
}
