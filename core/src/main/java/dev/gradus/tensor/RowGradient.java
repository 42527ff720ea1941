package dev.gradus.tensor;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import org.jspecify.annotations.Nullable;

/**
 * The gradient of a leaf whose rows were looked up: the ids that were, and for each the sum of what
 * came back. The dense gradient is written from it when somebody asks for one.
 */
final class RowGradient {
  private static final long NONE = -1;

  private final Device device;
  private final DType dtype;
  private final Axis axis;

  private @Nullable Tensor ids;
  private @Nullable Tensor values;
  private Gradient.@Nullable Rows rows;

  /** So many rows there are at most; how many exactly is known to the device. */
  private long most;

  private boolean held;
  private @Nullable Copy copy;

  /** The dense gradient that was written from the rows, and its memory's version since. */
  private record Copy(Tensor dense, Buffer memory, int version) {
    static Copy of(Tensor dense) {
      Buffer memory = dense.contents().buffer();
      return new Copy(dense, memory, memory.version());
    }

    boolean isThere() {
      return !dense.contents().isReleased();
    }

    /** Whether nobody else wrote into it; that stays known of one that was closed. */
    boolean isUnchanged() {
      return memory.version() == version;
    }
  }

  /** The gradient of a leaf that is rows of this axis, whose outer size is 1. */
  RowGradient(Tensor leaf, Axis axis) {
    this.device = leaf.device();
    this.dtype = leaf.dtype();
    this.axis = axis;
  }

  /**
   * Whether the leaf's gradient is here: not dropped, and the dense one that was written from it
   * was not changed by somebody else since.
   */
  boolean isHeld() {
    return held && (copy == null || copy.isUnchanged());
  }

  /** The rows; asked only while they are held. */
  Gradient.Rows rows() {
    return reserve(most);
  }

  /** From now on the gradient is elsewhere. */
  void drop() {
    held = false;
    copy = null;
  }

  /** Takes the rows of a lookup's gradient, or adds them to those that are held. */
  void add(Storage newIds, long skip, Storage grad, boolean accumulate) {
    Backend backend = device.backend();
    most = Math.min((accumulate ? most : 0) + newIds.numel(), axis.length());
    backend.coalesce(newIds, skip, grad, reserve(most), accumulate);
    held = true;
    Copy c = accumulate ? copy : null;
    if (c != null && c.isThere()) {
      backend.scatterAdd(grad, axis, newIds, skip, c.dense.storage(), true);
    } else {
      copy = null;
    }
  }

  /** Writes the dense gradient, unless it was and has since been added to with the rows. */
  void writeInto(Tensor dense) {
    if (copy == null || copy.dense != dense) {
      Gradient.Rows r = rows();
      device.backend().scatterAdd(r.values(), axis, r.ids(), NONE, dense.storage(), false);
      copy = Copy.of(dense);
    }
  }

  /**
   * The device did again what made the gradient; a dense one is written anew when it is asked for.
   */
  void replayed(boolean rowsHeld) {
    held = rowsHeld;
    copy = null;
  }

  /** The rows were changed in place: a dense gradient that was written is written anew. */
  void changed() {
    Copy c = copy;
    copy = null;
    if (c != null && c.isThere()) {
      c.dense.changed();
      writeInto(c.dense);
    }
  }

  /** Places for so many rows: those there are, unless they are too few. */
  private Gradient.Rows reserve(long places) {
    Gradient.Rows old = rows;
    if (old != null && old.ids().numel() >= places) {
      return old;
    }
    Backend backend = device.backend();
    Tensor newIds = Tensor.unowned(device, Shape.of(places), DType.I64);
    Tensor newValues = Tensor.unowned(device, Shape.of(places, axis.inner()), dtype);
    backend.fill(newIds.storage(), NONE);
    if (old != null) {
      Kernels.copy(backend, old.ids(), newIds.storage());
      Kernels.copy(backend, old.values(), newValues.storage());
    }
    release();
    Gradient.Rows grown = new Gradient.Rows(newIds.storage(), newValues.storage(), axis.inner());
    ids = newIds;
    values = newValues;
    rows = grown;
    return grown;
  }

  /** Gives the memory back. */
  void release() {
    Tensor i = ids;
    Tensor v = values;
    rows = null;
    if (i != null && v != null) {
      i.release();
      v.release();
    }
  }
}
