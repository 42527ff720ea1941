package dev.gradus.benchmarks;

import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.openblas.global.openblas_nolapack;
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
 * The same products by OpenBLAS called directly, on native memory and with its own threads: the
 * limit of {@link GemmBenchmark}.
 *
 * <p>{@code ./gradus bench --filter OpenBlasBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class OpenBlasBenchmark {
  /** The form. */
  @Param public GemmForm form = GemmForm.PLAIN;

  /** Rows and columns. */
  @Param({"8", "16", "32", "64", "128", "256", "512", "1024", "2048"})
  public int n = 8;

  private FloatPointer a;
  private FloatPointer b;
  private FloatPointer c;

  /** Makes two matrices; their product is verified. */
  @Setup
  public void prepare() {
    Loader.load(openblas.class);
    openblas_nolapack.blas_set_num_threads(Cores.count());
    float[] left = Numbers.uniform(n * n, 1, -1, 1);
    float[] right = Numbers.uniform(n * n, 2, -1, 1);
    a = new FloatPointer(left);
    b = new FloatPointer(right);
    c = new FloatPointer((long) n * n);
    sgemm();
    float[] product = new float[n * n];
    c.get(product);
    form.verify(n, left, right, product);
  }

  /** One product. */
  @Benchmark
  public void sgemm() {
    openblas.cblas_sgemm(
        openblas.CblasRowMajor,
        form.transposesA() ? openblas.CblasTrans : openblas.CblasNoTrans,
        form.transposesB() ? openblas.CblasTrans : openblas.CblasNoTrans,
        n,
        n,
        n,
        1,
        a,
        n,
        b,
        n,
        0,
        c,
        n);
  }

  /** Frees the matrices. */
  @TearDown
  public void close() {
    a.close();
    b.close();
    c.close();
  }
}
