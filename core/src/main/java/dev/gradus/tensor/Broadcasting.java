package dev.gradus.tensor;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.types.Shape;
import org.jspecify.annotations.Nullable;

/**
 * NumPy's broadcasting. Scalars, trailing rows and leading columns go to the backend as they are,
 * every other operand is expanded first; a gradient comes back through {@link #sumTo}.
 */
final class Broadcasting {
  private Broadcasting() {}

  /** How the backend can spread a shape over a larger one; null if it must be expanded first. */
  static @Nullable Spread spread(Shape from, Shape to) {
    if (from.numel() == to.numel()) {
      return Spread.FULL;
    }
    if (from.numel() == 1) {
      return Spread.SCALAR;
    }
    int lead = 0;
    while (lead < from.rank() && from.dim(lead) == 1) {
      lead++;
    }
    int skip = to.rank() - from.rank();
    boolean row = true;
    for (int i = lead; i < from.rank(); i++) {
      row &= from.dim(i) == to.dim(i + skip);
    }
    if (row) {
      return Spread.ROW;
    }
    int end = from.rank();
    while (end > 0 && from.dim(end - 1) == 1) {
      end--;
    }
    boolean column = to.numel(0, skip) == 1;
    for (int i = 0; i < end; i++) {
      column &= from.dim(i) == to.dim(i + skip);
    }
    return column ? Spread.COLUMN : null;
  }

  /** An operand as the backend takes it. Close it after the call: it may be an expanded copy. */
  record Operand(Storage storage, Spread spread, @Nullable Memory owner) {
    static Operand of(Tensor x, Shape to) {
      Spread spread = Broadcasting.spread(x.shape(), to);
      if (spread != null) {
        return new Operand(x.storage(), spread, null);
      }
      Memory memory = x.device().memory();
      Storage t = memory.allocate(x.dtype(), to.numel());
      expand(x.device(), x.storage(), x.shape(), to, t);
      return new Operand(t, Spread.FULL, memory);
    }

    /** The operand expanded to the full shape, unless it is one element. */
    static Operand fullOrScalar(Tensor x, Shape to) {
      Spread spread = Broadcasting.spread(x.shape(), to);
      if (spread == Spread.FULL || spread == Spread.SCALAR) {
        return new Operand(x.storage(), spread, null);
      }
      Memory memory = x.device().memory();
      Storage t = memory.allocate(x.dtype(), to.numel());
      expand(x.device(), x.storage(), x.shape(), to, t);
      return new Operand(t, Spread.FULL, memory);
    }

    void close() {
      if (owner != null) {
        owner.recycle(storage);
      }
    }
  }

  /** Writes x, of one shape, repeated to a larger shape. */
  static void expand(Device device, Storage x, Shape from, Shape to, Storage out) {
    Kernels.gather(device.backend(), to, x, 0, expandedStrides(from, to), out);
  }

  /** The strides of a shape seen as a larger one: 0 along what is repeated. */
  static long[] expandedStrides(Shape from, Shape to) {
    long[] own = from.strides();
    long[] strides = new long[to.rank()];
    int skip = to.rank() - from.rank();
    for (int i = 0; i < own.length; i++) {
      strides[i + skip] = from.dim(i) == 1 ? 0 : own[i];
    }
    return strides;
  }

  /** Sums x, of shape {@code from}, over what was repeated to get from {@code to} to it. */
  static void sumTo(
      Device device, Storage x, Shape from, Shape to, Storage out, boolean accumulate) {
    Spread spread = spread(to, from);
    if (spread == null) {
      sumStepwise(device, x, from, to, out, accumulate);
      return;
    }
    Backend backend = device.backend();
    long n = from.numel();
    switch (spread) {
      case FULL -> {
        if (accumulate) {
          Kernels.add(backend, out, x, out);
        } else {
          Kernels.copy(backend, x, out);
        }
      }
      case SCALAR -> backend.reduce(ReduceOp.SUM, x, new Axis(1, n, 1), out, accumulate);
      case ROW -> {
        long rows = to.numel() == 0 ? 0 : n / to.numel();
        backend.reduce(ReduceOp.SUM, x, new Axis(1, rows, to.numel()), out, accumulate);
      }
      case COLUMN -> {
        Axis axis = new Axis(to.numel(), n / to.numel(), 1);
        backend.reduce(ReduceOp.SUM, x, axis, out, accumulate);
      }
    }
  }

  /** One repeated dimension at a time, the innermost first, through temporaries. */
  private static void sumStepwise(
      Device device, Storage x, Shape from, Shape to, Storage out, boolean accumulate) {
    int skip = from.rank() - to.rank();
    for (int d = from.rank() - 1; d >= 0; d--) {
      long wanted = d < skip ? 1 : to.dim(d - skip);
      if (wanted != from.dim(d)) {
        Shape next = from.with(d, 1);
        Axis axis = new Axis(from.numel(0, d), from.dim(d), from.numel(d + 1, from.rank()));
        if (next.numel() == to.numel()) {
          device.backend().reduce(ReduceOp.SUM, x, axis, out, accumulate);
          return;
        }
        Storage t = device.memory().allocate(x.dtype(), next.numel());
        device.backend().reduce(ReduceOp.SUM, x, axis, t, false);
        sumTo(device, t, next, to, out, accumulate);
        device.memory().recycle(t);
        return;
      }
    }
  }
}
