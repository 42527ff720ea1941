package dev.gradus.benchmarks;

import java.util.concurrent.TimeUnit;
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
 * Elementwise operations on libtorch, results allocated by it.
 *
 * <p>{@code ./gradus bench --peers --filter TorchElementwiseBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class TorchElementwiseBenchmark {
  /** As for ours. */
  private static final double TOLERANCE = 2e-6;

  /** The operation. */
  @Param public ElementwiseOp op = ElementwiseOp.EXP;

  /** The number of elements. */
  @Param({"1000", "1048576"})
  public int size = 1000;

  private Tensor x;
  private Tensor y;

  /** Makes the operands; the result is verified. */
  @Setup
  public void prepare() {
    Torch.open();
    float[] xs = op.operand(size);
    float[] ys = Numbers.uniform(size, 2, -3, 3);
    x = Torch.tensor(xs);
    y = Torch.tensor(ys);
    Verify.close(op + " of " + size, Torch.values(apply()), i -> op.value(xs[i], ys[i]), TOLERANCE);
  }

  private Tensor apply() {
    return switch (op) {
      case ADD -> torch.add(x, y);
      case MUL -> torch.mul(x, y);
      case EXP -> torch.exp(x);
      case TANH -> torch.tanh(x);
      case SIGMOID -> torch.sigmoid(x);
      case LOG -> torch.log(x);
      case GELU -> torch.gelu(x);
      case RELU -> torch.relu(x);
    };
  }

  /** The operation, once. */
  @Benchmark
  public void forward() {
    apply().close();
  }
}
