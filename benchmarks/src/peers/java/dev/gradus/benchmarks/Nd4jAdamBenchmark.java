package dev.gradus.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Adam on ND4J: an updater for each parameter, which writes the step over the gradient, and a
 * subtraction. Groups make no difference to it, and AdamW it has not.
 *
 * <p>{@code ./gradus bench --peers --filter Nd4jAdamBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class Nd4jAdamBenchmark {
  /** The shapes. */
  @Param({"ONE_33M_IN_1", "ONE_1M_IN_1", "THOUSAND_IN_1", "SMALL_IN_1", "GPT_IN_1"})
  public AdamTable table = AdamTable.SMALL_IN_1;

  /** The update. */
  @Param({"ADAM", "AMSGRAD"})
  public AdamVariant variant = AdamVariant.ADAM;

  private final List<Slot> slots = new ArrayList<>();
  private int iteration;
  private long bytes;

  private record Slot(GradientUpdater<?> updater, INDArray param, INDArray grad) {}

  /** Makes parameters with gradients and the updaters; three steps of them are verified. */
  @Setup
  public void prepare() {
    if (variant.decoupled()) {
      throw new IllegalStateException("ND4J has no AdamW; leave it out with --filter");
    }
    Nd4j.getEnvironment().setMaxThreads(Cores.count());
    int[] sizes = table.sizes();
    for (int i = 0; i < sizes.length; i++) {
      IUpdater rule = rule();
      INDArray states = Nd4j.zeros(1, rule.stateSize(sizes[i]));
      INDArray param = Nd4j.createFromArray(AdamValues.parameters(i, sizes[i]));
      slots.add(new Slot(rule.instantiate(states, true), param, param.like()));
    }
    for (int t = 1; t <= AdamValues.STEPS; t++) {
      for (int i = 0; i < sizes.length; i++) {
        slots.get(i).grad.assign(Nd4j.createFromArray(AdamValues.gradients(i, sizes[i])));
      }
      step(new Moved());
    }
    for (int i = 0; i < sizes.length; i++) {
      OuterEpsilon.verify(variant, i, slots.get(i).param.toFloatVector());
    }
    bytes = table.parameters() * variant.bytesPerValue();
  }

  private IUpdater rule() {
    double lr = AdamVariant.LR;
    double beta1 = AdamVariant.BETA1;
    double beta2 = AdamVariant.BETA2;
    return variant.amsgrad()
        ? new AMSGrad(lr, beta1, beta2, AdamVariant.EPS)
        : new Adam(lr, beta1, beta2, AdamVariant.EPS);
  }

  /** One step of all parameters; the gradient of the next one is this one's step. */
  @Benchmark
  public void step(Moved moved) {
    for (Slot s : slots) {
      s.updater.applyUpdater(s.grad, iteration, 0);
      s.param.subi(s.grad);
    }
    iteration++;
    moved.bytes += bytes;
  }
}
