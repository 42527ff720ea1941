package dev.gradus.benchmarks;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.optim.Adam;
import dev.gradus.optim.OptimizerBuilder;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
 * Adam as users write it: {@code step()} of an optimizer with groups, gradients at hand.
 *
 * <p>{@code ./gradus bench --filter AdamOptimizerBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class AdamOptimizerBenchmark {
  /** The backend. */
  @Param public On on = On.CPU;

  /** The shapes and groups. */
  @Param public AdamTable table = AdamTable.SMALL_IN_8;

  /** The update. */
  @Param public AdamVariant variant = AdamVariant.ADAM;

  private Device device;
  private Adam adam;
  private long bytes;

  /** Makes parameters with gradients and the optimizer; three steps of it are verified. */
  @Setup
  public void prepare() {
    device = Device.over(on.open());
    int[] sizes = table.sizes();
    List<Map.Entry<String, Parameter>> named = new ArrayList<>();
    for (int i = 0; i < sizes.length; i++) {
      named.add(Map.entry(table.groupOf(i, sizes.length) + "." + i, parameter(i, sizes[i])));
    }
    adam = optimizer(NamedParameters.of(named));
    for (int t = 1; t <= AdamValues.STEPS; t++) {
      adam.step();
    }
    for (int i = 0; i < sizes.length; i++) {
      AdamValues.verify(variant, i, named.get(i).getValue().detach().toFloatArray());
    }
    bytes = table.parameters() * variant.bytesPerValue();
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private Parameter parameter(int i, int size) {
    Parameter p;
    try (dev.gradus.tensor.Scope scope = dev.gradus.tensor.Scope.open()) {
      p = new Parameter(device.tensor(AdamValues.parameters(i, size)));
      Tensor grad = device.tensor(AdamValues.gradients(i, size));
      p.mul(grad).sum().backward();
    }
    return p;
  }

  private Adam optimizer(NamedParameters named) {
    OptimizerBuilder<Adam.Options, Adam> builder =
        Adam.withDefaults(
            o ->
                o.withLr(AdamVariant.LR)
                    .withAmsgrad(variant.amsgrad())
                    .withWeightDecay(variant.weightDecay())
                    .withDecoupled(variant.decoupled()));
    for (int g = 0; g < table.groups(); g++) {
      builder.group("g" + g, named.matching(g + ".*"));
    }
    return builder.build();
  }

  /** One step of the optimizer. */
  @Benchmark
  public void step(Moved moved) {
    adam.step();
    device.synchronize();
    moved.bytes += bytes;
  }

  /** Closes the device. */
  @TearDown
  public void close() {
    device.close();
  }
}
