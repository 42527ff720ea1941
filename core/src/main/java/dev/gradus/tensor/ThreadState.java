package dev.gradus.tensor;

import org.jspecify.annotations.Nullable;

/** What belongs to a thread: its innermost open scope, and whether it records gradients. */
final class ThreadState {
  private static final ThreadLocal<ThreadState> CURRENT = ThreadLocal.withInitial(ThreadState::new);

  @Nullable Scope scope;

  /** How many {@link NoGrad} blocks are open. */
  int noGrad;

  private ThreadState() {}

  static ThreadState current() {
    return CURRENT.get();
  }
}
