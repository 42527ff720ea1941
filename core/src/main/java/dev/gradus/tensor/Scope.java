package dev.gradus.tensor;

import org.jspecify.annotations.Nullable;

/**
 * A span of time on one thread: tensors born on the thread while it is the innermost open scope die
 * when it closes, on any device, and their memory is used again. Parameters, gradients and
 * optimizer state are never born into a scope.
 *
 * <pre>{@code
 * try (Scope step = Scope.open()) {
 *   Tensor loss = …;
 *   loss.backward();
 *   optimizer.step();
 * }
 * }</pre>
 */
public final class Scope implements AutoCloseable {
  private final ThreadState state;
  private final @Nullable Scope enclosing;

  /** The tensor born last; each knows the one before it. */
  private @Nullable Tensor last;

  private boolean open = true;

  private Scope(ThreadState state) {
    this.state = state;
    this.enclosing = state.scope;
    state.scope = this;
  }

  /** Opens a scope on this thread, inside the one that is open there. */
  public static Scope open() {
    return new Scope(ThreadState.current());
  }

  /**
   * Lets a tensor outlive this scope: it goes to the enclosing scope, or, where there is none,
   * lives as long as it is referenced. It is detached from what it was computed from.
   *
   * @return the tensor itself
   * @throws IllegalArgumentException if the tensor was not born in this scope
   */
  public Tensor keep(Tensor tensor) {
    requireOpenHere("keep");
    tensor.requireAlive();
    if (tensor.scope() != this) {
      throw new IllegalArgumentException(
          "Scope.keep: tensor "
              + tensor.shape()
              + " was not born in this scope; keep it in the scope that was innermost when it was"
              + " made");
    }
    tensor.forgetOrigin();
    forget(tensor);
    tensor.handTo(enclosing);
    return tensor;
  }

  /** The number of living tensors that this scope will end. */
  public int size() {
    int n = 0;
    for (Tensor t = last; t != null; t = t.older) {
      n += t.scope() == this ? 1 : 0;
    }
    return n;
  }

  void adopt(Tensor tensor) {
    Tensor before = last;
    tensor.older = before;
    if (before != null) {
      before.newer = tensor;
    }
    last = tensor;
  }

  /** Lets a tensor go that ends before this; on another thread it stays listed until this ends. */
  void forget(Tensor tensor) {
    if (!state.isCurrent()) {
      return;
    }
    Tensor before = tensor.older;
    Tensor after = tensor.newer;
    if (before != null) {
      before.newer = after;
    }
    if (after != null) {
      after.older = before;
    } else {
      last = before;
    }
    tensor.older = null;
    tensor.newer = null;
  }

  /**
   * Ends every tensor that was born in it and not kept; a second call does nothing.
   *
   * @throws IllegalStateException if another thread opened it, or a scope inside it is still open
   */
  @Override
  public void close() {
    if (!open) {
      return;
    }
    requireOpenHere("close");
    if (state.scope != this) {
      throw new IllegalStateException(
          "Scope.close: a scope that was opened inside this one is still open; close the inner one"
              + " first");
    }
    open = false;
    state.scope = enclosing;
    Tensor t = last;
    last = null;
    while (t != null) {
      Tensor before = t.older;
      t.older = null;
      t.newer = null;
      if (t.scope() == this) {
        t.release();
      }
      t = before;
    }
  }

  private void requireOpenHere(String what) {
    if (!open) {
      throw new IllegalStateException("Scope." + what + ": this scope is already closed");
    }
    if (!state.isCurrent()) {
      throw new IllegalStateException(
          "Scope."
              + what
              + ": called on thread '"
              + Thread.currentThread().getName()
              + "', which did not open this scope; a scope belongs to one thread");
    }
  }
}
