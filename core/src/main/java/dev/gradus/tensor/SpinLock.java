package dev.gradus.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A lock for a few instructions: it is taken by one atomic operation and given back by none. One
 * that has it must not take it again, and gives it back whatever happens: others wait for ever.
 */
final class SpinLock {
  /*
   * A monitor costs an atomic operation at either end, of twenty cycles each; every tensor that is
   * born and dies needs the lock of its device's memory twice, and little else.
   */

  private static final VarHandle HELD;

  static {
    try {
      HELD = MethodHandles.lookup().findVarHandle(SpinLock.class, "held", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** After so many looks the one that has it was interrupted by the system: let it run. */
  private static final int LOOKS = 64;

  @SuppressWarnings("UnusedVariable") // by HELD
  private boolean held;

  @SuppressWarnings("ThreadPriorityCheck") // a yield only gives way, nothing waits for its effect
  void lock() {
    while (!HELD.compareAndSet(this, false, true)) {
      for (int looks = 0; (boolean) HELD.getOpaque(this); looks++) {
        if (looks < LOOKS) {
          Thread.onSpinWait();
        } else {
          Thread.yield();
        }
      }
    }
  }

  void unlock() {
    HELD.setRelease(this, false);
  }
}
