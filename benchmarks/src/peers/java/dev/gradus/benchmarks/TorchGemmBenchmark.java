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
 * Products of square matrices on libtorch, results allocated by it.
 *
 * <p>{@code ./gradus bench --peers --filter TorchGemmBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class TorchGemmBenchmark {
  /** The form. */
  @Param public GemmForm form = GemmForm.PLAIN;

  /** Rows and columns. */
  @Param({"8", "16", "32", "64", "128", "256", "512", "1024", "2048"})
  public int n = 8;

  private Tensor a;
  private Tensor b;

  /** Makes two matrices; their product is verified. */
  @Setup
  public void prepare() {
    Torch.open();
    float[] left = Numbers.uniform(n * n, 1, -1, 1);
    float[] right = Numbers.uniform(n * n, 2, -1, 1);
    a = Torch.tensor(left, n, n);
    b = Torch.tensor(right, n, n);
    a = form.transposesA() ? a.t() : a;
    b = form.transposesB() ? b.t() : b;
    form.verify(n, left, right, Torch.values(torch.mm(a, b)));
  }

  /** One product. */
  @Benchmark
  public void matmul() {
    torch.mm(a, b).close();
  }
}
