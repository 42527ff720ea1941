package dev.gradus.tensor;

import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.Arrays;
import java.util.List;

/** What every operation asks before it allocates: the one place where user input is refused. */
final class Checks {
  private static final int LONGEST_ARRAY = Integer.MAX_VALUE - 8;

  private Checks() {}

  /** Refuses tensors on two devices, and such that were released. */
  static void sameDevice(String who, Tensor a, Tensor b) {
    a.requireAlive();
    b.requireAlive();
    if (a.device() != b.device()) {
      String x = a.device().name();
      String y = b.device().name();
      throw new IllegalArgumentException(
          who
              + ": operands are on "
              + x
              + " and "
              + y
              + (x.equals(y) ? " (two devices, opened apart)" : "")
              + "; move one with to(device)");
    }
  }

  static void sameDType(String who, Tensor a, Tensor b) {
    if (a.dtype() != b.dtype()) {
      throw new IllegalArgumentException(
          who
              + ": operands are "
              + a.dtype().label()
              + " and "
              + b.dtype().label()
              + "; convert one with to(dtype)");
    }
  }

  static void floating(String who, Tensor x) {
    if (!x.dtype().isFloating()) {
      throw new UnsupportedOperationException(
          who
              + ": takes float32 or float64 but is given "
              + x.dtype().label()
              + "; convert it with to(dtype)");
    }
  }

  static void notBool(String who, Tensor x) {
    if (x.dtype() == DType.BOOL) {
      throw new UnsupportedOperationException(
          who + ": takes numbers but is given bool; convert it with to(dtype)");
    }
  }

  static void dtype(String who, String what, DType wanted, Tensor x) {
    if (x.dtype() != wanted) {
      throw new IllegalArgumentException(
          who
              + ": "
              + what
              + " must be "
              + wanted.label()
              + " but is "
              + x.dtype().label()
              + "; convert it with to(dtype)");
    }
  }

  static void sameShape(String who, Tensor a, Tensor b) {
    if (!a.shape().equals(b.shape())) {
      throw new IllegalArgumentException(
          who + ": shapes are " + a.shape() + " and " + b.shape() + "; they must be equal");
    }
  }

  static void rankAtLeast(String who, Tensor x, int rank) {
    if (x.shape().rank() < rank) {
      throw new IllegalArgumentException(
          who + ": takes at least " + rank + " dimensions but is given " + x.shape());
    }
  }

  static int axis(String who, Shape shape, int dim) {
    if (dim < -shape.rank() || dim >= shape.rank()) {
      throw new IllegalArgumentException(
          who
              + ": dimension "
              + dim
              + " does not exist in "
              + shape
              + (shape.rank() == 0
                  ? ", which has none; reshape(1) gives it one"
                  : "; it must be in [" + -shape.rank() + ", " + shape.rank() + ")"));
    }
    return shape.axis(dim);
  }

  /** As {@link #axis}, but a scalar counts as a vector of one element here: 0 and -1 are 0. */
  static int axisOrScalar(String who, Shape shape, int dim) {
    return shape.rank() == 0 && (dim == 0 || dim == -1) ? 0 : axis(who, shape, dim);
  }

  /** Which dimensions are named, all of them where none is; refuses one that is named twice. */
  static boolean[] axes(String who, Shape shape, int[] dims) {
    boolean[] named = new boolean[Math.max(1, shape.rank())];
    for (int dim : dims) {
      int d = axisOrScalar(who, shape, dim);
      if (named[d]) {
        throw new IllegalArgumentException(
            who
                + ": "
                + Arrays.toString(dims)
                + " names dimension "
                + d
                + " of "
                + shape
                + " twice; name it once");
      }
      named[d] = true;
    }
    if (dims.length == 0) {
      Arrays.fill(named, true);
    }
    return named;
  }

  static void notEmpty(String who, Shape shape, long length) {
    if (length == 0) {
      throw new IllegalArgumentException(
          who + ": " + shape + " has nothing to reduce; the size must be at least 1");
    }
  }

  static void notNone(String who, List<Tensor> tensors) {
    if (tensors.isEmpty()) {
      throw new IllegalArgumentException(who + ": there is no tensor; give at least one");
    }
  }

  static void number(String who, String what, double value) {
    if (Double.isNaN(value)) {
      throw new IllegalArgumentException(who + ": " + what + " must be a number but is NaN");
    }
  }

  /** Refuses a number that a tensor of integers or truth values would cut off. */
  static void fits(String who, DType dtype, double value) {
    if (dtype.isFloating()) {
      return;
    }
    String fault = null;
    if (dtype == DType.BOOL) {
      fault = value == 0 || value == 1 ? null : "neither 0 nor 1 but the tensor is bool";
    } else if (Double.isNaN(value) || (value != Math.rint(value) && !Double.isInfinite(value))) {
      fault = "not a whole number but the tensor is int64";
    } else if (value < -0x1p63 || value >= 0x1p63) {
      fault = "outside [-2^63, 2^63) but the tensor is int64";
    }
    if (fault != null) {
      throw new IllegalArgumentException(
          who + ": " + value + " is " + fault + "; use one of float32 or float64");
    }
  }

  /** The number of elements as that of a Java array. */
  static int arrayLength(String what, long numel, String remedy) {
    if (numel < 0 || numel > LONGEST_ARRAY) {
      throw new IllegalArgumentException(
          what
              + " has "
              + Long.toUnsignedString(numel)
              + " elements; a Java array takes at most "
              + LONGEST_ARRAY
              + "; "
              + remedy);
    }
    return (int) numel;
  }

  /** Refuses an id outside {@code [0, count)}, naming its position. */
  static void ids(String who, Tensor ids, long count) {
    dtype(who, "ids", DType.I64, ids);
    if (!inRange(ids, count)) {
      long[] values = ids.toLongArray();
      for (int i = 0; i < values.length; i++) {
        id(who, ids.shape(), i, values[i], count);
      }
    }
  }

  /** Refuses a class outside {@code [0, count)} that is not the one to ignore. */
  static void targets(String who, Tensor targets, long count, long ignored) {
    dtype(who, "targets", DType.I64, targets);
    if (!inRange(targets, count)) {
      long[] values = targets.toLongArray();
      for (int i = 0; i < values.length; i++) {
        if (values[i] != ignored) {
          id(who, targets.shape(), i, values[i], count);
        }
      }
    }
  }

  private static boolean inRange(Tensor ids, long count) {
    return ids.numel() == 0 || (ids.idRange().min() >= 0 && ids.idRange().max() < count);
  }

  private static void id(String who, Shape shape, int index, long id, long count) {
    if (id < 0 || id >= count) {
      throw new IllegalArgumentException(
          who
              + ": id "
              + id
              + " at position "
              + Arrays.toString(shape.position(index))
              + " is outside [0, "
              + count
              + ")");
    }
  }
}
