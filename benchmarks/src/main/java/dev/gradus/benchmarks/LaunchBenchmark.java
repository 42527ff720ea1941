package dev.gradus.benchmarks;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Backends;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
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
 * What the CUDA backend adds to the driver's own cost of a launch, over a driver whose calls do
 * nothing. It needs no GPU but a C compiler, which makes that driver when the benchmark starts;
 * without one, and elsewhere than on Linux x86-64, it does not run.
 *
 * <p>{@code ./gradus bench --filter LaunchBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class LaunchBenchmark {
  private static final int ELEMENTS = 64;
  private static final int VERIFIED = 100;

  /** What is called. */
  public enum Call {
    /** A call without parameters, through JCuda: what JNI costs. */
    EMPTY,
    /** JCuda's launch with a Pointer for each of five parameters, made anew for each launch. */
    POINTERS,
    /** An elementwise operation of the backend, whose kernel has the same five parameters. */
    BACKEND
  }

  /** The call. */
  @Param public Call call = Call.BACKEND;

  private final CUstream stream = new CUstream();
  private final CUfunction function = new CUfunction();
  private final CUdeviceptr in = new CUdeviceptr();
  private final CUdeviceptr out = new CUdeviceptr();
  private Backend backend;
  private Storage x;
  private Storage y;

  /** Makes the driver and opens the backend over it; that every call launches once is verified. */
  @Setup
  public void prepare() throws IOException {
    Path folder = Files.createTempDirectory("noop");
    try {
      NoopDriver.build(folder);
      System.setProperty("gradus.cuda.lib", folder.toString());
      backend = Backends.open("cuda");
    } finally {
      // A loaded library needs its file no more.
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
    x = backend.allocate(DType.F32, ELEMENTS);
    y = backend.allocate(DType.F32, ELEMENTS);
    long before = launches();
    for (int i = 0; i < VERIFIED; i++) {
      run();
    }
    long launches = launches() - before;
    if (launches != (call == Call.EMPTY ? 0 : VERIFIED)) {
      throw new IllegalStateException(VERIFIED + " of " + call + " made launches: " + launches);
    }
  }

  private static long launches() {
    long[] launches = new long[1];
    JCudaDriver.cuMemGetInfo(launches, new long[1]);
    return launches[0];
  }

  /** The call, once. */
  @Benchmark
  public void run() {
    switch (call) {
      case EMPTY -> JCudaDriver.cuCtxSynchronize();
      case POINTERS -> launch();
      case BACKEND -> backend.unary(UnaryOp.CLAMP, x, y, 0, 1);
    }
  }

  private void launch() {
    Pointer parameters =
        Pointer.to(
            Pointer.to(in),
            Pointer.to(out),
            Pointer.to(new long[] {ELEMENTS}),
            Pointer.to(new float[] {0}),
            Pointer.to(new float[] {1}));
    JCudaDriver.cuLaunchKernel(function, 1, 1, 1, 256, 1, 1, 0, stream, parameters, null);
  }

  /** Closes the backend. */
  @TearDown
  public void close() {
    backend.close();
  }
}
