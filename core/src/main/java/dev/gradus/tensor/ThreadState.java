package dev.gradus.tensor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What belongs to a thread: its innermost open scope, and whether it records gradients. */
final class ThreadState {
  private static final ThreadLocal<ThreadState> CURRENT = ThreadLocal.withInitial(ThreadState::new);

  private final Thread thread = Thread.currentThread();

  @Nullable Scope scope;

  /** How many {@link NoGrad} blocks are open. */
  int noGrad;

  /** What is to be renewed at each replay of the step that this thread records. */
  @Nullable List<CapturedStep.Live> recording;

  private ThreadState() {}

  static ThreadState current() {
    return CURRENT.get();
  }

  /** Whether it is that of the thread that asks. */
  boolean isCurrent() {
    return thread == Thread.currentThread();
  }
}
