package dev.gradus.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Training steps on libtorch with two groups and its fused Adam: the tour's model, the perceptron.
 *
 * <p>{@code ./gradus bench --peers --filter TorchTrainStepBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class TorchTrainStepBenchmark {
  private static final int STEPS = 20;

  /** The model. */
  @Param({"TOUR", "PERCEPTRON_64", "PERCEPTRON_256"})
  public TrainModel model = TrainModel.TOUR;

  private final List<Tensor> params = new ArrayList<>();
  private Tensor inputs;
  private Tensor targets;
  private TorchFusedAdam adam;

  /** Makes model, batch and optimizer; that the loss falls is verified. */
  @Setup
  public void prepare() {
    Torch.open();
    if (model == TrainModel.TOUR) {
      params.add(weight(5, 5));
      linear(5, 3);
      linear(3, 1);
      inputs = Torch.tensor(new long[] {0, 1, 2, 3, 4});
      targets = Torch.tensor(new float[] {0, 1, 0, 1, 1}, 5, 1);
    } else {
      linear(784, 512);
      linear(512, 512);
      linear(512, 10);
      int count = model == TrainModel.PERCEPTRON_64 ? 64 : 256;
      inputs = Torch.tensor(TrainModel.pixels(count), count, 784);
      targets = Torch.tensor(Numbers.ids(count, 2, 10));
    }
    int last = params.size() - 2;
    adam = new TorchFusedAdam(AdamVariant.ADAM);
    adam.group(params.subList(last, params.size()), 2e-3);
    adam.group(params.subList(0, last), 1e-3);
    float before = loss().item_float();
    for (int i = 0; i < STEPS; i++) {
      step();
    }
    float after = loss().item_float();
    if (!(after < before)) {
      throw new IllegalStateException(
          model + ": the loss was " + before + " and after " + STEPS + " steps is " + after);
    }
  }

  private static Tensor weight(int rows, int cols) {
    float bound = (float) (1 / Math.sqrt(cols));
    Tensor w = Torch.tensor(Numbers.uniform(rows * cols, rows, -bound, bound), rows, cols);
    return w.set_requires_grad(true);
  }

  private void linear(int in, int out) {
    params.add(weight(out, in));
    params.add(torch.zeros(out).set_requires_grad(true));
  }

  private Tensor loss() {
    if (model == TrainModel.TOUR) {
      Tensor x = torch.embedding(params.get(0), inputs);
      x = torch.linear(x, params.get(1), params.get(2));
      x = torch.linear(x, params.get(3), params.get(4));
      return torch.binary_cross_entropy(torch.sigmoid(x), targets);
    }
    Tensor x = torch.relu(torch.linear(inputs, params.get(0), params.get(1)));
    x = torch.relu(torch.linear(x, params.get(2), params.get(3)));
    return torch.cross_entropy_loss(torch.linear(x, params.get(4), params.get(5)), targets);
  }

  /** One step. */
  @SuppressWarnings("try") // the scope is open for its effect
  @Benchmark
  public void step() {
    try (PointerScope scope = new PointerScope()) {
      adam.zeroGrad();
      loss().backward();
      adam.stepAfterBackward();
    }
  }
}
