package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.backend.cuda.emulator.EmulatorControl;
import dev.gradus.spi.Axis;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The ways through the kernels that the contract's sizes do not take. */
class CudaKernelsTest extends WithDevice {
  private Storage store(float... values) {
    Storage s = b.allocate(DType.F32, values.length);
    b.upload(FloatBuffer.wrap(values), s);
    return s;
  }

  private Storage store(long... values) {
    Storage s = b.allocate(DType.I64, values.length);
    b.upload(LongBuffer.wrap(values), s);
    return s;
  }

  private float[] floats(Storage s) {
    float[] values = new float[(int) s.numel()];
    b.download(s, FloatBuffer.wrap(values));
    return values;
  }

  private static float[] random(long seed, int n) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (random.nextDouble() * 2 - 1);
    }
    return values;
  }

  private static long[] ids(long seed, int n, int bound) {
    return new SplittableRandom(seed).longs(n, 0, bound).toArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 2047, 2048, 2049, 5000, 16_385})
  void keysAreSortedByIdAndThenByPlace(int n) {
    long[] ids = ids(n, n, 100);
    int bits = Scatter.bits(n);
    long[] expected = new long[1 << bits];
    Arrays.fill(expected, -1);
    int kept = 0;
    for (int j = 0; j < n; j++) {
      if (ids[j] != 7) {
        expected[kept++] = ids[j] << bits | j;
      }
    }
    Arrays.sort(expected, 0, kept);
    CudaDevice device = CudaBackend.deviceOf(b);
    CudaStorage sorted = new Scatter(device).sorted(store(ids), 7);
    long[] actual = new long[expected.length];
    b.download(sorted, LongBuffer.wrap(actual));
    assertArrayEquals(expected, actual);
  }

  /** The terms are added in the order of the rows, each rounded: the same bits as a loop. */
  @Test
  void manyRowsOfFewIdsAreAddedInTheirOrder() {
    int count = 5001;
    int rows = 17;
    int cols = 37;
    float[] x = random(1, count * cols);
    long[] ids = ids(2, count, rows);
    float[] expected = random(3, rows * cols);
    Storage out = store(expected);
    for (int j = 0; j < count; j++) {
      for (int c = 0; c < cols; c++) {
        expected[(int) ids[j] * cols + c] += x[j * cols + c];
      }
    }
    b.scatterAdd(store(x), new Axis(1, rows, cols), store(ids), -1, out, true);
    assertArrayEquals(expected, floats(out));
  }

  /** With the option rows are added in any order: near the sum in double, whatever the order. */
  @Test
  void withAtomicsRowsAreSummedWithoutSorting() {
    Devices.needEmulator("what it counts");
    int outer = 2;
    int count = 1501;
    int rows = 17;
    int cols = 37;
    float[] x = random(1, outer * count * cols);
    long[] ids = ids(2, count, rows);
    float[] before = random(3, outer * rows * cols);
    double[] expected = new double[before.length];
    Arrays.setAll(expected, i -> before[i]);
    for (int r = 0; r < outer * count; r++) {
      int id = (int) ids[r % count];
      int to = (r / count * rows + id) * cols;
      for (int c = 0; c < cols && id != 7; c++) {
        expected[to + c] += x[r * cols + c];
      }
    }
    Axis axis = new Axis(outer, rows, cols);
    b.close();
    for (String order : new String[] {"", "order=3", "race"}) {
      Devices.configure(order);
      b = Devices.open(CudaSettings.DEFAULTS.withAtomics(true), Devices.cuBlas());
      assertEquals(
          "by atomic operations: bits may differ from run to run",
          b.details().get("sums of rows by ids"));
      Storage out = store(before);
      EmulatorControl.clearCounters();
      b.scatterAdd(store(x), axis, store(ids), 7, out, true);
      // 90 terms of at most 1 for an element, each sum rounded.
      assertArrayEquals(expected, doubles(floats(out)), 90 * Math.ulp(32f));
      assertEquals(List.of("scatter_atomic_f32"), EmulatorControl.kernels());
      b.close();
    }
    b = Devices.open();
    assertEquals("in a fixed order", b.details().get("sums of rows by ids"));
  }

  /** The ids stand where they first appear as without it, and those that were there stay. */
  @Test
  void withAtomicsRowsOfTheSameIdAreSummedAtItsPlace() {
    Devices.needEmulator("what it counts");
    int count = 1501;
    int cols = 37;
    int table = 40;
    List<long[]> ids = new ArrayList<>();
    List<float[]> sums = new ArrayList<>();
    b.close();
    for (boolean atomics : new boolean[] {false, true}) {
      Devices.configure(atomics ? "race" : "");
      b = Devices.open(CudaSettings.DEFAULTS.withAtomics(atomics), Devices.cuBlas());
      Gradient.Rows out =
          new Gradient.Rows(
              b.allocate(DType.I64, table), b.allocate(DType.F32, (long) table * cols), cols);
      b.fill(out.ids(), -1);
      b.fill(out.values(), 0);
      b.coalesce(store(ids(2, 9, 20)), 7, store(random(1, 9 * cols)), out, false);
      EmulatorControl.clearCounters();
      b.coalesce(store(ids(3, count, table)), 7, store(random(4, count * cols)), out, true);
      assertEquals(atomics, EmulatorControl.kernels().contains("coalesce_atomic_f32"));
      long[] places = new long[table];
      b.download(out.ids(), LongBuffer.wrap(places));
      ids.add(places);
      sums.add(floats(out.values()));
      b.close();
    }
    b = Devices.open();
    assertArrayEquals(ids.get(0), ids.get(1));
    // 60 terms of at most 1 for an element, each sum rounded.
    assertArrayEquals(doubles(sums.get(0)), doubles(sums.get(1)), 60 * Math.ulp(32f));
  }

  private static double[] doubles(float[] values) {
    double[] wide = new double[values.length];
    Arrays.setAll(wide, i -> values[i]);
    return wide;
  }

  @ParameterizedTest
  @CsvSource({"1, 100000, 1", "3, 70001, 1", "1, 5000, 3", "2, 9001, 33", "700, 4097, 1"})
  void sumsInPiecesAreThoseOfALoop(int outer, int length, int inner) {
    float[] x = random(length, outer * length * inner);
    Storage out = b.allocate(DType.F32, (long) outer * inner);
    b.reduce(ReduceOp.SUM, store(x), new Axis(outer, length, inner), out, false);
    float[] actual = floats(out);
    Storage most = b.allocate(DType.F32, (long) outer * inner);
    b.reduce(ReduceOp.MAX, store(x), new Axis(outer, length, inner), most, false);
    float[] actualMost = floats(most);
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < inner; i++) {
        double sum = 0;
        float max = Float.NEGATIVE_INFINITY;
        for (int j = 0; j < length; j++) {
          float v = x[(o * length + j) * inner + i];
          sum += v;
          max = Math.max(max, v);
        }
        assertEquals((float) sum, actual[o * inner + i], Math.ulp((float) sum));
        assertEquals(max, actualMost[o * inner + i]);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {513, 8192, 8193, 20_001})
  void softmaxOfLongRowsSumsToOne(int cols) {
    int rows = 3;
    double[] x = new double[rows * cols];
    float[] f = random(cols, x.length);
    Arrays.setAll(x, i -> 4.0 * f[i]);
    Storage in = b.allocate(DType.F64, x.length);
    b.upload(DoubleBuffer.wrap(x), in);
    b.softmax(false, in, in, rows, cols);
    double[] y = new double[x.length];
    b.download(in, DoubleBuffer.wrap(y));
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      for (int c = 0; c < cols; c++) {
        sum += Math.exp(x[r * cols + c]);
      }
      for (int c = 0; c < cols; c++) {
        double expected = Math.exp(x[r * cols + c]) / sum;
        assertEquals(expected, y[r * cols + c], (cols + 16) * 0x1p-52 * expected);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void resultsDoNotDependOnTheOrderOfBlocks(int seed) {
    float[] plain = work();
    Devices.configure("order=" + seed);
    assertArrayEquals(plain, work());
  }

  private float[] work() {
    int count = 3000;
    int cols = 33;
    Storage x = store(random(1, count * cols));
    Storage table = b.allocate(DType.F32, 50L * cols);
    b.scatterAdd(x, new Axis(1, 50, cols), store(ids(2, count, 50)), -1, table, false);
    b.softmax(true, table, table, 50, cols);
    Storage sums = b.allocate(DType.F32, cols);
    b.reduce(ReduceOp.SUM, x, new Axis(1, count, cols), sums, false);
    float[] all = Arrays.copyOf(floats(table), 50 * cols + cols);
    System.arraycopy(floats(sums), 0, all, 50 * cols, cols);
    return all;
  }
}
