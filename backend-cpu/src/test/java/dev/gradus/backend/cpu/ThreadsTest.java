package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwisePlan;
import dev.gradus.spi.PointwiseSlot;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Operations large enough to be split have the same bits for any number of threads and callers. */
final class ThreadsTest {
  private static final int ROWS = 1543;
  private static final int COLS = 259;
  private static final int SIZE = ROWS * COLS;

  private static Storage values(Backend b, int seed, int n) {
    Random random = new Random(seed);
    Storage s = b.allocate(DType.F32, n);
    float[] x = CpuStorage.f32(s);
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return s;
  }

  private static Storage ids(Backend b, int n, int end) {
    Random random = new Random(9);
    Storage s = b.allocate(DType.I64, n);
    for (int i = 0; i < n; i++) {
      CpuStorage.i64(s)[i] = random.nextInt(end);
    }
    return s;
  }

  /** The results of every kind of split. */
  private static List<float[]> work(Backend b) {
    List<float[]> results = new ArrayList<>();
    Storage x = values(b, 1, SIZE);
    Storage y = values(b, 2, SIZE);
    Storage row = values(b, 3, COLS);
    Storage column = values(b, 4, ROWS);
    Storage ids = ids(b, ROWS, 97);
    elementwise(b, x, y, row, column, results);
    sums(b, x, results);
    rows(b, x, y, results);
    Storage c = out(b, COLS * COLS, results);
    b.gemm(Gemm.of(true, false, COLS, COLS, ROWS), x, y, c);
    Storage table = out(b, 97 * COLS, results);
    b.scatterAdd(x, new Axis(1, 97, COLS), ids, 3, table, false);
    b.gather(table, new Axis(1, 97, COLS), ids, out(b, SIZE, results));
    rowSteps(b, x, results);
    b.copyStrided(
        new long[] {COLS, ROWS},
        x,
        0,
        new long[] {1, COLS},
        out(b, SIZE, results),
        0,
        new long[] {ROWS, 1});
    adam(b, results);
    pointwise(b, results);
    powers(b, List.of(x, row, table, y), results);
    return results;
  }

  private static Storage out(Backend b, int n, List<float[]> results) {
    Storage s = b.allocate(DType.F32, n);
    results.add(CpuStorage.f32(s));
    return s;
  }

  private static void elementwise(
      Backend b, Storage x, Storage y, Storage row, Storage column, List<float[]> results) {
    b.unary(UnaryOp.GELU, x, out(b, SIZE, results), 0, 0);
    b.unaryGrad(UnaryOp.SILU, x, y, out(b, SIZE, results), 0, 0);
    b.binary(BinaryOp.ADD, x, Spread.FULL, row, Spread.ROW, out(b, SIZE, results), 0);
    b.binary(BinaryOp.DIV, column, Spread.COLUMN, x, Spread.FULL, out(b, SIZE, results), 0);
    b.binary(BinaryOp.LERP, row, Spread.ROW, column, Spread.COLUMN, out(b, SIZE, results), 0.7);
    b.dropout(x, out(b, SIZE, results), 0.3, 5, 6);
  }

  private static void sums(Backend b, Storage x, List<float[]> results) {
    for (Axis axis :
        new Axis[] {
          new Axis(1, SIZE, 1),
          new Axis(ROWS, COLS, 1),
          new Axis(1, ROWS, COLS),
          new Axis(1, 1, SIZE)
        }) {
      b.reduce(ReduceOp.SUM, x, axis, out(b, (int) axis.reduced(), results), false);
      b.reduce(ReduceOp.MAX, x, axis, out(b, (int) axis.reduced(), results), false);
    }
  }

  private static void rows(Backend b, Storage x, Storage y, List<float[]> results) {
    b.softmax(false, x, out(b, SIZE, results), ROWS, COLS);
    b.softmax(true, x, out(b, SIZE, results), ROWS, COLS);
    b.softmaxGrad(true, x, y, out(b, SIZE, results), ROWS, COLS);
    Storage normal = out(b, SIZE, results);
    Storage rstd = out(b, ROWS, results);
    b.normalize(x, normal, rstd, ROWS, COLS, 1e-5);
    b.normalizeGrad(y, normal, rstd, out(b, SIZE, results), ROWS, COLS);
  }

  /** Rows summed by id, and the lazy steps along them. */
  private static void rowSteps(Backend b, Storage x, List<float[]> results) {
    Storage ids = ids(b, ROWS, ROWS);
    Gradient.Rows grad =
        new Gradient.Rows(b.allocate(DType.I64, ROWS), out(b, SIZE, results), COLS);
    b.coalesce(ids, 4, x, grad, false);
    b.coalesce(ids, -1, x, grad, true);
    Storage p = values(b, 1, SIZE);
    Storage m = values(b, 2, SIZE);
    Storage v = b.allocate(DType.F32, SIZE);
    results.addAll(List.of(CpuStorage.f32(p), CpuStorage.f32(m), CpuStorage.f32(v)));
    AdamHyper h = new AdamHyper(0.1, 0.9, 0.999, 1e-8, 0, false, false, 0.1, 0.001);
    try (AdamPlan plan = b.planAdam(List.of(new AdamSlot(p, grad, m, v, null)))) {
      plan.step(new int[] {0}, List.of(h));
    }
  }

  private static void adam(Backend b, List<float[]> results) {
    List<AdamSlot> slots = new ArrayList<>();
    for (int n : new int[] {3, 70_001, 0, 200_000, 5}) {
      Storage p = values(b, n, n);
      Storage m = values(b, n + 2, n);
      Storage v = b.allocate(DType.F32, n);
      results.add(CpuStorage.f32(p));
      results.add(CpuStorage.f32(m));
      results.add(CpuStorage.f32(v));
      slots.add(new AdamSlot(p, new Gradient.Dense(values(b, n + 1, n)), m, v, null));
    }
    AdamHyper h = new AdamHyper(0.1, 0.9, 0.999, 1e-8, 0.1, false, false, 0.1, 0.001);
    try (AdamPlan plan = b.planAdam(slots)) {
      plan.step(new int[] {0, 0, 0, -1, 0}, List.of(h));
      plan.step(new int[] {0, 0, -1, 0, 0}, List.of(h));
    }
  }

  private static void pointwise(Backend b, List<float[]> results) {
    PointwiseBuilder u = new PointwiseBuilder(List.of("s"));
    PointwiseBuilder.Value g = u.grad();
    PointwiseBuilder.Value s = u.set("s", u.buffer("s").mul(0.9).addcmul(g, g, 0.1));
    u.setParam(u.param().addcdiv(g, s.sqrt().add(1e-3), -0.1));
    List<PointwiseSlot> slots = new ArrayList<>();
    for (int n : new int[] {3, 70_001, 0, 200_000, 5}) {
      Storage p = values(b, n, n);
      Storage buffer = b.allocate(DType.F32, n);
      results.addAll(List.of(CpuStorage.f32(p), CpuStorage.f32(buffer)));
      slots.add(new PointwiseSlot(p, values(b, n + 1, n), List.of(buffer)));
    }
    try (PointwisePlan plan = b.planPointwise(slots)) {
      plan.step(new int[] {0, 0, 0, -1, 0}, List.of(u.build()));
      plan.step(new int[] {0, 0, -1, 0, 0}, List.of(u.build()));
    }
  }

  private static void powers(Backend b, List<Storage> xs, List<float[]> results) {
    for (double p : new double[] {1, 2, 3, Double.POSITIVE_INFINITY}) {
      Storage sums = b.allocate(DType.F64, xs.size());
      b.sumPowers(xs, p, sums);
      float[] halves = new float[2 * xs.size()];
      for (int i = 0; i < xs.size(); i++) {
        long bits = Double.doubleToRawLongBits(CpuStorage.f64(sums)[i]);
        halves[2 * i] = Float.intBitsToFloat((int) (bits >>> 32));
        halves[2 * i + 1] = Float.intBitsToFloat((int) bits);
      }
      results.add(halves);
    }
  }

  private static void assertSameBits(List<float[]> expected, List<float[]> actual) {
    for (int k = 0; k < expected.size(); k++) {
      assertArrayEquals(expected.get(k), actual.get(k), "result " + k);
    }
  }

  @Test
  void bitsAreThoseOfOneThread() {
    for (boolean fma : new boolean[] {HardwareFma.PRESENT, false}) {
      List<float[]> one = work(new CpuBackend(CpuSettings.ofProcess().withThreads(1).withFma(fma)));
      for (int threads : new int[] {2, 3, 7}) {
        assertSameBits(
            one, work(new CpuBackend(CpuSettings.ofProcess().withThreads(threads).withFma(fma))));
      }
    }
  }

  @Test
  void sixteenCallersGetTheBitsOfOne() throws Exception {
    Backend b = new CpuBackend(CpuSettings.ofProcess().withThreads(2));
    List<float[]> alone = work(b);
    ExecutorService callers = Executors.newFixedThreadPool(16);
    try {
      List<Future<List<float[]>>> results = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        results.add(callers.submit(() -> work(b)));
      }
      for (Future<List<float[]>> r : results) {
        assertSameBits(alone, r.get(2, TimeUnit.MINUTES));
      }
    } finally {
      callers.shutdownNow();
    }
  }
}
