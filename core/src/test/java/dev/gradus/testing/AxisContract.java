package dev.gradus.testing;

import static dev.gradus.testing.Values.FLOATING;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.spi.Axis;
import dev.gradus.spi.ReduceOp;
import dev.gradus.testing.Lab.Twin;
import dev.gradus.types.DType;
import org.junit.jupiter.api.Test;

/** What a backend promises for reductions, look-ups and their gradient. */
interface AxisContract extends ContractFixture {
  int[] OUTER = {0, 1, 3, 64};
  int[] LENGTH = {0, 1, 3, 7, 64, 257, 4097};
  int[] INNER = {0, 1, 3, 17};

  @Test
  default void everyReductionAgrees() {
    int ops = 0;
    for (ReduceOp op : ReduceOp.values()) {
      for (DType dtype : new DType[] {DType.F32, DType.F64, DType.I64}) {
        for (int outer : OUTER) {
          for (int length : LENGTH) {
            for (int inner : INNER) {
              reduce(op, dtype, new Axis(outer, length, inner));
            }
          }
        }
      }
      ops++;
    }
    assertEquals(ReduceOp.values().length, ops);
  }

  /**
   * A float sum is done in double: one rounding at the end, half an ulp, and one more where it is
   * added to what is there. A double sum of n terms in another order differs by less than n eps
   * times the sum of the magnitudes.
   */
  private void reduce(ReduceOp op, DType dtype, Axis axis) {
    if (op != ReduceOp.SUM && axis.length() == 0) {
      return; // there is no greatest of nothing
    }
    for (boolean accumulate : new boolean[] {false, true}) {
      int n = (int) axis.numel();
      double[] values = dtype == DType.I64 ? Values.any(n, n, dtype) : Values.normal(n, n, 3);
      double[] start = Values.any(5, (int) axis.reduced(), DType.I64);
      Twin x = lab().twin(dtype, values);
      Twin out = accumulate ? lab().twin(dtype, start) : lab().blank(dtype, axis.reduced());
      lab().run((b, at) -> b.reduce(op, at.apply(x), axis, at.apply(out), accumulate));
      double[] magnitude = magnitudes(axis, values);
      Tolerance sum =
          (i, e) ->
              (axis.length() + 1) * 0x1p-53 * magnitude[i]
                  + (dtype == DType.F32 || accumulate
                      ? Tolerance.ulp(dtype, e)
                          + (accumulate ? Tolerance.ulp(dtype, e - start[i]) : 0)
                      : 0);
      String what = op + " " + dtype.label() + " " + axis + (accumulate ? " accumulating" : "");
      lab().check(what, out, op == ReduceOp.SUM ? sum : Tolerance.SAME);
      lab().clear();
    }
  }

  private static double[] magnitudes(Axis axis, double[] x) {
    try (ReferenceBackend b = new ReferenceBackend("ref")) {
      var out = b.allocate(DType.F64, axis.reduced());
      b.reduce(ReduceOp.SUM, Host.store(b, DType.F64, Values.abs(x)), axis, out, false);
      return Host.read(b, out);
    }
  }

  @Test
  default void aFloatSumIsDoneInDouble() {
    double[] v = new double[100_001];
    java.util.Arrays.fill(v, 0.1f);
    v[0] = 1e8;
    Twin x = lab().twin(DType.F32, v);
    Twin out = lab().blank(DType.F32, 1);
    lab()
        .run(
            (b, at) ->
                b.reduce(ReduceOp.SUM, at.apply(x), new Axis(1, 100_001, 1), at.apply(out), false));
    lab().check("sum", out, Tolerance.ulps(DType.F32, 0.5));
  }

  @Test
  default void reductionsPassNanAndInfinitiesOn() {
    double inf = Double.POSITIVE_INFINITY;
    double nan = Double.NaN;
    double[] rows = {
      1, nan, 3, nan, 1, 2, 1, 2, nan, inf, 1, 2, -inf, 1, 2, inf, -inf, 0, -0.0, 0, -0.0, inf, nan,
      -inf, -inf, -inf, -inf
    };
    for (ReduceOp op : ReduceOp.values()) {
      for (DType dtype : FLOATING) {
        for (int repeat : new int[] {1, 100}) {
          double[] values = new double[rows.length * repeat];
          for (int i = 0; i < values.length; i++) {
            values[i] = rows[i / (3 * repeat) * 3 + i % 3];
          }
          Twin x = lab().twin(dtype, values);
          Axis axis = new Axis(9, 3L * repeat, 1);
          Twin out = lab().blank(dtype, 9);
          lab().run((b, at) -> b.reduce(op, at.apply(x), axis, at.apply(out), false));
          lab().check(op + " " + dtype.label() + " of " + axis, out, Tolerance.SAME);
          lab().clear();
        }
      }
    }
  }

  @Test
  default void argReduceTakesTheFirstOfEqualsAndOfNans() {
    for (DType dtype : new DType[] {DType.F32, DType.F64, DType.I64}) {
      for (boolean greatest : new boolean[] {true, false}) {
        for (int length : new int[] {1, 3, 7, 64, 257, 4097}) {
          for (int inner : new int[] {1, 3}) {
            Axis axis = new Axis(5, length, inner);
            int n = (int) axis.numel();
            // whole numbers in a narrow range: many ties
            double[] values = Values.any(length, n, DType.I64);
            for (int i = 3; dtype.isFloating() && i < n; i += 2 * length + 1) {
              values[i] = i % 3 == 0 ? Double.NaN : i % 3 == 1 ? Double.POSITIVE_INFINITY : -0.0;
            }
            Twin x = lab().twin(dtype, values);
            Twin out = lab().blank(DType.I64, axis.reduced());
            lab().run((b, at) -> b.argReduce(greatest, at.apply(x), axis, at.apply(out)));
            lab().check("argReduce " + greatest + " " + dtype + axis, out, Tolerance.BITS);
            lab().clear();
          }
        }
      }
    }
  }

  @Test
  default void gatherCopiesEveryTypeWithRepeatedIds() {
    for (DType dtype : DType.values()) {
      for (int outer : new int[] {0, 1, 3}) {
        for (int length : new int[] {1, 3, 257}) {
          for (int inner : new int[] {1, 3, 64}) {
            for (int count : new int[] {0, 1, 7, 257}) {
              Axis axis = new Axis(outer, length, inner);
              Twin x = lab().twin(dtype, Values.any(7, (int) axis.numel(), dtype));
              Twin ids = lab().twin(Values.ids(count, count, length));
              Twin out = lab().blank(dtype, (long) outer * count * inner);
              lab().run((b, at) -> b.gather(at.apply(x), axis, at.apply(ids), at.apply(out)));
              lab().check("gather " + dtype + " " + axis + " by " + count, out, Tolerance.BITS);
              lab().clear();
            }
          }
        }
      }
    }
  }

  @Test
  default void scatterAddSumsRepeatedIdsAndLeavesTheSkippedOut() {
    for (DType dtype : FLOATING) {
      for (int outer : new int[] {0, 1, 3}) {
        for (int length : new int[] {1, 3, 257}) {
          for (int inner : new int[] {1, 3, 64}) {
            for (int count : new int[] {0, 1, 7, 257}) {
              for (long skip : new long[] {-1, 0, length - 1}) {
                scatterAdd(dtype, new Axis(outer, length, inner), count, skip, false);
                scatterAdd(dtype, new Axis(outer, length, inner), count, skip, true);
              }
            }
          }
        }
      }
    }
  }

  /**
   * The terms of one sum are added in the order of the ids, in the storage's type or a wider one:
   * as many roundings as terms, on both sides, of sums no greater than the sum of the magnitudes.
   */
  private void scatterAdd(DType dtype, Axis axis, int count, long skip, boolean accumulate) {
    int n = (int) axis.outer() * count * (int) axis.inner();
    double[] values = Values.normal(count, n, 1);
    double[] start = Values.normal(3, (int) axis.numel(), 1);
    Twin x = lab().twin(dtype, values);
    long[] idValues = Values.ids(count + 1, count, (int) axis.length());
    for (int j = 2; j < count; j += 5) {
      idValues[j] = skip; // one that is no row too
    }
    Twin ids = lab().twin(idValues);
    Twin out = accumulate ? lab().twin(dtype, start) : lab().blank(dtype, axis.numel());
    lab()
        .run(
            (b, at) ->
                b.scatterAdd(at.apply(x), axis, at.apply(ids), skip, at.apply(out), accumulate));
    double[] magnitude = Values.abs(accumulate ? start : new double[start.length]);
    long most = addMagnitudes(axis, values, idValues, skip, magnitude);
    lab()
        .check(
            "scatterAdd " + dtype + " " + axis + " by " + count + " without " + skip,
            out,
            (i, e) -> (most + 1) * Tolerance.eps(dtype) * magnitude[i]);
    lab().clear();
  }

  /** Adds the magnitudes of the terms; returns how many meet in one place at most. */
  private static long addMagnitudes(
      Axis axis, double[] values, long[] ids, long skip, double[] into) {
    long[] counts = new long[(int) axis.length()];
    for (int j = 0; j < ids.length; j++) {
      counts[(int) Math.max(0, ids[j])]++;
    }
    for (int i = 0; i < values.length; i++) {
      long inner = i % axis.inner();
      long id = ids[(int) (i / axis.inner() % ids.length)];
      long o = i / (axis.inner() * ids.length);
      if (id != skip) {
        into[(int) ((o * axis.length() + id) * axis.inner() + inner)] += Math.abs(values[i]);
      }
    }
    long most = 0;
    for (long c : counts) {
      most = Math.max(most, c);
    }
    return most;
  }

  @Test
  default void axisOpsRefuseTruthValues() {
    Axis axis = new Axis(1, 3, 1);
    Twin x = lab().twin(DType.BOOL, new double[] {1, 0, 1});
    Twin one = lab().blank(DType.BOOL, 1);
    for (ReduceOp op : ReduceOp.values()) {
      refuses(op, DType.BOOL, b -> b.reduce(op, x.tested(), axis, one.tested(), false));
    }
    Twin ids = lab().twin(new long[] {0, 1, 2});
    Twin out = lab().blank(DType.BOOL, 3);
    refuses(
        "scatterAdd",
        DType.BOOL,
        b -> b.scatterAdd(x.tested(), axis, ids.tested(), -1, out.tested(), false));
  }
}
