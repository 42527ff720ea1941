package dev.gradus.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The memory's own speed, from Java: what no update can pass. Copy moves 8 bytes a value, triad
 * ({@code a = b + s c}) 12.
 *
 * <p>{@code ./gradus bench --filter MemoryBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class MemoryBenchmark {
  private static final float SCALE = 0.5f;

  /** How many threads move the arrays. */
  public enum Threads {
    /** One. */
    ONE,
    /** As many as the engines get. */
    ALL
  }

  /** The threads. */
  @Param public Threads threads = Threads.ALL;

  /** The values of an array: as many as the largest of Adam's. */
  @Param("33554432")
  public int values = 1 << 25;

  private ExecutorService pool;
  private final List<Callable<Void>> copies = new ArrayList<>();
  private final List<Callable<Void>> triads = new ArrayList<>();

  /** Makes three arrays and the parts of each thread; both results are verified. */
  @Setup
  public void prepare() throws InterruptedException {
    int count = threads == Threads.ONE ? 1 : Cores.count();
    pool = Executors.newFixedThreadPool(count);
    float[] a = new float[values];
    float[] b = Numbers.uniform(values, 1, -1, 1);
    float[] c = Numbers.uniform(values, 2, -1, 1);
    for (int t = 0; t < count; t++) {
      int from = (int) ((long) values * t / count);
      int to = (int) ((long) values * (t + 1) / count);
      copies.add(
          () -> {
            System.arraycopy(b, from, a, from, to - from);
            return null;
          });
      triads.add(
          () -> {
            triad(a, b, c, from, to);
            return null;
          });
    }
    copy(new Moved());
    Verify.close("copy", a, i -> b[i], 0);
    triad(new Moved());
    Verify.close("triad", a, i -> b[i] + SCALE * c[i], 0);
  }

  private static void triad(float[] a, float[] b, float[] c, int from, int to) {
    for (int i = from; i < to; i++) {
      a[i] = b[i] + SCALE * c[i];
    }
  }

  /** Copies one array to another. */
  @Benchmark
  public void copy(Moved moved) throws InterruptedException {
    pool.invokeAll(copies);
    moved.bytes += 8L * values;
  }

  /** Adds one array and a multiple of another into a third. */
  @Benchmark
  public void triad(Moved moved) throws InterruptedException {
    pool.invokeAll(triads);
    moved.bytes += 12L * values;
  }

  /** Ends the threads. */
  @TearDown
  public void close() {
    pool.shutdown();
  }
}
