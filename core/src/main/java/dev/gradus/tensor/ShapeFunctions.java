package dev.gradus.tensor;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.Arrays;
import java.util.List;

/** Operations that move or select elements and compute nothing. */
final class ShapeFunctions {
  private ShapeFunctions() {}

  // ---- reshape

  /** The same elements in another shape, over the same memory; one size may be -1. */
  static Tensor reshape(Tensor x, long[] dims) {
    Shape shape = resolve(x.shape(), dims);
    Tensor out = x.view(shape);
    return Function.wanted(x) ? Function.record(out, new Reshape(x)) : out;
  }

  private static Shape resolve(Shape from, long[] dims) {
    long known = 1;
    int open = -1;
    for (int i = 0; i < dims.length; i++) {
      if (dims[i] == -1 && open < 0) {
        open = i;
      } else if (dims[i] < 0) {
        throw new IllegalArgumentException(
            "reshape: "
                + Arrays.toString(dims)
                + " is not a shape; sizes must be >= 0, and at most one -1");
      } else {
        known *= dims[i];
      }
    }
    long[] sizes = dims.clone();
    if (open >= 0 && known > 0 && from.numel() % known == 0) {
      sizes[open] = from.numel() / known;
      known = from.numel();
    }
    if (known != from.numel() || (open >= 0 && sizes[open] < 0)) {
      throw new IllegalArgumentException(
          "reshape: cannot reshape "
              + from
              + " to "
              + Arrays.toString(dims)
              + "; it has "
              + from.numel()
              + " elements");
    }
    return Shape.of(sizes);
  }

  private static final class Reshape extends Function {
    Reshape(Tensor x) {
      super("View", NOTHING, x);
    }

    @Override
    void backward(Storage grad) {
      handOn(0, grad);
    }
  }

  // ---- permute and transpose

  /** Dimensions in another order: dimension i of the result is dimension {@code order[i]} of x. */
  static Tensor permute(Tensor x, int[] order) {
    int r = x.shape().rank();
    int[] from = new int[order.length];
    boolean[] seen = new boolean[r];
    boolean valid = order.length == r;
    for (int i = 0; i < order.length && valid; i++) {
      from[i] = Checks.axis("permute", x.shape(), order[i]);
      valid = !seen[from[i]];
      seen[from[i]] = true;
    }
    if (!valid) {
      throw new IllegalArgumentException(
          "permute: "
              + Arrays.toString(order)
              + " does not name each of the "
              + r
              + " dimensions of "
              + x.shape()
              + " once");
    }
    Tensor out = Tensor.born(x.device(), permuted(x.shape(), from), x.dtype());
    copyPermuted(x.device(), x.storage(), x.shape(), from, out.storage());
    return Function.wanted(x) ? Function.record(out, new Permute("Permute", x, from)) : out;
  }

  private static Shape permuted(Shape shape, int[] from) {
    long[] dims = new long[from.length];
    for (int i = 0; i < from.length; i++) {
      dims[i] = shape.dim(from[i]);
    }
    return Shape.of(dims);
  }

  private static void copyPermuted(Device device, Storage x, Shape shape, int[] from, Storage out) {
    long[] own = shape.strides();
    long[] strides = new long[from.length];
    for (int i = 0; i < from.length; i++) {
      strides[i] = own[from[i]];
    }
    Kernels.gather(device.backend(), permuted(shape, from), x, 0, strides, out);
  }

  /**
   * Two dimensions exchanged; the last two only on paper, until somebody but matmul reads the
   * result.
   */
  static Tensor transpose(Tensor x, int dim0, int dim1) {
    int a = Checks.axisOrScalar("transpose", x.shape(), dim0);
    int b = Checks.axisOrScalar("transpose", x.shape(), dim1);
    int r = x.shape().rank();
    int[] order = new int[r];
    Arrays.setAll(order, i -> i == a ? b : i == b ? a : i);
    if (a == b || Math.min(a, b) != r - 2 || Math.max(a, b) != r - 1) {
      return permute(x, order);
    }
    Tensor out = x.transposedView();
    return Function.wanted(x) ? Function.record(out, new Permute("Transpose", x, order)) : out;
  }

  private static final class Permute extends Function {
    private final int[] inverse;

    Permute(String name, Tensor x, int[] order) {
      super(name, NOTHING, x);
      inverse = new int[order.length];
      for (int i = 0; i < order.length; i++) {
        inverse[order[i]] = i;
      }
    }

    @Override
    void backward(Storage grad) {
      Shape shape = output().shape();
      give(0, out -> copyPermuted(output().device(), grad, shape, inverse, out));
    }
  }

  // ---- expand

  /** Repeats dimensions of size 1, and new leading ones, to a larger shape; -1 keeps a size. */
  static Tensor expand(Tensor x, long[] dims) {
    Shape to = Shape.of(sizesKept(x.shape(), dims));
    if (x.shape().rank() > to.rank() || !Shape.broadcast("expand", x.shape(), to).equals(to)) {
      throw new IllegalArgumentException(
          "expand: cannot expand "
              + x.shape()
              + " to "
              + to
              + "; only dimensions of size 1 can grow");
    }
    Tensor out = Tensor.born(x.device(), to, x.dtype());
    Broadcasting.expand(x.device(), x.storage(), x.shape(), to, out.storage());
    return Function.wanted(x) ? Function.record(out, new Expand(x)) : out;
  }

  private static long[] sizesKept(Shape from, long[] dims) {
    long[] sizes = dims.clone();
    int added = dims.length - from.rank();
    for (int i = Math.max(0, added); i < sizes.length; i++) {
      sizes[i] = sizes[i] == -1 ? from.dim(i - added) : sizes[i];
    }
    return sizes;
  }

  private static final class Expand extends Function {
    Expand(Tensor x) {
      super("Expand", NOTHING, x);
    }

    @Override
    void backward(Storage grad) {
      giveSum(0, grad);
    }
  }

  // ---- narrow

  /** A stretch of one dimension: {@code length} elements from {@code start}. */
  static Tensor narrow(Tensor x, int dim, long start, long length) {
    int d = Checks.axis("narrow", x.shape(), dim);
    long size = x.shape().dim(d);
    if (start < 0 || length < 0 || start > size - length) {
      throw new IllegalArgumentException(
          "narrow: "
              + length
              + " elements from "
              + start
              + " are not in dimension "
              + dim
              + " of "
              + x.shape()
              + "; it has "
              + size);
    }
    Shape shape = x.shape().with(d, length);
    Tensor out = Tensor.born(x.device(), shape, x.dtype());
    long[] strides = x.shape().strides();
    Kernels.gather(
        x.device().backend(), shape, x.storage(), start * strides[d], strides, out.storage());
    return Function.wanted(x) ? Function.record(out, new Narrow(x, d, start)) : out;
  }

  private static final class Narrow extends Function {
    private final int dim;
    private final long start;

    Narrow(Tensor x, int dim, long start) {
      super("Slice", NOTHING, x);
      this.dim = dim;
      this.start = start;
    }

    @Override
    void backward(Storage grad) {
      Shape part = output().shape();
      long[] strides = input(0).shape().strides();
      give(
          0,
          out -> {
            backend().fill(out, 0);
            backend()
                .copyStrided(
                    part.toArray(), grad, 0, part.strides(), out, start * strides[dim], strides);
          });
    }
  }

  // ---- concat

  /** Tensors one after another along a dimension; the other sizes are equal. */
  static Tensor concat(List<Tensor> parts, int dim) {
    Checks.notNone("concat", parts);
    Tensor first = parts.get(0);
    int d = Checks.axis("concat", first.shape(), dim);
    long total = 0;
    boolean wanted = false;
    for (Tensor t : parts) {
      Checks.sameDevice("concat", first, t);
      Checks.sameDType("concat", first, t);
      boolean fits = t.shape().rank() == first.shape().rank();
      if (!fits || !t.shape().with(d, 0).equals(first.shape().with(d, 0))) {
        throw new IllegalArgumentException(
            "concat: cannot join "
                + first.shape()
                + " and "
                + t.shape()
                + " along dimension "
                + dim
                + "; the other sizes must be equal");
      }
      total += t.size(d);
      wanted |= Function.wanted(t);
    }
    Tensor out = Tensor.born(first.device(), first.shape().with(d, total), first.dtype());
    long[] strides = out.shape().strides();
    long at = 0;
    for (Tensor t : parts) {
      first
          .device()
          .backend()
          .copyStrided(
              t.shape().toArray(),
              t.storage(),
              0,
              t.shape().strides(),
              out.storage(),
              at * strides[d],
              strides);
      at += t.size(d);
    }
    return wanted ? Function.record(out, new Concat(parts, d)) : out;
  }

  private static final class Concat extends Function {
    private final int dim;

    Concat(List<Tensor> parts, int dim) {
      super("Cat", NOTHING, parts.toArray(new Tensor[0]));
      this.dim = dim;
    }

    @Override
    void backward(Storage grad) {
      long[] strides = output().shape().strides();
      long at = 0;
      for (int i = 0; i < inputCount(); i++) {
        Shape part = input(i).shape();
        long offset = at * strides[dim];
        give(i, out -> Kernels.gather(backend(), part, grad, offset, strides, out));
        at += part.dim(dim);
      }
    }
  }

  // ---- conversion

  /** The same values in another type, or on another device. */
  static Tensor convert(Tensor x, Device device, DType dtype) {
    Tensor out = Tensor.born(device, x.shape(), dtype);
    convert(x.storage(), x.device(), out.storage(), device);
    boolean wanted = Function.wanted(x) && dtype.isFloating();
    return wanted ? Function.record(out, new Convert(x)) : out;
  }

  private static void convert(Storage x, Device from, Storage out, Device to) {
    Storage there = x;
    if (from != to) {
      there = to.memory().allocate(x.dtype(), x.numel());
      Transfer.copy(x, from, to, there);
    }
    if (x.dtype() == out.dtype()) {
      Kernels.copy(to.backend(), there, out);
    } else {
      to.backend().cast(there, out);
    }
    if (from != to) {
      to.memory().recycle(there);
    }
  }

  private static final class Convert extends Function {
    Convert(Tensor x) {
      super("ToCopy", NOTHING, x);
    }

    @Override
    void backward(Storage grad) {
      give(0, out -> convert(grad, output().device(), out, input(0).device()));
    }
  }
}
