package dev.gradus.backend.cpu;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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

  /** Empty polls before a thread sleeps, some 20 microseconds: kernels come in quick succession. */
  private static final int SPINS = 400;

  private static final long IDLE_SECONDS = 10;

  private final int threads;
  private final LinkedBlockingQueue<Job> queue = new LinkedBlockingQueue<>();
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
    run(tasks, t -> body.run(t * size, (int) Math.min(n, (t + 1L) * size)));
  }

  /** Runs tasks 0 to {@code tasks - 1}, each once, and returns when all are done. */
  void run(int tasks, Task body) {
    int helpers = Math.min(threads, tasks) - 1;
    if (helpers <= 0) {
      for (int i = 0; i < tasks; i++) {
        body.run(i);
      }
      return;
    }
    Job job = new Job(tasks, body, Thread.currentThread());
    for (int i = 0; i < helpers; i++) {
      queue.add(job);
    }
    startWorkers();
    job.work();
    job.await();
  }

  private void startWorkers() {
    int running = workers.get();
    while (running < threads - 1) {
      if (workers.compareAndSet(running, running + 1)) {
        Thread t = new Thread(this::serve, "gradus-cpu-" + (running + 1));
        t.setDaemon(true);
        t.start();
      }
      running = workers.get();
    }
  }

  private void serve() {
    while (true) {
      Job job = next();
      if (job != null) {
        job.work();
      } else {
        workers.decrementAndGet();
        // A caller may have counted on this thread just before it stopped counting.
        if (queue.isEmpty() || !rejoin()) {
          return;
        }
      }
    }
  }

  private boolean rejoin() {
    int running = workers.get();
    return running < threads - 1 && workers.compareAndSet(running, running + 1);
  }

  private @Nullable Job next() {
    for (int i = 0; i < SPINS; i++) {
      Job job = queue.poll();
      if (job != null) {
        return job;
      }
      Thread.onSpinWait();
    }
    try {
      return queue.poll(IDLE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      return null;
    }
  }

  /** One call's tasks. */
  private static final class Job {
    private final int tasks;
    private final Task body;
    private final Thread owner;
    private final AtomicInteger taken = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private volatile @Nullable Throwable failure;

    Job(int tasks, Task body, Thread owner) {
      this.tasks = tasks;
      this.body = body;
      this.owner = owner;
    }

    @SuppressWarnings("CatchingUnchecked") // carried to the caller, which throws it
    void work() {
      // A late helper finds everything taken, and the counter must not run over.
      while (taken.get() < tasks) {
        int i = taken.getAndIncrement();
        if (i >= tasks) {
          return;
        }
        try {
          if (failure == null) {
            body.run(i);
          }
        } catch (Throwable t) {
          failure = t;
        }
        if (done.incrementAndGet() == tasks) {
          LockSupport.unpark(owner);
        }
      }
    }

    void await() {
      int spins = 0;
      boolean interrupted = false;
      while (done.get() < tasks) {
        if (spins++ < SPINS) {
          Thread.onSpinWait();
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
