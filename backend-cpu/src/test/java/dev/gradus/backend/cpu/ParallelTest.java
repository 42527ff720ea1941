package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.gradus.spi.Probe;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ParallelTest {
  private static final String BEFORE = System.getProperty(Parallel.PROPERTY, "");

  @AfterEach
  void restore() {
    if (BEFORE.isEmpty()) {
      System.clearProperty(Parallel.PROPERTY);
    } else {
      System.setProperty(Parallel.PROPERTY, BEFORE);
    }
  }

  @Test
  void everyTaskRunsOnce() {
    for (int threads : new int[] {1, 2, 5}) {
      for (int tasks : new int[] {0, 1, 2, 7, 1000}) {
        AtomicIntegerArray runs = new AtomicIntegerArray(tasks);
        Parallel.of(threads).run(tasks, runs::incrementAndGet);
        for (int i = 0; i < tasks; i++) {
          assertEquals(1, runs.get(i));
        }
      }
    }
  }

  @Test
  void rangesCoverEveryItemOnce() {
    for (int n : new int[] {1, 32_769, 100_003, 1_000_000}) {
      AtomicIntegerArray runs = new AtomicIntegerArray(n);
      Parallel.of(3)
          .ranges(
              n,
              1,
              (lo, hi) -> {
                for (int i = lo; i < hi; i++) {
                  runs.incrementAndGet(i);
                }
              });
      for (int i = 0; i < n; i++) {
        assertEquals(1, runs.get(i));
      }
    }
  }

  @Test
  void anExceptionReachesTheCallerAndThePoolGoesOn() {
    Parallel parallel = Parallel.of(2);
    IllegalStateException thrown = new IllegalStateException("from a task");
    for (int round = 0; round < 100; round++) {
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class,
              () ->
                  parallel.run(
                      16,
                      i -> {
                        if (i == 11) {
                          throw thrown;
                        }
                      }));
      assertSame(thrown, e);
    }
    AtomicInteger sum = new AtomicInteger();
    parallel.run(10, sum::addAndGet);
    assertEquals(45, sum.get());
  }

  @Test
  void sixteenCallersAndNestedCallsEnd() throws Exception {
    Parallel parallel = Parallel.of(2);
    ExecutorService callers = Executors.newFixedThreadPool(16);
    try {
      List<Future<Integer>> results = new ArrayList<>();
      for (int c = 0; c < 16; c++) {
        results.add(
            callers.submit(
                () -> {
                  AtomicInteger sum = new AtomicInteger();
                  for (int round = 0; round < 200; round++) {
                    parallel.run(4, i -> parallel.run(4, sum::addAndGet));
                  }
                  return sum.get();
                }));
      }
      for (Future<Integer> r : results) {
        assertEquals(200 * 4 * 6, r.get(60, TimeUnit.SECONDS));
      }
    } finally {
      callers.shutdownNow();
    }
  }

  @Test
  void callsThatAStackOverflowEndsLeaveTheHelpersToOthers() {
    Parallel parallel = Parallel.of(2);
    for (int round = 0; round < 60; round++) {
      assertThrows(StackOverflowError.class, () -> callDeeper(parallel));
    }
    CountDownLatch both = new CountDownLatch(2);
    AtomicInteger met = new AtomicInteger();
    parallel.run(
        2,
        i -> {
          both.countDown();
          if (isDown(both)) {
            met.incrementAndGet();
          }
        });
    assertEquals(2, met.get(), "tasks that ran while the other did");
  }

  private static int callDeeper(Parallel parallel) {
    parallel.run(2, i -> {});
    return 1 + callDeeper(parallel);
  }

  private static boolean isDown(CountDownLatch latch) {
    try {
      return latch.await(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aCallMakesNoObjects() {
    Parallel parallel = Parallel.of(2);
    AtomicInteger sum = new AtomicInteger();
    Parallel.Task task = sum::addAndGet;
    Parallel.Range range = (lo, hi) -> sum.addAndGet(hi - lo);
    for (int warmUp = 0; warmUp < 100; warmUp++) {
      callBoth(parallel, task, range);
    }
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < 1000; i++) {
      callBoth(parallel, task, range);
    }
    long made = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(made < 1000 * 16, made + " bytes, where an object a call takes 16,000");
  }

  private static void callBoth(Parallel parallel, Parallel.Task task, Parallel.Range range) {
    parallel.run(4, task);
    parallel.ranges(4 * Parallel.GRAIN, 1, range);
  }

  @Test
  void thePropertySetsTheNumberOfThreads() {
    System.setProperty(Parallel.PROPERTY, "3");
    assertEquals(3, Parallel.configuredThreads());
    System.clearProperty(Parallel.PROPERTY);
    assertTrue(Parallel.configuredThreads() >= 1);
  }

  @Test
  void anInvalidNumberOfThreadsIsRefused() {
    for (String text : List.of("0", "-1", "two", "1.5", "")) {
      System.setProperty(Parallel.PROPERTY, text);
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> new CpuBackendProvider().open(0));
      assertEquals(
          "gradus.threads must be a whole number >= 1 but is '" + text + "'", e.getMessage());
      Probe probe = new CpuBackendProvider().probe();
      assertEquals(Probe.Status.BROKEN, probe.status());
      assertEquals(e.getMessage(), probe.reason());
      assertEquals("correct the property, or leave it out", probe.remedy());
    }
  }
}
