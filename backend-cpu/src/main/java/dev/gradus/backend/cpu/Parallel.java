package dev.gradus.backend.cpu;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Runs the tasks of a kernel on the calling thread and on a bounded pool of daemon threads. Any
 * number of callers may do so at once: a caller runs every task that no pool thread has taken, and
 * waits only for tasks that are running, so none can wait for another's end.
 */
final class Parallel {
  /** The system property with the number of threads. */
  static final String PROPERTY = "gradus.threads";

  /** Elements below which a split costs more than it gains. */
  static final int GRAIN = 1 << 15;

  private static final ConcurrentHashMap<Integer, Parallel> POOLS = new ConcurrentHashMap<>();

  /** Polls between two looks at the clock, some microseconds. */
  private static final int POLLS = 64;

  /**
   * How long a thread polls before it sleeps. Kernels come in quick succession, and a thread that
   * sleeps comes too late for most of them: to be woken takes about as long as they do.
   */
  private static final long WATCH_NANOS = 1_000_000;

  private static final long IDLE_SECONDS = 10;

  private final int threads;

  /**
   * The job begun last; each knows the one before it. Those without a task left go at some time.
   */
  private final AtomicReference<@Nullable Job> newest = new AtomicReference<>();

  /** One permit for each helper that a job asks for. */
  private final Semaphore asked = new Semaphore(0);

  private final AtomicInteger workers = new AtomicInteger();

  private Parallel(int threads) {
    this.threads = threads;
  }

  /** The process's pool with this many threads, the caller included. */
  static Parallel of(int threads) {
    return POOLS.computeIfAbsent(threads, Parallel::new);
  }

  /**
   * The number of threads asked for by the property, or that of the processors.
   *
   * @throws IllegalArgumentException if the property is not a whole number of at least 1
   */
  static int configuredThreads() {
    String text = System.getProperty(PROPERTY);
    if (text == null) {
      return Math.max(1, Runtime.getRuntime().availableProcessors());
    }
    try {
      int n = Integer.parseInt(text.strip());
      if (n >= 1) {
        return n;
      }
    } catch (NumberFormatException e) {
      throw invalid(text, e);
    }
    throw invalid(text, null);
  }

  private static IllegalArgumentException invalid(String text, @Nullable Throwable cause) {
    return new IllegalArgumentException(
        PROPERTY + " must be a whole number >= 1 but is '" + text + "'", cause);
  }

  int threads() {
    return threads;
  }

  /** A kernel's work, cut into numbered tasks that touch different results. */
  interface Task {
    void run(int index);
  }

  /** A kernel's work on elements {@code lo} (inclusive) to {@code hi} (exclusive). */
  interface Range {
    void run(int lo, int hi);
  }

  /** Whether a loop over this many elements is worth a split. */
  boolean splits(long work) {
    return work > GRAIN && threads > 1;
  }

  /**
   * Runs a range's pieces.
   *
   * @param n the number of items
   * @param workPerItem the elements that an item stands for
   */
  void ranges(int n, int workPerItem, Range body) {
    int items = Math.max(1, GRAIN / Math.max(1, workPerItem));
    int even = (int) (((long) n + 2L * threads - 1) / (2L * threads));
    int piece = Math.max(items, even);
    if (piece >= n) {
      body.run(0, n);
      return;
    }
    if (workPerItem == 1) {
      piece = (piece + 63) & -64;
    }
    int size = piece;
    int tasks = (int) (((long) n + size - 1) / size);
    run(new RangeJob(tasks, body, size, n));
  }

  /** Runs tasks 0 to {@code tasks - 1}, each once, and returns when all are done. */
  void run(int tasks, Task body) {
    run(new TaskJob(tasks, body));
  }

  private void run(Job job) {
    int helpers = Math.min(threads, job.tasks) - 1;
    if (helpers <= 0) {
      for (int i = 0; i < job.tasks; i++) {
        job.run(i);
      }
      return;
    }
    begin(job);
    asked.release(helpers);
    startWorkers();
    job.work(true);
    forgetFinished();
    job.await();
  }

  private void begin(Job job) {
    do {
      job.older = newest.get();
    } while (!newest.compareAndSet(job.older, job));
  }

  /** Lets go of the jobs begun last that have no task left; one that is under others waits. */
  private void forgetFinished() {
    Job job = newest.get();
    while (job != null && !job.hasTasks()) {
      newest.compareAndSet(job, job.older);
      job = newest.get();
    }
  }

  /** A job with a task left. */
  private @Nullable Job unfinished() {
    Job job = newest.get();
    while (job != null && !job.hasTasks()) {
      job = job.older;
    }
    return job;
  }

  private void startWorkers() {
    int running = workers.get();
    while (running < threads - 1) {
      if (workers.compareAndSet(running, running + 1)) {
        Thread t = new Thread(this::serve, "gradus-cpu-" + (running + 1));
        t.setDaemon(true);
        try {
          t.start();
        } catch (OutOfMemoryError e) {
          // No thread is to be had: the caller runs all tasks.
          workers.decrementAndGet();
          return;
        }
      }
      running = workers.get();
    }
  }

  private void serve() {
    while (true) {
      if (isAsked()) {
        Job job = unfinished();
        if (job != null) {
          job.work(false);
        }
      } else {
        workers.decrementAndGet();
        // A caller may have counted on this thread just before it stopped counting.
        if (asked.availablePermits() == 0 || !rejoin()) {
          return;
        }
      }
    }
  }

  private boolean rejoin() {
    int running = workers.get();
    return running < threads - 1 && workers.compareAndSet(running, running + 1);
  }

  /** Waits until a job asks for help; false after a time without. */
  @SuppressWarnings("ThreadPriorityCheck") // a yield only gives way, nothing waits for its effect
  private boolean isAsked() {
    long end = System.nanoTime() + WATCH_NANOS;
    do {
      for (int i = 0; i < POLLS; i++) {
        if (asked.tryAcquire()) {
          return true;
        }
        Thread.onSpinWait();
      }
      // Whoever else wants this processor goes first: the compiler has work when a program starts.
      Thread.yield();
    } while (System.nanoTime() - end < 0);
    try {
      return asked.tryAcquire(IDLE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      return false;
    }
  }

  /** Cut by tasks. */
  private static final class TaskJob extends Job {
    private final Task body;

    TaskJob(int tasks, Task body) {
      super(tasks);
      this.body = body;
    }

    @Override
    void run(int index) {
      body.run(index);
    }
  }

  /** Cut into pieces of a range. */
  private static final class RangeJob extends Job {
    private final Range body;
    private final int size;
    private final int n;

    RangeJob(int tasks, Range body, int size, int n) {
      super(tasks);
      this.body = body;
      this.size = size;
      this.n = n;
    }

    @Override
    void run(int index) {
      body.run(index * size, (int) Math.min(n, (index + 1L) * size));
    }
  }

  /**
   * One call's tasks. The caller takes them from the front, helpers from the back: from kernel to
   * kernel a thread mostly meets the same part of the data, which is still in its caches.
   */
  private abstract static class Job {
    private static final AtomicLongFieldUpdater<Job> LEFT =
        AtomicLongFieldUpdater.newUpdater(Job.class, "left");
    private static final AtomicIntegerFieldUpdater<Job> DONE =
        AtomicIntegerFieldUpdater.newUpdater(Job.class, "done");

    private final int tasks;
    private final Thread owner = Thread.currentThread();

    /** The tasks that nobody took: the first in the upper half, the end in the lower. */
    private volatile long left;

    private volatile int done;
    private volatile @Nullable Throwable failure;
    private @Nullable Job older;

    Job(int tasks) {
      this.tasks = tasks;
      this.left = tasks;
    }

    abstract void run(int index);

    private static int first(long span) {
      return (int) (span >>> Integer.SIZE);
    }

    boolean hasTasks() {
      long span = left;
      return first(span) < (int) span;
    }

    /** A task that is the caller's to run now, or -1. */
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
      if (DONE.incrementAndGet(this) == tasks) {
        LockSupport.unpark(owner);
      }
    }

    private boolean isDoneSoon() {
      for (int i = 0; i < POLLS && done < tasks; i++) {
        Thread.onSpinWait();
      }
      return done == tasks;
    }

    @SuppressWarnings("ThreadPriorityCheck") // a yield only gives way
    void await() {
      boolean interrupted = false;
      long end = System.nanoTime() + WATCH_NANOS;
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
      Throwable t = failure;
      if (t instanceof Error e) {
        throw e;
      }
      if (t instanceof RuntimeException e) {
        throw e;
      }
    }
  }
}
