package dev.gradus.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Adam;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.OptimizerParamGroup;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Adam on libtorch: its fused kernel, a call a group; its operations on lists, a dozen calls a
 * group; and its C++ optimizer, a loop over parameters.
 *
 * <p>{@code ./gradus bench --peers --filter TorchAdamBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class TorchAdamBenchmark {
  /** The ways that libtorch has. */
  public enum Path {
    /** The fused kernel. */
    FUSED,
    /** The operations on lists of tensors. */
    FOREACH,
    /** torch::optim::Adam and AdamW. */
    FOR_LOOP
  }

  /** The way. */
  @Param public Path way = Path.FUSED;

  /** The shapes and groups. */
  @Param public AdamTable table = AdamTable.SMALL_IN_8;

  /** The update. */
  @Param public AdamVariant variant = AdamVariant.ADAM;

  private Runnable step = () -> {};
  private long bytes;

  /** Makes parameters with gradients and the optimizer; three steps of it are verified. */
  @Setup
  public void prepare() {
    Torch.open();
    int[] sizes = table.sizes();
    List<Tensor> all = new ArrayList<>();
    List<List<Tensor>> params = new ArrayList<>();
    List<List<Tensor>> grads = new ArrayList<>();
    for (int g = 0; g < table.groups(); g++) {
      params.add(new ArrayList<>());
      grads.add(new ArrayList<>());
    }
    for (int i = 0; i < sizes.length; i++) {
      Tensor p = Torch.tensor(AdamValues.parameters(i, sizes[i]));
      Tensor grad = Torch.tensor(AdamValues.gradients(i, sizes[i]));
      if (way == Path.FOR_LOOP) {
        p.set_requires_grad(true);
        p.mutable_grad().put(grad);
      }
      int g = table.groupOf(i, sizes.length);
      params.get(g).add(p);
      grads.get(g).add(grad);
      all.add(p);
    }
    step =
        switch (way) {
          case FUSED -> fused(params, grads);
          case FOREACH -> foreach(params, grads);
          case FOR_LOOP -> loop(params);
        };
    for (int t = 1; t <= AdamValues.STEPS; t++) {
      step.run();
    }
    for (int i = 0; i < sizes.length; i++) {
      AdamValues.verify(variant, i, Torch.values(all.get(i)));
    }
    bytes = table.parameters() * variant.bytesPerValue();
  }

  private Runnable fused(List<List<Tensor>> params, List<List<Tensor>> grads) {
    TorchFusedAdam adam = new TorchFusedAdam(variant);
    params.forEach(group -> adam.group(group, AdamVariant.LR));
    adam.gradients(grads);
    return adam::step;
  }

  private Runnable foreach(List<List<Tensor>> params, List<List<Tensor>> grads) {
    TorchForeachAdam adam = new TorchForeachAdam(variant);
    for (int g = 0; g < params.size(); g++) {
      adam.group(params.get(g), grads.get(g));
    }
    return adam::step;
  }

  private Runnable loop(List<List<Tensor>> params) {
    Optimizer adam =
        variant.decoupled() ? adamW(vector(params.get(0))) : adam(vector(params.get(0)));
    for (List<Tensor> more : params.subList(1, params.size())) {
      adam.add_param_group(new OptimizerParamGroup(vector(more)));
    }
    return variant.decoupled() ? ((AdamW) adam)::step : ((Adam) adam)::step;
  }

  private Adam adam(TensorVector first) {
    AdamOptions options = new AdamOptions(AdamVariant.LR);
    options.amsgrad().put(variant.amsgrad());
    return new Adam(first, options);
  }

  private AdamW adamW(TensorVector first) {
    AdamWOptions options = new AdamWOptions(AdamVariant.LR);
    options.weight_decay().put(variant.weightDecay());
    return new AdamW(first, options);
  }

  private static TensorVector vector(List<Tensor> tensors) {
    return new TensorVector(tensors.toArray(Tensor[]::new));
  }

  /** One step of all groups. */
  @Benchmark
  public void step(Moved moved) {
    step.run();
    moved.bytes += bytes;
  }
}
