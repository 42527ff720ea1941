package dev.gradus.tensor;

import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.Arrays;

/** What every operation asks before it allocates: the one place where user input is refused. */
final class Checks {
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
              + "; it must be in ["
              + -shape.rank()
              + ", "
              + shape.rank()
              + ")");
    }
    return shape.axis(dim);
  }

  static void notEmpty(String who, Shape shape, long length) {
    if (length == 0) {
      throw new IllegalArgumentException(
          who + ": " + shape + " has nothing to reduce; the size must be at least 1");
    }
  }

  static void number(String who, String what, double value) {
    if (Double.isNaN(value)) {
      throw new IllegalArgumentException(who + ": " + what + " must be a number but is NaN");
    }
  }

  /** Refuses a fraction for a tensor of integers, which would cut it off. */
  static void fits(String who, Tensor x, double value) {
    boolean whole = Double.isInfinite(value) || value == Math.rint(value);
    if (x.dtype() == DType.I64 && !whole) {
      throw new IllegalArgumentException(
          who
              + ": "
              + value
              + " is not a whole number but the tensor is int64; convert it with to(dtype)");
    }
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
              + position(shape, index)
              + " is outside [0, "
              + count
              + ")");
    }
  }

  static String position(Shape shape, long index) {
    long[] at = new long[shape.rank()];
    long rest = index;
    for (int d = at.length - 1; d >= 0; d--) {
      at[d] = rest % shape.dim(d);
      rest /= shape.dim(d);
    }
    return Arrays.toString(at);
  }
}
