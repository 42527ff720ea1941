package dev.gradus.tensor;

/**
 * A block in which this thread records no gradients: what is computed in it requires none. Blocks
 * nest.
 *
 * <pre>{@code
 * try (NoGrad off = NoGrad.open()) {
 *   Tensor y = model.forward(x);
 * }
 * }</pre>
 */
public final class NoGrad implements AutoCloseable {
  private final ThreadState state;
  private boolean open = true;

  private NoGrad(ThreadState state) {
    this.state = state;
    state.noGrad++;
  }

  /** Starts a block on this thread; close it on the same thread. */
  public static NoGrad open() {
    return new NoGrad(ThreadState.current());
  }

  /** Whether this thread records gradients now. */
  public static boolean isRecording() {
    return ThreadState.current().noGrad == 0;
  }

  /**
   * Ends the block; a second call does nothing.
   *
   * @throws IllegalStateException if another thread opened it
   */
  @Override
  public void close() {
    if (!state.isCurrent()) {
      throw new IllegalStateException(
          "NoGrad: closed on thread '"
              + Thread.currentThread().getName()
              + "', which did not open it; close it where it was opened");
    }
    if (open) {
      open = false;
      state.noGrad--;
    }
  }
}
