package dev.gradus.tensor;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Storage;
import org.jspecify.annotations.Nullable;

/**
 * The gradient that a leaf keeps from one backward to the next, dense or as rows; also that of a
 * computed tensor which retains its own. Zeroing it leaves its memory where it is, so that a leaf's
 * dense gradient has one address until the leaf is given up or asks for no gradient any more.
 */
final class LeafGradient {
  private final Tensor leaf;
  private @Nullable Tensor dense;
  private @Nullable RowGradient rows;
  private boolean rowsUnwanted;

  /** Whether backward wrote one since it was made or zeroed. */
  private boolean written;

  /** What backward left: nothing, all of it dense, or all of it as rows. */
  enum Kind {
    NONE,
    DENSE,
    ROWS
  }

  LeafGradient(Tensor leaf) {
    this.leaf = leaf;
  }

  Kind kind() {
    if (!written) {
      return Kind.NONE;
    }
    if (heldRows() != null) {
      return Kind.ROWS;
    }
    Tensor d = dense;
    return d != null && !d.contents().isReleased() ? Kind.DENSE : Kind.NONE;
  }

  /** The rows, while all of the gradient is there. */
  @Nullable RowGradient heldRows() {
    RowGradient r = rows;
    return r != null && written && r.isHeld() ? r : null;
  }

  /**
   * The dense gradient, written from the rows where those hold it. Asked only where there is one.
   */
  Tensor dense() {
    RowGradient r = heldRows();
    Tensor d = buffer();
    if (r != null) {
      r.writeInto(d);
    }
    return d;
  }

  private Tensor buffer() {
    Tensor d = dense;
    if (d == null || d.contents().isReleased()) {
      d = Tensor.unowned(leaf.device(), leaf.shape(), leaf.dtype());
      dense = d;
    }
    return d;
  }

  /** Says whether the gradients to come are read as rows, where they come from lookups. */
  void rowsWanted(boolean wanted) {
    rowsUnwanted = !wanted;
  }

  /** Takes the gradient of a lookup as rows; whether it does: not beside a dense one. */
  boolean addRows(Axis axis, Storage ids, long skip, Storage values) {
    Kind had = kind();
    if (had == Kind.DENSE || (had == Kind.NONE && rowsUnwanted)) {
      return false;
    }
    RowGradient r = rows;
    if (r == null) {
      r = new RowGradient(leaf, axis);
      rows = r;
    }
    r.add(ids, skip, values, had == Kind.ROWS);
    written = true;
    GradientChange.note(leaf, had);
    return true;
  }

  /** Where backward writes or adds; from then on the gradient is dense. */
  Storage target() {
    RowGradient r = rows;
    if (r != null) {
      if (heldRows() != null) {
        r.writeInto(buffer());
      }
      r.drop();
    }
    return buffer().storage();
  }

  /** Backward wrote into {@link #target()}. */
  void wrote() {
    Kind had = kind();
    written = true;
    GradientChange.note(leaf, had);
  }

  /** Keeps a copy of a gradient that backward has passed on. */
  void retain(Storage passed) {
    Tensor kept = Tensor.unowned(leaf.device(), leaf.shape(), leaf.dtype());
    Kernels.copy(leaf.device().backend(), passed, kept.storage());
    dense = kept;
    written = true;
  }

  /** There is none from now on; its memory stays. */
  void zero() {
    Kind had = kind();
    written = false;
    GradientChange.note(leaf, had);
  }

  /** A replay did with the gradient what the recorded step did. */
  void replayed(Kind has) {
    written = has != Kind.NONE;
    RowGradient r = rows;
    if (r != null && written) {
      r.replayed(has == Kind.ROWS);
    }
  }

  /** Lets go of the gradient and its memory, which somebody may still read where it was dense. */
  void letGo() {
    RowGradient r = rows;
    dense = null;
    rows = null;
    written = false;
    if (r != null) {
      r.release();
    }
  }

  /** Lets go of the gradient and gives all of its memory back. */
  void release() {
    Tensor d = dense;
    letGo();
    if (d != null) {
      d.release();
    }
  }
}
