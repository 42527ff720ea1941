package dev.gradus.backend.cpu;

import dev.gradus.backend.cpu.Parallel.Range;
import dev.gradus.backend.cpu.Parallel.Task;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The tasks of one call of {@link Parallel} at a time. The caller takes them from the front,
 * helpers from the back: from kernel to kernel a thread mostly meets the same part of the data,
 * which is still in its caches.
 */
final class Job {
  /*
   * A job is used again, so that a kernel makes no object. A helper may be late, its call over and
   * another begun. It then helps that one: what it takes it takes by an atomic change of `left`,
   * which a call writes last and a helper reads first.
   */

  private static final AtomicIntegerFieldUpdater<Job> CLAIMED =
      AtomicIntegerFieldUpdater.newUpdater(Job.class, "claimed");
  private static final AtomicLongFieldUpdater<Job> LEFT =
      AtomicLongFieldUpdater.newUpdater(Job.class, "left");
  private static final AtomicIntegerFieldUpdater<Job> DONE =
      AtomicIntegerFieldUpdater.newUpdater(Job.class, "done");

  /** 1 while a caller has it. */
  private volatile int claimed;

  private @Nullable Thread caller;
  private int tasks;
  private @Nullable Task task;

  /** In place of a task: pieces of so many items each. */
  private @Nullable Range range;

  private int piece;
  private int items;

  /** The tasks that nobody took: the first in the upper half, the end in the lower. */
  private volatile long left;

  private volatile int done;
  private volatile @Nullable Throwable failure;

  /** Takes the job for the calling thread; false if another has it. */
  boolean claim() {
    return claimed == 0 && CLAIMED.compareAndSet(this, 0, 1);
  }

  /** Begins a call's tasks. */
  void begin(int count, Task body) {
    task = body;
    begin(count);
  }

  /** Begins a call on {@code n} items, in so many pieces of {@code size}. */
  void begin(int count, Range body, int size, int n) {
    range = body;
    piece = size;
    items = n;
    begin(count);
  }

  private void begin(int count) {
    caller = Thread.currentThread();
    tasks = count;
    failure = null;
    done = 0;
    left = count;
  }

  private static int first(long span) {
    return (int) (span >>> Integer.SIZE);
  }

  boolean hasTasks() {
    long span = left;
    return first(span) < (int) span;
  }

  /** A task that is the calling thread's to run now, or -1. */
  private int take(boolean front) {
    while (true) {
      long span = left;
      int first = first(span);
      int end = (int) span;
      if (first >= end) {
        return -1;
      }
      if (LEFT.compareAndSet(this, span, front ? span + (1L << Integer.SIZE) : span - 1)) {
        return front ? first : end - 1;
      }
    }
  }

  /** Runs what is left. */
  void work(boolean front) {
    for (int i = take(front); i >= 0; i = take(front)) {
      runTaken(i);
    }
  }

  @SuppressWarnings("CatchingUnchecked") // carried to the caller, which throws it
  private void runTaken(int index) {
    try {
      if (failure == null) {
        run(index);
      }
    } catch (Throwable t) {
      failure = t;
    }
    // Once the last one is done the job may be another call's.
    Thread waiting = caller;
    int all = tasks;
    if (DONE.incrementAndGet(this) == all) {
      LockSupport.unpark(waiting);
    }
  }

  private void run(int index) {
    Range r = range;
    Task t = task;
    if (r != null) {
      r.run(index * piece, (int) Math.min(items, (index + 1L) * piece));
    } else if (t != null) {
      t.run(index);
    }
  }

  /** Waits for the tasks that others run, gives the job up, and returns what one of them threw. */
  @Nullable Throwable end() {
    await();
    Throwable thrown = failure;
    failure = null;
    caller = null;
    task = null;
    range = null;
    claimed = 0;
    return thrown;
  }

  @SuppressWarnings("ThreadPriorityCheck") // a yield only gives way
  private void await() {
    boolean interrupted = false;
    long end = System.nanoTime() + Parallel.WATCH_NANOS;
    while (!isDoneSoon()) {
      if (System.nanoTime() - end < 0) {
        Thread.yield();
      } else {
        LockSupport.park(this);
        interrupted |= Thread.interrupted();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isDoneSoon() {
    for (int i = 0; i < Parallel.POLLS && done < tasks; i++) {
      Thread.onSpinWait();
    }
    return done == tasks;
  }
}
