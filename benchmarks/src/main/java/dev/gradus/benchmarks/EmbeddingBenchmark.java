package dev.gradus.benchmarks;

import dev.gradus.nn.Embedding;
import dev.gradus.optim.Adam;
import dev.gradus.optim.Optimizer;
import dev.gradus.optim.SparseAdam;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Tensor;
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
 * A table of 50,000 × 128 and a batch of 4,096 ids: the lookup, and a training step.
 *
 * <p>{@code ./gradus bench --filter EmbeddingBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class EmbeddingBenchmark {
  static final int ROWS = 50_000;
  static final int WIDTH = 128;
  static final int BATCH = 4_096;

  /** A first step of Adam is the rate, whatever the gradient. */
  private static final double TOLERANCE = 1e-6;

  /** What is measured; a step with another optimizer or gradient is another constant. */
  public enum Work {
    /** The lookup alone. */
    LOOKUP,
    /** Lookup, backward into the whole table, Adam over the whole table. */
    DENSE_STEP,
    /** Lookup, backward into the rows looked up, SparseAdam over those. */
    SPARSE_STEP
  }

  /** The backend. */
  @Param public On on = On.CPU;

  /** The work. */
  @Param public Work work = Work.LOOKUP;

  private Device device;
  private Embedding table;
  private Tensor ids;
  private Tensor grad;
  private Optimizer<?> optimizer;

  /** Makes table, ids and optimizer; a lookup and a step are verified. */
  @Setup
  public void prepare() {
    device = Device.over(on.open());
    table = new Embedding(device, ROWS, WIDTH);
    long[] drawn = Numbers.ids(BATCH, 1, ROWS);
    ids = device.tensor(drawn);
    grad = device.ones(BATCH, WIDTH);
    optimizer =
        work == Work.SPARSE_STEP
            ? SparseAdam.of(table.namedParameters())
            : Adam.of(table.namedParameters());
    float[] before = table.weight().detach().toFloatArray();
    verifyLookup(drawn, before);
    if (work != Work.LOOKUP) {
      step();
      float[] after = table.weight().detach().toFloatArray();
      verifyStep(work, drawn, before, after, optimizer.groups().get(0).lr());
    }
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private void verifyLookup(long[] drawn, float[] weight) {
    try (dev.gradus.tensor.Scope scope = dev.gradus.tensor.Scope.open()) {
      float[] rows = table.forward(ids).toFloatArray();
      Verify.close("lookup", rows, i -> weight[(int) drawn[i / WIDTH] * WIDTH + i % WIDTH], 0);
    }
  }

  /** Refuses a table that is not what a first step makes of it. */
  static void verifyStep(Work work, long[] drawn, float[] before, float[] after, double lr) {
    boolean[] seen = new boolean[ROWS];
    for (long id : drawn) {
      seen[(int) id] = true;
    }
    Verify.close(work.toString(), after, i -> before[i] - (seen[i / WIDTH] ? lr : 0), TOLERANCE);
  }

  /** The work, once. */
  @Benchmark
  public void run() {
    switch (work) {
      case LOOKUP -> lookup();
      case DENSE_STEP, SPARSE_STEP -> step();
    }
  }

  @SuppressWarnings("try") // scope and block are open for their effect
  private void lookup() {
    try (dev.gradus.tensor.Scope scope = dev.gradus.tensor.Scope.open();
        NoGrad off = NoGrad.open()) {
      table.forward(ids);
      device.synchronize();
    }
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private void step() {
    try (dev.gradus.tensor.Scope scope = dev.gradus.tensor.Scope.open()) {
      optimizer.zeroGrad();
      table.forward(ids).backward(grad);
      optimizer.step();
      device.synchronize();
    }
  }

  /** Closes the device. */
  @TearDown
  public void close() {
    device.close();
  }
}
