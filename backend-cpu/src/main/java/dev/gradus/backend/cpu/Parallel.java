package dev.gradus.backend.cpu;

import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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
  static final int POLLS = 64;

  /**
   * How long a thread polls before it sleeps. Kernels come in quick succession, and a thread that
   * sleeps comes too late for most of them: to be woken takes about as long as they do.
   */
  static final long WATCH_NANOS = 1_000_000;

  private static final long IDLE_SECONDS = 10;

  private final int threads;

  /** As many as threads: while that many calls are under way, a further one needs no help. */
  private final Job[] jobs;

  /** One permit for each helper that a job asks for. */
  private final Semaphore asked = new Semaphore(0);

  private final AtomicInteger workers = new AtomicInteger();

  private Parallel(int threads) {
    this.threads = threads;
    this.jobs = new Job[threads];
    Arrays.setAll(jobs, i -> new Job());
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
    int tasks = (int) (((long) n + piece - 1) / piece);
    Job job = claim(tasks);
    if (job == null) {
      body.run(0, n);
    } else {
      job.begin(tasks, body, piece, n);
      run(job, tasks);
    }
  }

  /** Runs tasks 0 to {@code tasks - 1}, each once, and returns when all are done. */
  void run(int tasks, Task body) {
    Job job = claim(tasks);
    if (job == null) {
      for (int i = 0; i < tasks; i++) {
        body.run(i);
      }
    } else {
      job.begin(tasks, body);
      run(job, tasks);
    }
  }

  /** A job for so many tasks; null where the caller is to run them all. */
  private @Nullable Job claim(int tasks) {
    if (Math.min(threads, tasks) <= 1) {
      return null;
    }
    for (Job job : jobs) {
      if (job.claim()) {
        return job;
      }
    }
    // One without a task left is its caller's business alone, and makes room. A call that a stack
    // overflow ended never gives its job back.
    for (int i = 0; i < jobs.length; i++) {
      if (!jobs[i].hasTasks()) {
        Job fresh = new Job();
        jobs[i] = fresh;
        return fresh.claim() ? fresh : null;
      }
    }
    return null;
  }

  private void run(Job job, int tasks) {
    asked.release(Math.min(threads, tasks) - 1);
    startWorkers();
    job.work(true);
    Throwable thrown = job.end();
    if (thrown instanceof Error e) {
      throw e;
    }
    if (thrown instanceof RuntimeException e) {
      throw e;
    }
  }

  private void startWorkers() {
    int running = workers.get();
    while (running < threads - 1) {
      if (workers.compareAndSet(running, running + 1)) {
        try {
          Thread t = new Thread(this::serve, "gradus-cpu-" + (running + 1));
          t.setDaemon(true);
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
        help();
      } else {
        workers.decrementAndGet();
        // A caller may have counted on this thread just before it stopped counting.
        if (asked.availablePermits() == 0 || !rejoin()) {
          return;
        }
      }
    }
  }

  private void help() {
    for (Job job : jobs) {
      if (job.hasTasks()) {
        job.work(false);
        return;
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
}
