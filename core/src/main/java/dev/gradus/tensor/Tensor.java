package dev.gradus.tensor;

import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Numbers of one type in a shape, on a device, with the gradient of what was computed from them.
 *
 * <p>A tensor is made by a {@link Device}, or computed from others by the operations listed below.
 * It dies with the {@link Scope} that was open on its thread when it was made, or, where none was,
 * when it is no longer referenced. Its values do not change, but for {@link #copyFrom} and what
 * optimizers write into parameters. Any thread may read one; writing in place is for one thread at
 * a time.
 */
public class Tensor extends Operations implements AutoCloseable {
  private Contents contents;
  private @Nullable Scope scope;

  /** Its neighbours among the tensors of its scope, kept by the scope. */
  @Nullable Tensor older;

  @Nullable Tensor newer;

  private boolean requiresGrad;
  private @Nullable Function origin;
  private @Nullable LeafGradient gradient;
  private boolean retainsGrad;

  private Tensor(Contents contents) {
    this.contents = contents;
  }

  /**
   * A leaf that lives as long as it is referenced, with a copy of a tensor's values: for
   * parameters.
   *
   * @param values what it starts with
   */
  protected Tensor(Tensor values) {
    this(Contents.fresh(values.device(), values.shape(), values.dtype()));
    contents.ownedByReferences();
    Kernels.copy(device().backend(), values.storage(), storage());
  }

  // ---- birth and death

  private static Tensor born(Contents contents, @Nullable Scope owner) {
    contents.device.profiler().born();
    Tensor t = new Tensor(contents);
    t.handTo(owner);
    return t;
  }

  /** A tensor with undefined content, in the scope that is open on this thread. */
  static Tensor born(Device device, Shape shape, DType dtype) {
    return born(Contents.fresh(device, shape, dtype), ThreadState.current().scope);
  }

  /** A tensor with undefined content that lives as long as it is referenced. */
  static Tensor unowned(Device device, Shape shape, DType dtype) {
    return born(Contents.fresh(device, shape, dtype), null);
  }

  /** Another tensor over the same memory. */
  final Tensor view(Shape as) {
    return born(contents.as(as), ThreadState.current().scope);
  }

  /**
   * This with its last two dimensions exchanged, over the same memory: {@code matmul} takes it as
   * it is.
   */
  final Tensor transposedView() {
    return born(contents.transpose(), ThreadState.current().scope);
  }

  void handTo(@Nullable Scope owner) {
    scope = owner;
    if (owner == null) {
      contents.ownedByReferences();
    } else {
      owner.adopt(this);
    }
  }

  @Nullable Scope scope() {
    return scope;
  }

  void release() {
    LeafGradient g = gradient;
    scope = null;
    origin = null;
    try {
      contents.release();
    } finally {
      if (g != null) {
        g.release();
      }
    }
  }

  final Contents contents() {
    return contents;
  }

  /**
   * Ends this tensor and its gradient now and gives their memory back; a second call does nothing.
   * Only for tensors that nobody needs any more, backward included.
   */
  @Override
  public void close() {
    contents.close();
    Scope owner = scope;
    if (owner != null) {
      owner.forget(this);
    }
    release();
  }

  /** Refuses what was released, or whose device is closed. */
  final void requireAlive() {
    contents.buffer();
  }

  final boolean sharesMemoryWith(Tensor other) {
    return contents.buffer() == other.contents.buffer();
  }

  /** This as {@code matmul} takes it. */
  final Contents.Factor factor() {
    return contents.factor();
  }

  /**
   * The memory behind this tensor, in row-major order: for optimizers and for those who write a
   * backend. Whoever writes into it calls {@link #changed} afterwards.
   *
   * @throws IllegalStateException if the tensor was released or its device is closed
   */
  public final Storage storage() {
    return contents.rowMajor().storage();
  }

  /** Tells that the storage was written: a backward that needs the former values will refuse. */
  public final void changed() {
    contents.buffer().changed();
  }

  final int version() {
    return contents.buffer().version();
  }

  // ---- what it is

  /** The device that it lives on. */
  public final Device device() {
    return contents.device;
  }

  /** The sizes of its dimensions. */
  public final Shape shape() {
    return contents.shape;
  }

  /** The size of one dimension, counted from 0, or from -1 backwards. */
  public final long size(int dim) {
    return shape().dim(dim);
  }

  /** The type of its elements. */
  public final DType dtype() {
    return contents.dtype;
  }

  /** The number of its elements. */
  public final long numel() {
    return shape().numel();
  }

  @Override
  final Tensor self() {
    return this;
  }

  final IdRange idRange() {
    Buffer b = contents.buffer();
    IdRange range = b.idRange();
    if (range == null) {
      range = IdRange.of(toLongArray());
      b.idRange(range);
    }
    return range;
  }

  final void idRange(IdRange range) {
    contents.buffer().idRange(range);
  }

  // ---- gradients

  /**
   * Whether a gradient is computed for it: it asked for one, or was computed from such a tensor.
   */
  public final boolean requiresGrad() {
    return requiresGrad;
  }

  /** Whether it was not computed from tensors that require gradients. */
  public final boolean isLeaf() {
    return origin == null;
  }

  /**
   * Asks for a gradient, or no longer; without one its gradient is cleared, so that no optimizer
   * moves it.
   *
   * @return this
   * @throws IllegalStateException if it was computed from others; use {@link #detach()} then
   * @throws IllegalArgumentException if its type can carry no gradient
   */
  public Tensor requiresGrad(boolean required) {
    if (origin != null) {
      throw new IllegalStateException(
          "requiresGrad: tensor "
              + shape()
              + " was computed by '"
              + origin.name()
              + "'; only a leaf can be asked for a gradient; use detach() for a value without one");
    }
    if (required && !dtype().isFloating()) {
      throw new IllegalArgumentException(
          "requiresGrad: a tensor of "
              + dtype().label()
              + " has no gradient; only float32 and float64 have one");
    }
    requiresGrad = required;
    if (!required) {
      forgetGrad();
    }
    return this;
  }

  /** Asks that backward leaves the gradient of this computed tensor in {@link #grad()} too. */
  public final Tensor retainGrad() {
    if (!requiresGrad) {
      throw new IllegalStateException(
          "retainGrad: tensor "
              + shape()
              + " requires no gradient; nothing it was computed from does");
    }
    retainsGrad = true;
    return this;
  }

  /**
   * Whether a gradient is there: backward reached it since it was made or since {@link
   * #zeroGrad()}.
   */
  public final boolean hasGrad() {
    return gradKind() != LeafGradient.Kind.NONE;
  }

  /**
   * The gradient: the buffer itself, which the next backward adds to; copy it to keep it. While all
   * of it comes from lookups of rows, the engine holds {@link #gradRows()}, and the first call
   * after {@link #zeroGrad()} writes the buffer.
   *
   * @throws IllegalStateException if there is none
   */
  public final Tensor grad() {
    LeafGradient g = gradient;
    if (g == null || !hasGrad()) {
      throw new IllegalStateException(
          "grad: tensor "
              + shape()
              + " has no gradient; "
              + (origin != null && !retainsGrad
                  ? "it was computed from others: call retainGrad() before backward"
                  : "call backward on something computed from it"));
    }
    return g.dense();
  }

  /**
   * The gradient as rows, where this is a leaf and all of it comes from lookups of rows, by {@link
   * #embedding} or {@link #indexSelect}; null where it is dense, where {@link #grad()} was changed
   * in place, or where there is none. At one address while no more rows are needed; who changes
   * their values says so with {@link #gradRowsChanged()}.
   */
  public final Gradient.@Nullable Rows gradRows() {
    RowGradient r = heldRows();
    return r == null ? null : r.rows();
  }

  /** Says that the values of {@link #gradRows()} were changed in place: {@link #grad()} follows. */
  public final void gradRowsChanged() {
    RowGradient r = heldRows();
    if (r != null) {
      r.changed();
    }
  }

  /**
   * Says how the gradients to come will be read: as rows where they come from lookups, or dense.
   * Backward then writes what is read, and need not write both. A leaf starts with rows; the
   * optimizer that takes it says what it reads.
   */
  public final void gradRowsWanted(boolean wanted) {
    gradient().rowsWanted(wanted);
  }

  private @Nullable RowGradient heldRows() {
    LeafGradient g = gradient;
    return g == null ? null : g.heldRows();
  }

  /** Forgets the gradient: the next backward writes it anew. Its memory stays where it is. */
  public final void zeroGrad() {
    gradient().zero();
  }

  /** What is kept of its gradient. */
  final LeafGradient gradient() {
    LeafGradient g = gradient;
    if (g == null) {
      g = new LeafGradient(this);
      gradient = g;
    }
    return g;
  }

  final LeafGradient.Kind gradKind() {
    LeafGradient g = gradient;
    return g == null ? LeafGradient.Kind.NONE : g.kind();
  }

  private void forgetGrad() {
    LeafGradient g = gradient;
    if (g != null) {
      g.letGo();
    }
  }

  /**
   * Computes the gradients of this value with respect to every leaf that it was computed from and
   * that requires one, and adds them to what the leaves have.
   *
   * @throws IllegalStateException if this is not one element, was not computed from a tensor that
   *     requires a gradient, or if values that the gradients need were released, changed in place,
   *     or used by an earlier backward; nothing is changed then
   */
  public final void backward() {
    if (shape().numel() != 1) {
      throw new IllegalStateException(
          "backward: tensor "
              + shape()
              + " has more than one element; sum it, or pass the gradient of the result:"
              + " backward(seed)");
    }
    requireGraph();
    Backward.run(this, null);
  }

  /**
   * Computes gradients as {@link #backward()} does, weighted by the gradient of some result with
   * respect to this tensor.
   *
   * @param seed a tensor of this shape and type on this device
   */
  public final void backward(Tensor seed) {
    requireGraph();
    Checks.sameDevice("backward", this, seed);
    Checks.sameDType("backward", this, seed);
    if (!seed.shape().equals(shape())) {
      throw new IllegalArgumentException(
          "backward: the seed gradient is "
              + seed.shape()
              + " but the tensor is "
              + shape()
              + "; they must be equal");
    }
    seed.storage();
    Backward.run(this, seed);
  }

  private void requireGraph() {
    requireAlive();
    if (!requiresGrad) {
      throw new IllegalStateException(
          "backward: tensor "
              + shape()
              + " was not computed from a tensor that requires a gradient (or under NoGrad); there"
              + " is nothing to differentiate");
    }
  }

  @Nullable Function origin() {
    return origin;
  }

  final void setOrigin(Function function) {
    origin = function;
    requiresGrad = true;
  }

  final void forgetOrigin() {
    if (origin != null) {
      origin = null;
      requiresGrad = false;
    }
  }

  final boolean retainsGrad() {
    return retainsGrad;
  }

  /** Where backward writes the gradient: a leaf's own buffer, at one address for its life. */
  final Storage gradStorage() {
    Function f = origin;
    return f != null ? f.gradStorage() : gradient().target();
  }

  final boolean gradFilled() {
    Function f = origin;
    return f != null ? f.gradFilled() : hasGrad();
  }

  final void gradWritten() {
    Function f = origin;
    if (f != null) {
      f.gradWritten();
    } else {
      gradient().wrote();
    }
  }

  // ---- values in and out

  /** This value without what it was computed from, over the same memory. */
  public final Tensor detach() {
    return view(shape());
  }

  /**
   * Overwrites the values with those of a tensor of the same shape and type, from any device. What
   * shares this memory sees it: {@code detach}, {@code reshape}, {@code flatten}, {@code squeeze}
   * and {@code unsqueeze} do; the results of every other operation, {@code transpose} and {@code
   * narrow} among them, have values of their own.
   *
   * @throws IllegalStateException if a gradient is recorded for this tensor's values: it is
   *     computed from others, or a leaf that requires one, outside {@link NoGrad}
   */
  public final void copyFrom(Tensor values) {
    Checks.sameShape("copyFrom", this, values);
    Checks.sameDType("copyFrom", this, values);
    if (requiresGrad && NoGrad.isRecording()) {
      throw new IllegalStateException(
          "copyFrom: tensor "
              + shape()
              + " requires a gradient, which an in-place change would falsify; do it inside"
              + " NoGrad.open()");
    }
    Storage target = storage();
    if (values.device() == device()) {
      Storage source = values.storage();
      if (source != target) {
        Kernels.copy(device().backend(), source, target);
      }
    } else {
      Transfer.copy(values.storage(), values.device(), device(), target);
    }
    IdRange range = values.contents.buffer().idRange();
    changed();
    if (range != null) {
      idRange(range);
    }
  }

  /**
   * Takes over the memory of a tensor, its device and type included; the gradient is forgotten.
   *
   * @param values what this leaf becomes; nobody else may write into it afterwards
   */
  protected final void become(Tensor values) {
    Contents old = contents;
    Contents own = values.contents.as(values.shape());
    own.ownedByReferences();
    own.buffer().version(Math.max(own.buffer().version(), old.buffer().version()) + 1);
    contents = own;
    forgetGrad();
    old.release();
  }

  /**
   * The value of a tensor of one element; true is 1. An int64 beyond 2^53 is rounded: see {@link
   * #itemLong()}. Waits for the device.
   *
   * @throws IllegalStateException if it has more elements, or none
   */
  public final double item() {
    requireOneElement("item");
    return Transfer.toDoubles(this)[0];
  }

  /**
   * The value of an int64 tensor of one element. Waits for the device.
   *
   * @throws IllegalStateException if it has more elements, or none
   * @throws UnsupportedOperationException if it has another type
   */
  public final long itemLong() {
    requireType(DType.I64, "itemLong");
    requireOneElement("itemLong");
    return toLongArray()[0];
  }

  private void requireOneElement(String who) {
    if (shape().numel() != 1) {
      throw new IllegalStateException(
          who
              + ": tensor "
              + shape()
              + " has "
              + shape().numel()
              + " elements; "
              + who
              + "() reads exactly one");
    }
  }

  /**
   * The values of a float32 tensor, row by row. Waits for the device.
   *
   * @throws UnsupportedOperationException if it has another type
   */
  public final float[] toFloatArray() {
    requireType(DType.F32, "toFloatArray");
    float[] out = new float[Transfer.length(this)];
    device().backend().download(storage(), FloatBuffer.wrap(out));
    return out;
  }

  /** The values of a float64 tensor, row by row. Waits for the device. */
  public final double[] toDoubleArray() {
    requireType(DType.F64, "toDoubleArray");
    double[] out = new double[Transfer.length(this)];
    device().backend().download(storage(), DoubleBuffer.wrap(out));
    return out;
  }

  /** The values of an int64 tensor, row by row. Waits for the device. */
  public final long[] toLongArray() {
    requireType(DType.I64, "toLongArray");
    long[] out = new long[Transfer.length(this)];
    device().backend().download(storage(), LongBuffer.wrap(out));
    return out;
  }

  /** The values of a bool tensor, row by row. Waits for the device. */
  public final boolean[] toBooleanArray() {
    requireType(DType.BOOL, "toBooleanArray");
    byte[] bytes = new byte[Transfer.length(this)];
    device().backend().download(storage(), ByteBuffer.wrap(bytes));
    boolean[] out = new boolean[bytes.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = bytes[i] != 0;
    }
    return out;
  }

  private void requireType(DType wanted, String who) {
    if (dtype() != wanted) {
      throw new UnsupportedOperationException(
          who
              + ": the tensor is "
              + dtype().label()
              + ", not "
              + wanted.label()
              + "; convert it with to(dtype)");
    }
  }

  /** The values as PyTorch prints them. Waits for the device. */
  @Override
  public String toString() {
    if (contents.isReleased() || !device().isOpen()) {
      return "tensor(released, size=" + shape() + ")";
    }
    String named = device().name().equals("cpu") ? null : device().name();
    Function f = origin;
    TensorPrinter.Traits traits =
        new TensorPrinter.Traits(
            dtype().label(), named, requiresGrad, f == null ? null : f.name() + "Backward0");
    long[] dims = shape().toArray();
    return switch (dtype()) {
      case F32, F64 -> TensorPrinter.format("tensor(", Transfer.toDoubles(this), dims, traits);
      case I64 -> TensorPrinter.format("tensor(", toLongArray(), dims, traits);
      case BOOL -> TensorPrinter.format("tensor(", toBooleanArray(), dims, traits);
    };
  }
}
