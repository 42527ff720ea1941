package dev.gradus.backend.cuda.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Kernels that nvcc compiled give what Java computes, in every mode that must not change a result.
 */
class EmulatorTest {
  private static final int N = 4097;

  private final Random random = new Random(17);

  private float[] normal(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static Gpu gpu(String modes) {
    return new Gpu(modes).with(Gpu.resource("samples.ptx"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "threads=1", "race", "order=3", "defer=5", "race,order=1,defer=2"})
  void additionIsExact(String modes) {
    Gpu gpu = gpu(modes);
    float[] a = normal(N);
    float[] b = normal(N);
    CUdeviceptr c = gpu.allocate(4L * N);
    Gpu.check(
        gpu.run("add", Gpu.blocks(N), Gpu.BLOCK, 0, gpu.upload(a), gpu.upload(b), c, (long) N));
    float[] sum = gpu.floats(c, N);
    for (int i = 0; i < N; i++) {
      assertEquals(a[i] + b[i], sum[i]);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "race,order=2"})
  void sumOverShufflesAndSharedMemoryFollowsItsOrder(String modes) {
    Gpu gpu = gpu(modes);
    float[] a = normal(N);
    int blocks = 3;
    CUdeviceptr out = gpu.allocate(4L * blocks);
    Gpu.check(gpu.run("sum", blocks, Gpu.BLOCK, 0, gpu.upload(a), out, (long) N));
    assertArrayEquals(sums(a, blocks), gpu.floats(out, blocks));
  }

  /** The kernel's sums in its own order. */
  private static float[] sums(float[] a, int blocks) {
    float[] result = new float[blocks];
    for (int block = 0; block < blocks; block++) {
      float[] warps = new float[32];
      for (int warp = 0; warp < Gpu.BLOCK / 32; warp++) {
        float[] lanes = new float[32];
        for (int lane = 0; lane < 32; lane++) {
          for (int i = block * Gpu.BLOCK + warp * 32 + lane; i < N; i += blocks * Gpu.BLOCK) {
            lanes[lane] += a[i];
          }
        }
        warps[warp] = shuffledDown(lanes);
      }
      result[block] = shuffledDown(warps);
    }
    return result;
  }

  private static float shuffledDown(float[] lanes) {
    float[] now = lanes.clone();
    for (int distance = 16; distance > 0; distance /= 2) {
      float[] before = now.clone();
      for (int lane = 0; lane < 32; lane++) {
        now[lane] += before[lane + distance < 32 ? lane + distance : lane];
      }
    }
    return now[0];
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "race,order=2"})
  void softmaxInDynamicSharedMemory(String modes) {
    Gpu gpu = gpu(modes);
    int rows = 7;
    int columns = 300;
    float[] x = normal(rows * columns);
    CUdeviceptr y = gpu.allocate(4L * x.length);
    Gpu.check(gpu.run("softmax", rows, 128, 4 * 128, gpu.upload(x), y, columns));
    float[] out = gpu.floats(y, x.length);
    for (int row = 0; row < rows; row++) {
      double sum = 0;
      for (int c = 0; c < columns; c++) {
        sum += Math.exp(x[row * columns + c]);
      }
      for (int c = 0; c < columns; c++) {
        double expected = Math.exp(x[row * columns + c]) / sum;
        assertEquals(expected, out[row * columns + c], 1e-6 * expected);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "race,order=2"})
  void adamEqualsJavaBitForBit(String modes) {
    Gpu gpu = gpu(modes);
    float[] p = normal(N);
    float[] g = normal(N);
    float[] m = normal(N);
    float[] v = normal(N);
    byte[] group = new byte[Gpu.blocks(N)];
    for (int i = 0; i < N; i++) {
      v[i] = Math.abs(v[i]);
      group[i >> 8] = (byte) (i >> 8 & 1);
    }
    float[] table = {
      1e-3f, 0.9f, 0.999f, 1e-8f, 0.1f, 0.0316f, 2e-3f, 0.8f, 0.99f, 1e-6f, 0.2f, 0.1f
    };
    CUdeviceptr parameters = gpu.upload(p);
    Gpu.check(
        gpu.run(
            "adam",
            Gpu.blocks(N),
            Gpu.BLOCK,
            0,
            parameters,
            gpu.upload(g),
            gpu.upload(m),
            gpu.upload(v),
            gpu.upload(table),
            gpu.upload(group),
            (long) N));
    float[] result = gpu.floats(parameters, N);
    for (int i = 0; i < N; i++) {
      int h = 6 * group[i >> 8];
      float first = Math.fma(g[i] - m[i], 1 - table[h + 1], m[i]);
      float second = Math.fma((1 - table[h + 2]) * g[i], g[i], table[h + 2] * v[i]);
      float root = (float) Math.sqrt(second) / table[h + 5] + table[h + 3];
      assertEquals(Math.fma(-table[h] / table[h + 4], first / root, p[i]), result[i]);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "race"})
  void mathematicalFunctionsAreWithinTheirErrors(String modes) {
    Gpu gpu = gpu(modes);
    double[] x = {0.3, -1.7, 12.5, 1e-9, 700, -33.25, 1e8, 3e15, 0.9999, 2};
    CUdeviceptr out = gpu.allocate(8L * 10 * x.length);
    Gpu.check(gpu.run("functions", 1, 32, 0, gpu.upload(x), out, x.length));
    double[] results = gpu.doubles(out, 10 * x.length);
    for (int i = 0; i < x.length; i++) {
      double[] expected = functions(x[i]);
      for (int k = 0; k < expected.length; k++) {
        if (k != 6) { // Java has no erf
          assertEquals(expected[k], results[10 * i + k], 4e-15 * Math.abs(expected[k]) + 1e-300);
        }
      }
    }
    float[] singles = {0.3f, -1.7f, 12.5f, 1e-9f, 80, -33.25f, 1e6f, 0.9999f, 2};
    CUdeviceptr out32 = gpu.allocate(4L * 10 * singles.length);
    Gpu.check(gpu.run("functions32", 1, 32, 0, gpu.upload(singles), out32, singles.length));
    float[] results32 = gpu.floats(out32, 10 * singles.length);
    for (int i = 0; i < singles.length; i++) {
      double[] expected = functions(singles[i]);
      expected[2] = Math.pow(Math.abs(singles[i]), 1.37f);
      expected[9] = singles[i] % 0.7f;
      for (int k = 0; k < expected.length; k++) {
        boolean overflows = Math.abs(expected[k]) > Float.MAX_VALUE;
        if (k != 6 && !overflows) {
          double error = 8 * Math.ulp((float) expected[k]);
          assertEquals(
              expected[k], results32[10 * i + k], error, "function " + k + " of " + singles[i]);
        }
      }
    }
  }

  private static double[] functions(double x) {
    double a = Math.abs(x);
    return new double[] {
      Math.exp(x),
      Math.log(a),
      Math.pow(a, 1.37),
      Math.sin(x),
      Math.cos(x),
      Math.tanh(x),
      0,
      Math.expm1(x),
      Math.log1p(a),
      x % 0.7
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "race,order=4"})
  void lanesPartAndMeetAgain(String modes) {
    Gpu gpu = gpu(modes);
    int n = 2 * Gpu.BLOCK;
    int[] a = new int[n];
    for (int i = 0; i < n; i++) {
      a[i] = 1 + random.nextInt(1000);
    }
    CUdeviceptr out = gpu.allocate(4L * n);
    Gpu.check(gpu.run("diverge", 2, Gpu.BLOCK, 0, gpu.upload(a), out));
    assertArrayEquals(diverged(a), gpu.ints(out, n));
  }

  private static int[] diverged(int[] a) {
    int n = a.length;
    int[] steps = new int[n];
    for (int i = 0; i < n; i++) {
      int x = a[i];
      while (x != 1) {
        x = (x & 1) == 1 ? 3 * x + 1 : x / 2;
        if (++steps[i] == 200) {
          break;
        }
      }
    }
    int[] out = new int[n];
    for (int i = 0; i < n; i++) {
      int warp = i / 32 * 32;
      int block = i / Gpu.BLOCK * Gpu.BLOCK;
      int even = 0;
      boolean some = false;
      boolean every = true;
      for (int k = warp; k < warp + 32; k++) {
        even += (steps[k] & 1) == 0 ? 1 : 0;
        some |= steps[k] > 100;
        every &= steps[k] < 150;
      }
      int count = 0;
      boolean either = false;
      for (int k = block; k < block + Gpu.BLOCK; k++) {
        count += steps[k] > 10 ? 1 : 0;
        either |= steps[k] == 7;
      }
      out[i] =
          steps[i]
              + 1000 * even
              + (some ? 100000 : 0)
              + (every ? 200000 : 0)
              + 1000000 * (count & 255)
              + (either ? 400000 : 0);
    }
    return out;
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "race,order=4"})
  void atomicsInSharedAndGlobalMemory(String modes) {
    Gpu gpu = gpu(modes);
    int[] a = new int[N];
    int[] expected = new int[16];
    for (int i = 0; i < N; i++) {
      a[i] = random.nextInt(16);
      expected[a[i]]++;
    }
    CUdeviceptr counts = gpu.upload(new int[16]);
    Gpu.check(gpu.run("histogram", Gpu.blocks(N), Gpu.BLOCK, 0, gpu.upload(a), counts, N));
    assertArrayEquals(expected, gpu.ints(counts, 16));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "race"})
  void variablesOfAModule(String modes) {
    Gpu gpu = gpu(modes);
    CUdeviceptr out = gpu.allocate(16);
    Gpu.check(gpu.run("variables", 1, 4, 0, out));
    assertArrayEquals(new float[] {9, 6, 6, 9}, gpu.floats(out, 4));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "race", "defer=3"})
  void productsAreColumnMajorSumsOfFmas(String modes) {
    Gpu gpu = gpu(modes);
    cublasHandle handle = new cublasHandle();
    assertEquals(cublasStatus.CUBLAS_STATUS_SUCCESS, JCublas2.cublasCreate(handle));
    int m = 37;
    int n = 5;
    int k = 11;
    int lda = k + 2;
    float[] a = normal(lda * m); // transposed
    float[] b = normal(k * n);
    float[] c = normal(m * n);
    CUdeviceptr result = gpu.upload(c);
    int status =
        JCublas2.cublasSgemm(
            handle,
            cublasOperation.CUBLAS_OP_T,
            cublasOperation.CUBLAS_OP_N,
            m,
            n,
            k,
            Pointer.to(new float[] {0.5f}),
            gpu.upload(a),
            lda,
            gpu.upload(b),
            k,
            Pointer.to(new float[] {2}),
            result,
            m);
    assertEquals(cublasStatus.CUBLAS_STATUS_SUCCESS, status);
    float[] out = gpu.floats(result, m * n);
    for (int j = 0; j < n; j++) {
      for (int i = 0; i < m; i++) {
        float sum = 0;
        for (int l = 0; l < k; l++) {
          sum = Math.fma(a[i * lda + l], b[j * k + l], sum);
        }
        assertEquals(Math.fma(0.5f, sum, 2 * c[j * m + i]), out[j * m + i]);
      }
    }
    assertEquals(1, EmulatorControl.kernel("cublasSgemm_v2").launches());
    assertEquals(cublasStatus.CUBLAS_STATUS_SUCCESS, JCublas2.cublasDestroy(handle));
    assertTrue(EmulatorControl.calls().containsKey("cublasCreate_v2"));
  }
}
