package dev.gradus.benchmarks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.ArrayList;
import java.util.List;
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
 * Adam on DJL with its PyTorch engine: a call for each parameter, which has no groups but one
 * optimizer for each, and no AMSGrad. Its native code comes from its jars; nothing is fetched when
 * it runs.
 *
 * <p>{@code ./gradus bench --peers --filter DjlAdamBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class DjlAdamBenchmark {
  /** The shapes and groups. */
  @Param public AdamTable table = AdamTable.SMALL_IN_8;

  /** The update. */
  @Param({"ADAM", "ADAMW"})
  public AdamVariant variant = AdamVariant.ADAM;

  private final List<Slot> slots = new ArrayList<>();
  private NDManager manager;
  private long bytes;

  private record Slot(Optimizer optimizer, String name, NDArray param, NDArray grad) {}

  /** Makes parameters with gradients and the optimizers; three steps of them are verified. */
  @Setup
  public void prepare() {
    if (variant.amsgrad()) {
      throw new IllegalStateException("DJL has no AMSGrad; leave it out with --filter");
    }
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(Cores.count()));
    manager = NDManager.newBaseManager("PyTorch");
    List<Optimizer> optimizers = new ArrayList<>();
    for (int g = 0; g < table.groups(); g++) {
      optimizers.add(optimizer());
    }
    int[] sizes = table.sizes();
    for (int i = 0; i < sizes.length; i++) {
      slots.add(
          new Slot(
              optimizers.get(table.groupOf(i, sizes.length)),
              Integer.toString(i),
              manager.create(AdamValues.parameters(i, sizes[i])),
              manager.create(AdamValues.gradients(i, sizes[i]))));
    }
    for (int t = 1; t <= AdamValues.STEPS; t++) {
      step(new Moved());
    }
    for (int i = 0; i < sizes.length; i++) {
      OuterEpsilon.verify(variant, i, slots.get(i).param().toFloatArray());
    }
    bytes = table.parameters() * variant.bytesPerValue();
  }

  private Optimizer optimizer() {
    Tracker rate = Tracker.fixed((float) AdamVariant.LR);
    float beta1 = (float) AdamVariant.BETA1;
    float beta2 = (float) AdamVariant.BETA2;
    float eps = (float) AdamVariant.EPS;
    return variant.decoupled()
        ? Optimizer.adamW()
            .optLearningRateTracker(rate)
            .optBeta1(beta1)
            .optBeta2(beta2)
            .optEpsilon(eps)
            .optWeightDecays((float) variant.weightDecay())
            .build()
        : Optimizer.adam()
            .optLearningRateTracker(rate)
            .optBeta1(beta1)
            .optBeta2(beta2)
            .optEpsilon(eps)
            .build();
  }

  /** One step of all parameters. */
  @Benchmark
  public void step(Moved moved) {
    for (Slot s : slots) {
      s.optimizer.update(s.name, s.param, s.grad);
    }
    moved.bytes += bytes;
  }

  /** Frees the arrays. */
  @TearDown
  public void close() {
    manager.close();
  }
}
