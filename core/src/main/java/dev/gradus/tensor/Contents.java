package dev.gradus.tensor;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import org.jspecify.annotations.Nullable;

/**
 * What a tensor holds: memory, and how to read it. It is read row by row, or, until somebody but
 * {@code matmul} asks for it, as the transpose of what lies there.
 */
final class Contents {
  final Device device;
  final Shape shape;
  final DType dtype;
  private @Nullable Buffer buffer;

  /** Set while this is the transpose of what the buffer holds, in its last two dimensions. */
  private volatile boolean transposed;

  /** The buffer's version when it was transposed: the source must not change in between. */
  private final int sourceVersion;

  /** What this was the transpose of: another thread may still multiply by it. */
  private @Nullable Buffer transposeSource;

  private boolean ownedByReferences;
  private boolean closed;

  /** The buffer's version when it was released. */
  private int lastVersion;

  private Contents(Device device, Shape shape, DType dtype, Buffer buffer) {
    this.device = device;
    this.shape = shape;
    this.dtype = dtype;
    this.buffer = buffer;
    this.sourceVersion = 0;
  }

  /** The transpose of what a buffer holds. */
  private Contents(Contents of, Shape swapped, Buffer source) {
    this.device = of.device;
    this.shape = swapped;
    this.dtype = of.dtype;
    this.buffer = source;
    this.transposed = true;
    this.sourceVersion = source.version();
  }

  /** Memory with undefined content. */
  static Contents fresh(Device device, Shape shape, DType dtype) {
    return new Contents(device, shape, dtype, freshBuffer(device, shape, dtype));
  }

  private static Buffer freshBuffer(Device device, Shape shape, DType dtype) {
    device.requireOpen();
    return new Buffer(device.memory(), device.memory().allocate(dtype, shape.numel()));
  }

  /** The same memory in another shape of the same size. */
  Contents as(Shape other) {
    Buffer shared = rowMajor();
    shared.share();
    return new Contents(device, other, dtype, shared);
  }

  /** The same memory, read with the last two dimensions exchanged. */
  Contents transpose() {
    Buffer shared = rowMajor();
    shared.share();
    int r = shape.rank();
    Shape swapped = shape.with(-1, shape.dim(r - 2)).with(-2, shape.dim(r - 1));
    return new Contents(this, swapped, shared);
  }

  /** From now on the memory lives as long as it is referenced, and is counted as such. */
  void ownedByReferences() {
    ownedByReferences = true;
    buffer().ownedByReferences();
  }

  /** Whether a gradient of one fits the other: equal in device, type and shape. */
  boolean isLike(Contents other) {
    return device == other.device && dtype == other.dtype && shape.equals(other.shape);
  }

  /** Shape, type and device, for messages. */
  String kind() {
    return shape + " of " + dtype.label() + " on " + device.name();
  }

  /** How often it was written in place; of what was released, until then. */
  int version() {
    Buffer b = buffer;
    return b == null ? lastVersion : b.version();
  }

  boolean isReleased() {
    return buffer == null;
  }

  /** Releases at the user's word, which messages then tell. */
  void close() {
    closed |= !isReleased();
    release();
  }

  void release() {
    Buffer b = buffer;
    Buffer source = transposeSource;
    lastVersion = version();
    buffer = null;
    transposeSource = null;
    if (b != null) {
      b.release();
    }
    if (source != null) {
      source.release();
    }
  }

  /** The memory, in whatever order; refuses what was released, or whose device is closed. */
  Buffer buffer() {
    Buffer b = buffer;
    if (b == null) {
      throw new IllegalStateException(
          "tensor "
              + shape
              + (closed
                  ? " was released by close(); copy it out before"
                  : " was released with its scope; keep it with scope.keep(t) or copy it out"));
    }
    device.requireOpen();
    return b;
  }

  /** The memory in row-major order: a pending transpose is carried out, once. */
  Buffer rowMajor() {
    if (transposed) {
      materialize();
    }
    return buffer();
  }

  private synchronized void materialize() {
    if (!transposed) {
      return;
    }
    Buffer source = unchangedSource();
    Buffer own = freshBuffer(device, shape, dtype);
    long[] strides = shape.strides();
    int r = strides.length;
    strides[r - 1] = shape.dim(r - 2);
    strides[r - 2] = 1;
    Kernels.gather(device.backend(), shape, source.storage(), 0, strides, own.storage());
    if (ownedByReferences) {
      own.ownedByReferences();
    }
    own.version(source.version());
    buffer = own;
    transposeSource = source;
    transposed = false;
  }

  private Buffer unchangedSource() {
    Buffer b = buffer();
    if (b.version() != sourceVersion) {
      throw new IllegalStateException(
          "transpose: the tensor that "
              + shape
              + " is the transpose of was changed in place; transpose it again after the change");
    }
    return b;
  }

  /** An operand of {@code matmul}: of a pending transpose, its source. */
  record Factor(Storage storage, boolean transposed) {}

  /** This as {@code matmul} takes it. */
  Factor factor() {
    // Once it is in row-major order it stays so.
    return transposed ? pendingFactor() : new Factor(buffer().storage(), false);
  }

  private synchronized Factor pendingFactor() {
    return transposed
        ? new Factor(unchangedSource().storage(), true)
        : new Factor(buffer().storage(), false);
  }
}
