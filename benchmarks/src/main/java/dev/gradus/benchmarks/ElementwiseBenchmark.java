package dev.gradus.benchmarks;

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
 * Elementwise operations as users write them: forward without gradients, and forward with backward
 * from a gradient of ones.
 *
 * <p>{@code ./gradus bench --filter ElementwiseBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class ElementwiseBenchmark {
  /** Two roundings of float32 and an error of a few units in the last place of the function. */
  private static final double TOLERANCE = 2e-6;

  /** The backend. */
  @Param public On on = On.CPU;

  /** The operation. */
  @Param public ElementwiseOp op = ElementwiseOp.EXP;

  /** The number of elements. */
  @Param({"1000", "1048576"})
  public int size = 1000;

  private Device device;
  private Tensor x;
  private Tensor y;
  private Tensor ones;

  /** Makes the operands; result and gradient are verified. */
  @SuppressWarnings("try") // scope and block are open for their effect
  @Setup
  public void prepare() {
    device = Device.over(on.open());
    float[] xs = op.operand(size);
    float[] ys = Numbers.uniform(size, 2, -3, 3);
    x = device.tensor(xs).requiresGrad(true);
    y = device.tensor(ys);
    ones = device.ones(size);
    try (dev.gradus.tensor.Scope scope = dev.gradus.tensor.Scope.open();
        NoGrad off = NoGrad.open()) {
      float[] values = op.apply(x, y).toFloatArray();
      Verify.close(op + " of " + size, values, i -> op.value(xs[i], ys[i]), TOLERANCE);
    }
    backward();
    float[] grads = x.grad().toFloatArray();
    Verify.close("backward of " + op, grads, i -> op.slope(xs[i], ys[i]), TOLERANCE);
  }

  /** Forward alone. */
  @SuppressWarnings("try") // scope and block are open for their effect
  @Benchmark
  public void forward() {
    try (dev.gradus.tensor.Scope scope = dev.gradus.tensor.Scope.open();
        NoGrad off = NoGrad.open()) {
      op.apply(x, y);
      device.synchronize();
    }
  }

  /** Forward and backward. */
  @SuppressWarnings("try") // the scope is open for its effect
  @Benchmark
  public void backward() {
    try (dev.gradus.tensor.Scope scope = dev.gradus.tensor.Scope.open()) {
      x.zeroGrad();
      op.apply(x, y).backward(ones);
      device.synchronize();
    }
  }

  /** Closes the device. */
  @TearDown
  public void close() {
    device.close();
  }
}
