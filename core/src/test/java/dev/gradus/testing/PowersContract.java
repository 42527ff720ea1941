package dev.gradus.testing;

import static dev.gradus.testing.Values.FLOATING;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a backend promises for sums of powers over many storages, in its own form and composed. */
interface PowersContract extends ContractFixture {
  /** Orders of norms. */
  double[] ORDERS = {0.5, 1, 2, 3, Double.POSITIVE_INFINITY};

  @Test
  default void sumsOfPowersAreThoseOfAPlainLoop() {
    List<double[]> values = new ArrayList<>();
    for (int n : Values.SIZES) {
      values.add(Values.normal(n, n, 10));
    }
    values.add(Values.normal(5, 140_001, 1e-3));
    for (DType dtype : FLOATING) {
      for (double p : ORDERS) {
        powers(dtype, values, p);
      }
    }
  }

  @Test
  default void sumsOfPowersOfWhatIsNotFiniteAreNotFinite() {
    List<double[]> values = new ArrayList<>();
    for (double special :
        new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
      double[] x = Values.normal(3, 257, 1);
      x[100] = special;
      values.add(x);
    }
    values.add(new double[] {3e38, -3e38, 1e-45, 0}); // squares that a float cannot hold
    for (DType dtype : FLOATING) {
      for (double p : ORDERS) {
        powers(dtype, values, p);
      }
    }
  }

  private void powers(DType dtype, List<double[]> values, double p) {
    for (Backend b : new Backend[] {lab().tested(), new PrimitivesOnly(lab().tested())}) {
      List<Storage> xs = new ArrayList<>();
      double[] expected = new double[values.size()];
      for (int i = 0; i < expected.length; i++) {
        xs.add(Host.store(b, dtype, values.get(i)));
        expected[i] = plain(Host.read(b, xs.get(i)), p);
      }
      Storage out = b.allocate(DType.F64, xs.size());
      b.sumPowers(xs, p, out);
      // n additions of positive numbers, each off by half an ulp, and powers off by some
      Lab.compare(
          "sums of |x|^" + p + " of " + dtype.label(),
          expected,
          Host.read(b, out),
          (i, e) -> 1e-12 * e);
      xs.forEach(b::free);
      b.free(out);
    }
  }

  /** Rows of tables: none, some with places left over, and tables longer than a chunk of a sum. */
  @Test
  default void sumsOfPowersOfRowsAreThoseOfTheDenseGradient() {
    long[][] ids = {{}, {4, 0, 6, -1, -1}, {900, 3, 1000, 512, 2, -1}, {1}};
    int[] tables = {7, 7, 1001, 2};
    int[] cols = {3, 17, 257, 140_001};
    for (DType dtype : FLOATING) {
      for (double p : ORDERS) {
        for (Backend b : new Backend[] {lab().tested(), new PrimitivesOnly(lab().tested())}) {
          List<Gradient.Rows> xs = new ArrayList<>();
          List<Storage> dense = new ArrayList<>();
          for (int i = 0; i < ids.length; i++) {
            Gradient.Rows rows = rows(b, dtype, ids[i], cols[i]);
            Axis table = new Axis(1, tables[i], cols[i]);
            Storage written = b.allocate(dtype, table.numel());
            b.scatterAdd(rows.values(), table, rows.ids(), -1, written, false);
            xs.add(rows);
            dense.add(written);
          }
          Storage expected = b.allocate(DType.F64, xs.size());
          Storage out = b.allocate(DType.F64, xs.size());
          b.sumPowers(dense, p, expected);
          b.sumRowPowers(xs, p, out);
          Lab.compare(
              "sums of |x|^" + p + " of rows of " + dtype.label(),
              Host.read(b, expected),
              Host.read(b, out),
              (i, e) -> 1e-12 * e);
        }
      }
    }
  }

  private static Gradient.Rows rows(Backend b, DType dtype, long[] ids, int cols) {
    double[] values = Values.normal(cols, ids.length * cols, 10);
    for (int k = 0; k < ids.length; k++) {
      if (ids[k] < 0) {
        Arrays.fill(values, k * cols, (k + 1) * cols, Double.NaN); // undefined
      }
    }
    return new Gradient.Rows(Host.store(b, ids), Host.store(b, dtype, values), cols);
  }

  private static double plain(double[] x, double p) {
    double s = 0;
    for (double v : x) {
      s = Double.isInfinite(p) ? Math.max(s, Math.abs(v)) : s + Math.pow(Math.abs(v), p);
    }
    return s;
  }
}
