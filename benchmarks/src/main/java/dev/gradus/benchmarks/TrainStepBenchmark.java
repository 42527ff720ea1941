package dev.gradus.benchmarks;

import dev.gradus.nn.Module;
import dev.gradus.optim.Adam;
import dev.gradus.tensor.Device;
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
 * A whole training step with two groups: zero gradients, forward, backward, Adam.
 *
 * <p>{@code ./gradus bench --filter TrainStepBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class TrainStepBenchmark {
  /** Steps within which the loss on a batch that stays must have fallen. */
  private static final int STEPS = 20;

  /** The backend. */
  @Param public On on = On.CPU;

  /** The model. */
  @Param public TrainModel model = TrainModel.TOUR;

  private Device device;
  private Module module;
  private TrainModel.Batch batch;
  private Adam adam;

  /** Makes model, batch and optimizer; that the loss falls is verified. */
  @Setup
  public void prepare() {
    device = Device.over(on.open());
    device.manualSeed(0);
    module = model.model(device);
    batch = model.batch(device);
    adam =
        Adam.withDefaults(o -> o.withLr(1e-3))
            .group("head", module.namedParameters().matching(model.group()), o -> o.withLr(2e-3))
            .group("rest", module.namedParameters().others())
            .build();
    module.eval();
    double before = loss();
    module.train();
    for (int i = 0; i < STEPS; i++) {
      step();
    }
    module.eval();
    double after = loss();
    module.train();
    if (!(after < before)) {
      throw new IllegalStateException(
          model + ": the loss was " + before + " and after " + STEPS + " steps is " + after);
    }
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private double loss() {
    try (dev.gradus.tensor.Scope scope = dev.gradus.tensor.Scope.open()) {
      return model.loss(module.forward(batch.inputs()), batch.targets()).item();
    }
  }

  /** One step. */
  @SuppressWarnings("try") // the scope is open for its effect
  @Benchmark
  public void step() {
    try (dev.gradus.tensor.Scope scope = dev.gradus.tensor.Scope.open()) {
      adam.zeroGrad();
      Tensor loss = model.loss(module.forward(batch.inputs()), batch.targets());
      loss.backward();
      adam.step();
      device.synchronize();
    }
  }

  /** Closes the device. */
  @TearDown
  public void close() {
    device.close();
  }
}
