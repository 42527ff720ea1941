package dev.gradus.testing;

import static dev.gradus.testing.Values.FLOATING;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What a backend promises for the fused operations along rows. The backend's own form and the
 * composition of its primitives are both compared with the reference's composition in double on the
 * same values.
 */
interface RowsContract extends ContractFixture {
  /** Rows and columns. */
  int[][] ROWS = {{0, 3}, {1, 1}, {3, 1}, {1, 3}, {7, 7}, {5, 64}, {64, 5}, {3, 257}, {2, 4097}};

  /** A fused operation on operands already stored, with its results. */
  @FunctionalInterface
  interface Fused {
    void on(Backend b, Storage[] operands, Storage[] results);
  }

  /** Operands: F32 or F64 as tested, but for those that are longs. */
  record Case(String what, Object[] operands, long[] results, Fused call) {}

  @Test
  default void softmaxAndItsLogarithmAgree() {
    for (int[] rc : ROWS) {
      for (double scale : new double[] {1, 10, 1e4}) {
        double[] x = Values.normal(rc[1], rc[0] * rc[1], scale);
        for (int i = 3; i < x.length; i += 11) {
          x[i] = i % rc[1] == 0 ? x[i] : Double.NEGATIVE_INFINITY; // a masked position
        }
        for (boolean log : new boolean[] {false, true}) {
          fused(
              new Case(
                  "softmax log " + log + " scale " + scale + Arrays.toString(rc),
                  new Object[] {x},
                  new long[] {x.length},
                  (b, in, out) -> b.softmax(log, in[0], out[0], rc[0], rc[1])),
              // x - max is rounded: an error of eps |x - max| in the logarithm. Both sides sum in
              // double, in orders of their own: each sum of cols terms is off by cols 2^-53 of it.
              (eps, k, i, e) ->
                  log
                      ? 4 * eps * (Math.abs(e) + Math.log(rc[1]) + 1) + rc[1] * 0x1p-52
                      : 8 * eps * e * (1 - (e > 0 ? Math.log(e) : 0))
                          + rc[1] * 0x1p-52 * e
                          + 1e-37);
        }
      }
    }
  }

  @Test
  default void softmaxOfEqualAndOfExtremeLogitsIsRight() {
    for (DType dtype : FLOATING) {
      double[] x = {1e4, 1e4, -1e4, -1e4, -1e4, 1e4, 0, 0, 0, -1e4, -1e4, -1e4};
      double[] want = {0.5, 0.5, 0, 0, 0, 1, 1 / 3., 1 / 3., 1 / 3., 1 / 3., 1 / 3., 1 / 3.};
      Backend b = lab().tested();
      Storage s = Host.store(b, dtype, x);
      Storage y = b.allocate(dtype, x.length);
      b.softmax(false, s, y, 4, 3);
      TensorAssert.assertClose(want, Host.read(b, y), 0, 2 * Tolerance.eps(dtype));
      b.softmax(true, s, y, 4, 3);
      assertEquals(-2e4, Host.read(b, y)[3], "ln y = x - max - ln sum, the sum being 1");
      assertEquals(0.0, Host.read(b, y)[5]);
      b.free(s);
      b.free(y);
    }
  }

  @Test
  default void softmaxGradientsAgree() {
    for (int[] rc : ROWS) {
      int n = rc[0] * rc[1];
      double[] g = Values.normal(1, n, 1);
      double[] y = rowsOfProbabilities(rc);
      double[] logY = new double[n];
      Arrays.setAll(logY, i -> (float) Math.log(y[i]));
      double[] sums = rowSums(rc, g, y);
      double[] magnitudes = rowSums(rc, Values.abs(g), y);
      double[] total = rowSums(rc, Values.abs(g), ones(n));
      fused(
          new Case(
              "softmax gradient " + Arrays.toString(rc),
              new Object[] {g, y},
              new long[] {n},
              (b, in, out) -> b.softmaxGrad(false, in[0], in[1], out[0], rc[0], rc[1])),
          (eps, k, i, e) ->
              8 * eps * y[i] * (Math.abs(g[i]) + Math.abs(sums[i]) + magnitudes[i]) + 1e-37);
      fused(
          new Case(
              "log-softmax gradient " + Arrays.toString(rc),
              new Object[] {g, logY},
              new long[] {n},
              (b, in, out) -> b.softmaxGrad(true, in[0], in[1], out[0], rc[0], rc[1])),
          (eps, k, i, e) -> 8 * eps * (Math.abs(g[i]) + Math.exp(logY[i]) * total[i]) + 1e-37);
    }
  }

  private static double[] ones(int n) {
    double[] v = new double[n];
    Arrays.fill(v, 1);
    return v;
  }

  private static double[] rowsOfProbabilities(int[] rc) {
    double[] y = new double[rc[0] * rc[1]];
    double[] x = Values.normal(2, y.length, 2);
    Arrays.setAll(y, i -> Math.exp(x[i]));
    double[] sums = rowSums(rc, y, ones(y.length));
    Arrays.setAll(y, i -> (float) (y[i] / sums[i]));
    return y;
  }

  /** The sum of products over the row of each element. */
  private static double[] rowSums(int[] rc, double[] a, double[] b) {
    double[] sums = new double[a.length];
    for (int r = 0; r < rc[0]; r++) {
      double sum = 0;
      for (int c = 0; c < rc[1]; c++) {
        sum += a[r * rc[1] + c] * b[r * rc[1] + c];
      }
      Arrays.fill(sums, r * rc[1], (r + 1) * rc[1], sum);
    }
    return sums;
  }

  @Test
  default void normalizedRowsAgree() {
    for (int[] rc : ROWS) {
      for (double eps : new double[] {1e-5, 1e-12, 1}) {
        for (double shift : new double[] {0, 3}) {
          normalize(rc, eps, shift);
        }
      }
    }
  }

  /**
   * The mean is off by eps max|x|, which the division by the deviation magnifies; rstd is off by
   * the same error's share of the deviation.
   */
  private void normalize(int[] rc, double epsilon, double shift) {
    int n = rc[0] * rc[1];
    double[] x = Values.normal(rc[1], n, 1);
    Arrays.setAll(x, i -> (float) (x[i] + shift));
    double most = 1;
    for (double v : x) {
      most = Math.max(most, Math.abs(v));
    }
    double greatest = most;
    double[] rstd = rc[0] == 0 ? new double[0] : exactRstd(rc, x, epsilon);
    fused(
        new Case(
            "normalize " + Arrays.toString(rc) + " eps " + epsilon + " shift " + shift,
            new Object[] {x},
            new long[] {n, rc[0]},
            (b, in, out) -> b.normalize(in[0], out[0], out[1], rc[0], rc[1], epsilon)),
        (eps, k, i, e) -> {
          double r = rstd[k == 0 ? i / rc[1] : i];
          double magnified = eps * (1 + greatest * r);
          return k == 0 ? 4 * magnified * (1 + Math.abs(e)) : 4 * magnified * Math.abs(e);
        });
  }

  private static double[] exactRstd(int[] rc, double[] x, double epsilon) {
    double[] rstd = new double[rc[0]];
    try (ReferenceBackend b = new ReferenceBackend("ref")) {
      Storage s = Host.store(b, DType.F64, x);
      Storage r = b.allocate(DType.F64, rc[0]);
      b.normalize(s, b.allocate(DType.F64, x.length), r, rc[0], rc[1], epsilon);
      System.arraycopy(Host.read(b, r), 0, rstd, 0, rc[0]);
    }
    return rstd;
  }

  @Test
  default void normalizeGradientsAgree() {
    for (int[] rc : ROWS) {
      int n = rc[0] * rc[1];
      double[] g = Values.normal(1, n, 1);
      double[] y = Values.normal(2, n, 1);
      double[] rstd = Values.abs(Values.normal(3, rc[0], 2));
      double[] sumG = rowSums(rc, Values.abs(g), ones(n));
      double[] sumGy = rowSums(rc, Values.abs(g), Values.abs(y));
      fused(
          new Case(
              "normalize gradient " + Arrays.toString(rc),
              new Object[] {g, y, rstd},
              new long[] {n},
              (b, in, out) -> b.normalizeGrad(in[0], in[1], in[2], out[0], rc[0], rc[1])),
          (eps, k, i, e) ->
              8
                  * eps
                  * rstd[i / rc[1]]
                  * (Math.abs(g[i]) + sumG[i] / rc[1] + Math.abs(y[i]) * sumGy[i] / rc[1]));
    }
  }

  @Test
  default void classLossesAndTheirGradientsAgree() {
    for (int[] rc : ROWS) {
      for (double smoothing : new double[] {0, 0.1, 1}) {
        for (long ignore : new long[] {-100, 0}) {
          classLoss(rc, smoothing, ignore);
        }
      }
    }
  }

  private void classLoss(int[] rc, double smoothing, long ignore) {
    int n = rc[0] * rc[1];
    double[] y = rowsOfProbabilities(rc);
    double[] logp = new double[n];
    Arrays.setAll(logp, i -> (float) Math.log(y[i]));
    long[] targets = Values.ids(4, rc[0], rc[1]);
    for (int r = 2; r < rc[0]; r += 3) {
      targets[r] = ignore;
    }
    double[] total = rowSums(rc, Values.abs(logp), ones(n));
    double[] grad = Values.normal(5, rc[0], 1);
    String at = Arrays.toString(rc) + " smoothing " + smoothing + " ignore " + ignore;
    fused(
        new Case(
            "nll " + at,
            new Object[] {logp, targets},
            new long[] {rc[0]},
            (b, in, out) -> b.nll(in[0], in[1], out[0], rc[0], rc[1], smoothing, ignore)),
        (eps, k, i, e) ->
            targets[i] == ignore
                ? 0
                : 8
                    * eps
                    * (Math.abs(logp[i * rc[1] + (int) targets[i]])
                        + smoothing * total[i * rc[1]] / rc[1]));
    fused(
        new Case(
            "nll gradient " + at,
            new Object[] {grad, targets},
            new long[] {n},
            (b, in, out) -> b.nllGrad(in[0], in[1], out[0], rc[0], rc[1], smoothing, ignore)),
        (eps, k, i, e) -> targets[i / rc[1]] == ignore ? 0 : 4 * eps * Math.abs(grad[i / rc[1]]));
  }

  @Test
  default void anIgnoredRowHasNoLossWhateverItHolds() {
    for (DType dtype : FLOATING) {
      for (Backend b : new Backend[] {lab().tested(), new PrimitivesOnly(lab().tested())}) {
        double nan = Double.NaN;
        Storage logp = Host.store(b, dtype, new double[] {nan, nan, -1, -2});
        Storage targets = Host.store(b, new long[] {-100, 1});
        Storage grad = Host.store(b, dtype, new double[] {nan, 1});
        Storage loss = b.allocate(dtype, 2);
        Storage out = b.allocate(dtype, 4);
        b.nll(logp, targets, loss, 2, 2, 0, -100);
        assertArrayEquals(new double[] {0, 2}, Host.read(b, loss));
        b.nllGrad(grad, targets, out, 2, 2, 0, -100);
        double[] g = Host.read(b, out);
        TensorAssert.assertClose(new double[] {0, 0, 0, -1}, g, 0, 0);
        for (Storage s : new Storage[] {logp, targets, grad, loss, out}) {
          b.free(s);
        }
      }
    }
  }

  @Test
  default void rowsAreSummedByIdInTheOrderInWhichIdsAppear() {
    for (DType dtype : FLOATING) {
      for (int count : new int[] {0, 1, 3, 7, 257, 4097}) {
        for (int cols : new int[] {0, 1, 17}) {
          for (int range : new int[] {1, 257, 100_000}) {
            coalesce(dtype, count, cols, range);
          }
        }
      }
    }
  }

  private void coalesce(DType dtype, int count, int cols, int range) {
    for (long skip : new long[] {-1, 0, range - 1}) {
      List<double[]> expected = coalesced(lab().reference(), dtype, count, cols, range, skip);
      for (Backend b : new Backend[] {lab().tested(), new PrimitivesOnly(lab().tested())}) {
        List<double[]> actual = coalesced(b, dtype, count, cols, range, skip);
        String what = dtype + " " + count + " x " + cols + " of " + range + " without " + skip;
        for (int k = 0; k < expected.size(); k += 2) {
          assertArrayEquals(expected.get(k), actual.get(k), "ids " + what);
          // As many roundings as terms meet; terms are normal, rarely over 4.
          double terms = count * 2.0 / Math.max(1, Math.min(range, count)) + 20;
          TensorAssert.assertClose(
              expected.get(k + 1), actual.get(k + 1), terms * terms * Tolerance.eps(dtype), 0);
        }
      }
    }
  }

  /** Ids and sums after one call, and after a second one that adds to them. */
  private static List<double[]> coalesced(
      Backend b, DType dtype, int count, int cols, int range, long skip) {
    int places = Math.min(2 * count, range) + 3;
    Storage ids = Host.store(b, filled(places, 77)); // what lies there is overwritten
    Storage values = Host.store(b, dtype, filledDoubles(places * cols));
    Gradient.Rows out = new Gradient.Rows(ids, values, cols);
    List<double[]> results = new ArrayList<>();
    for (int call = 0; call < 2; call++) {
      Storage newIds = Host.store(b, Values.ids(count + call, count, range));
      Storage rows = Host.store(b, dtype, Values.normal(count - call, count * cols, 1));
      b.coalesce(newIds, call == 0 ? skip : -1, rows, out, call == 1);
      b.free(newIds);
      b.free(rows);
      double[] after = Host.read(b, ids);
      int used = 0;
      while (used < places && after[used] >= 0) {
        used++;
      }
      for (int k = used; k < places; k++) {
        assertEquals(-1, after[k], "what is left over comes last");
      }
      results.add(after);
      results.add(Arrays.copyOf(Host.read(b, values), used * cols));
    }
    b.free(ids);
    b.free(values);
    return results;
  }

  private static long[] filled(int n, long value) {
    long[] all = new long[n];
    Arrays.fill(all, value);
    return all;
  }

  private static double[] filledDoubles(int n) {
    double[] all = new double[n];
    Arrays.fill(all, Double.NaN);
    return all;
  }

  @Test
  default void coalescedRowsAreWhatAScatterOfAllRowsGives() {
    for (DType dtype : FLOATING) {
      Backend b = lab().tested();
      int count = 4097;
      int range = 1000;
      int cols = 17;
      Axis table = new Axis(1, range, cols);
      Storage ids = Host.store(b, Values.ids(1, count, range));
      Storage rows = Host.store(b, dtype, Values.normal(2, count * cols, 1));
      Gradient.Rows out =
          new Gradient.Rows(
              b.allocate(DType.I64, range), b.allocate(dtype, (long) range * cols), cols);
      b.coalesce(ids, 3, rows, out, false);
      b.coalesce(ids, -1, rows, out, true);
      Storage dense = b.allocate(dtype, table.numel());
      Storage direct = b.allocate(dtype, table.numel());
      b.scatterAdd(out.values(), table, out.ids(), -1, dense, false);
      b.scatterAdd(rows, table, ids, 3, direct, false);
      b.scatterAdd(rows, table, ids, -1, direct, true);
      assertArrayEquals(Host.read(b, direct), Host.read(b, dense), "the same sums in one order");
      for (Storage s : new Storage[] {ids, rows, out.ids(), out.values(), dense, direct}) {
        b.free(s);
      }
    }
  }

  /** The error allowed for element i of result k, e being expected. */
  @FunctionalInterface
  interface RowTolerance {
    double allowed(double eps, int k, int i, double e);
  }

  /** Runs both forms in both types; expects what the reference gets in double. */
  private void fused(Case c, RowTolerance tolerance) {
    for (DType dtype : FLOATING) {
      double[][] expected = results(lab().reference(), c, DType.F64);
      for (Backend b : new Backend[] {lab().tested(), new PrimitivesOnly(lab().tested())}) {
        double[][] actual = results(b, c, dtype);
        for (int k = 0; k < expected.length; k++) {
          int result = k;
          Lab.compare(
              c.what() + " " + dtype.label() + " " + b.getClass().getSimpleName() + " result " + k,
              expected[k],
              actual[k],
              (i, e) -> tolerance.allowed(Tolerance.eps(dtype), result, i, e));
        }
      }
    }
  }

  private static double[][] results(Backend b, Case c, DType dtype) {
    Storage[] in = new Storage[c.operands().length];
    for (int k = 0; k < in.length; k++) {
      in[k] =
          c.operands()[k] instanceof long[] ids
              ? Host.store(b, ids)
              : Host.store(b, dtype, (double[]) c.operands()[k]);
    }
    Storage[] out = new Storage[c.results().length];
    for (int k = 0; k < out.length; k++) {
      out[k] = b.allocate(dtype, c.results()[k]);
    }
    c.call().on(b, in, out);
    double[][] values = new double[out.length][];
    for (int k = 0; k < out.length; k++) {
      values[k] = Host.read(b, out[k]);
      b.free(out[k]);
    }
    for (Storage s : in) {
      b.free(s);
    }
    return values;
  }
}
