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
  private @Nullable Tensor written;
  private int writtenVersion;

  /** The gradient of a leaf that is rows of this axis, whose outer size is 1. */
  RowGradient(Tensor leaf, Axis axis) {
    this.device = leaf.device();
    this.dtype = leaf.dtype();
    this.axis = axis;
  }

  /**
   * Whether the leaf's gradient is here: not dropped, and the dense one that was written from it
   * was not changed by somebody else since, nor before it was closed.
   */
  boolean isHeld() {
    Tensor dense = written;
    return held && (dense == null || dense.contents().version() == writtenVersion);
  }

  /** The rows; asked only while they are held. */
  Gradient.Rows rows() {
    return reserve(most);
  }

  /** From now on the gradient is elsewhere. */
  void drop() {
    held = false;
    written = null;
  }

  /** Takes the rows of a lookup's gradient, or adds them to those that are held. */
  void add(Storage newIds, long skip, Storage grad, boolean accumulate) {
    Backend backend = device.backend();
    most = Math.min((accumulate ? most : 0) + newIds.numel(), axis.length());
    backend.coalesce(newIds, skip, grad, reserve(most), accumulate);
    held = true;
    Tensor dense = accumulate ? written : null;
    if (dense != null && !dense.contents().isReleased()) {
      backend.scatterAdd(grad, axis, newIds, skip, dense.storage(), true);
    } else {
      written = null;
    }
  }

  /** Writes the dense gradient, unless it was and has since been added to with the rows. */
  void writeInto(Tensor dense) {
    if (written != dense) {
      Gradient.Rows r = rows();
      device.backend().scatterAdd(r.values(), axis, r.ids(), NONE, dense.storage(), false);
      written = dense;
      writtenVersion = dense.version();
    }
  }

  /**
   * The device did again what made the gradient; a dense one is written anew when it is asked for.
   */
  void replayed(boolean rowsHeld) {
    held = rowsHeld;
    written = null;
  }

  /** The rows were changed in place: a dense gradient that was written is written anew. */
  void changed() {
    Tensor dense = written;
    written = null;
    if (dense != null && !dense.contents().isReleased()) {
      dense.changed();
      writeInto(dense);
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
