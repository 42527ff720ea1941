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
 * Products of square matrices as users write them: {@code matmul} of tensors in a scope, without
 * gradients.
 *
 * <p>{@code ./gradus bench --filter GemmBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class GemmBenchmark {
  /** The backend. */
  @Param public On on = On.CPU;

  /** How products use OpenBLAS: the property gradus.blas. */
  @Param({"tiled", "whole", "off"})
  public String blas = "tiled";

  /** The form. */
  @Param public GemmForm form = GemmForm.PLAIN;

  /** Rows and columns. */
  @Param({"8", "16", "32", "64", "128", "256", "512", "1024", "2048"})
  public int n = 8;

  private Device device;
  private Tensor a;
  private Tensor b;

  /** Makes two matrices; their product is verified. */
  @SuppressWarnings("try") // scope and block are open for their effect
  @Setup
  public void prepare() {
    System.setProperty("gradus.blas", blas);
    device = Device.over(on.open());
    float[] left = Numbers.uniform(n * n, 1, -1, 1);
    float[] right = Numbers.uniform(n * n, 2, -1, 1);
    a = device.tensor(left, n, n);
    b = device.tensor(right, n, n);
    try (dev.gradus.tensor.Scope scope = dev.gradus.tensor.Scope.open();
        NoGrad off = NoGrad.open()) {
      form.verify(n, left, right, product().toFloatArray());
    }
  }

  /** One product. */
  @SuppressWarnings("try") // scope and block are open for their effect
  @Benchmark
  public void matmul() {
    try (dev.gradus.tensor.Scope scope = dev.gradus.tensor.Scope.open();
        NoGrad off = NoGrad.open()) {
      product();
      device.synchronize();
    }
  }

  private Tensor product() {
    Tensor x = form.transposesA() ? a.transpose(0, 1) : a;
    Tensor y = form.transposesB() ? b.transpose(0, 1) : b;
    return x.matmul(y);
  }

  /** Closes the device. */
  @TearDown
  public void close() {
    device.close();
  }
}
