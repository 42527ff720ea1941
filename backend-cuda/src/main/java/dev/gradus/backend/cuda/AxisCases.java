package dev.gradus.backend.cuda;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.List;

/**
 * Cases of the kernels that bring elements together or move them: reductions, rows, products,
 * norms, copies, look-ups and sums by ids.
 */
final class AxisCases {
  private static final DType[] FLOATING = {DType.F32, DType.F64};
  private static final DType[] NUMBERS = {DType.F32, DType.F64, DType.I64};

  /** Rows that a warp takes, and one that a block takes. */
  private static final int[][] ROWS = {{5, 37}, {1, 520}};

  private AxisCases() {}

  static void addTo(List<KernelCase> all) {
    for (DType t : DType.values()) {
      all.add(new KernelCase("copy " + t.label(), run -> copy(run, t)));
      all.add(new KernelCase("turn " + t.label(), run -> turn(run, t)));
      all.add(new KernelCase("gather " + t.label(), run -> gather(run, t)));
    }
    for (DType t : NUMBERS) {
      for (ReduceOp op : ReduceOp.values()) {
        String name = KernelTable.name(op) + " " + t.label();
        all.add(new KernelCase(name + " along rows", run -> reduceRows(run, op, t)));
        all.add(new KernelCase(name + " along columns", run -> reduceColumns(run, op, t)));
      }
      all.add(new KernelCase("argmax and argmin " + t.label(), run -> arg(run, t)));
      all.add(new KernelCase("scatter-add " + t.label(), run -> scatter(run, t, false)));
    }
    for (DType t : FLOATING) {
      all.add(new KernelCase("softmax " + t.label(), run -> softmax(run, t)));
      all.add(new KernelCase("softmax " + t.label() + " gradient", run -> softmaxGrad(run, t)));
      all.add(new KernelCase("normalize " + t.label(), run -> normalize(run, t)));
      all.add(new KernelCase("normalize " + t.label() + " gradient", run -> normalizeGrad(run, t)));
      all.add(new KernelCase("nll " + t.label(), run -> nll(run, t)));
      all.add(new KernelCase("nll " + t.label() + " gradient", run -> nllGrad(run, t)));
      all.add(new KernelCase("gemm " + t.label(), run -> gemm(run, t)));
      all.add(new KernelCase("coalesce " + t.label(), run -> coalesce(run, t, false)));
      String any = t.label() + " in any order";
      all.add(new KernelCase("scatter-add " + any, true, run -> scatter(run, t, true)));
      all.add(new KernelCase("coalesce " + any, true, run -> coalesce(run, t, true)));
    }
    for (double p : new double[] {1, 2, 3.5, Double.POSITIVE_INFINITY}) {
      all.add(new KernelCase("sums of powers " + p, run -> powers(run, p)));
    }
  }

  // ---- copies and look-ups

  private static void copy(CaseRun run, DType t) {
    Backend b = run.backend();
    Storage x = run.between(t, 203, -100, 100);
    Storage turned = run.empty(t, 203);
    b.copyStrided(new long[] {29, 7}, x, 0, new long[] {1, 29}, turned, 0, new long[] {7, 1});
    run.result(turned);
    Storage rows = run.between(t, 6 * 64, -100, 100);
    Storage out = run.empty(t, 2 * 3 * 32);
    long[] shape = {3, 2, 32};
    b.copyStrided(shape, rows, 32, new long[] {64, 192, 1}, out, 0, new long[] {64, 32, 1});
    run.result(out);
  }

  /** Matrices whose rows become columns. */
  private static void turn(CaseRun run, DType t) {
    Storage x = run.between(t, 2 * 9 * 34, -100, 100);
    Storage out = run.empty(t, 2 * 9 * 34);
    long[] shape = {2, 34, 9};
    long[] from = {9 * 34, 1, 34};
    run.backend().copyStrided(shape, x, 0, from, out, 0, new long[] {34 * 9, 9, 1});
    run.result(out);
  }

  private static void gather(CaseRun run, DType t) {
    for (int inner : new int[] {3, 16}) {
      Storage x = run.between(t, 2 * 7 * inner, -100, 100);
      Storage out = run.empty(t, 10L * inner);
      run.backend().gather(x, new Axis(2, 7, inner), run.ids(5, 7), out);
      run.result(out);
    }
  }

  /** Numbers whose sums are exact, so that their order does not matter, or any. */
  private static Storage addends(CaseRun run, DType t, int n, boolean whole) {
    Storage x = run.between(whole ? DType.I64 : t, n, -100, 100);
    if (!whole) {
      return x;
    }
    Storage out = run.empty(t, n);
    run.backend().cast(x, out);
    return out;
  }

  private static void scatter(CaseRun run, DType t, boolean whole) {
    // More ids than a block sorts by itself.
    for (int count : new int[] {50, 2600}) {
      Axis axis = new Axis(1, 11, 3);
      Storage x = addends(run, t, count * 3, whole);
      Storage out = addends(run, t, 33, whole);
      Storage ids = run.ids(count, 11);
      run.backend().scatterAdd(x, axis, ids, 4, out, true);
      run.result(out);
      run.backend().scatterAdd(x, axis, ids, -1, out, false);
      run.result(out);
    }
  }

  private static void coalesce(CaseRun run, DType t, boolean whole) {
    Storage ids = run.ids(90, 15);
    Storage places = run.empty(DType.I64, 15);
    Gradient.Rows out = new Gradient.Rows(places, run.empty(t, 15 * 3), 3);
    Storage rows = addends(run, t, 90 * 3, whole);
    for (boolean accumulate : new boolean[] {false, true}) {
      run.backend().coalesce(ids, -1, rows, out, accumulate);
      run.result(out.ids());
      run.result(out.values());
    }
  }

  // ---- reductions

  private static void reduceRows(CaseRun run, ReduceOp op, DType t) {
    Storage few = run.withSpecials(t, 40 * 7, -100, 100, 9);
    reduce(run, op, few, new Axis(40, 7, 1), false);
    // A block for a row; then pieces of a row, whose results a second launch brings together.
    reduce(run, op, run.between(t, 3 * 700, -100, 100), new Axis(3, 700, 1), true);
    reduce(run, op, run.between(t, 9000, -100, 100), new Axis(1, 9000, 1), true);
  }

  private static void reduceColumns(CaseRun run, ReduceOp op, DType t) {
    Storage few = run.withSpecials(t, 3 * 10 * 13, -100, 100, 4);
    reduce(run, op, few, new Axis(3, 10, 13), true);
    reduce(run, op, run.between(t, 300 * 33, -100, 100), new Axis(1, 300, 33), false);
  }

  private static void reduce(CaseRun run, ReduceOp op, Storage x, Axis axis, boolean accumulate) {
    Storage out = run.between(x.dtype(), Math.toIntExact(axis.reduced()), -100, 100);
    run.backend().reduce(op, x, axis, out, accumulate && op == ReduceOp.SUM);
    run.result(out);
  }

  private static void arg(CaseRun run, DType t) {
    Axis axis = new Axis(4, 70, 3);
    Storage x = run.withSpecials(t, 4 * 70 * 3, -100, 100, 3);
    for (boolean greatest : new boolean[] {true, false}) {
      Storage out = run.empty(DType.I64, axis.reduced());
      run.backend().argReduce(greatest, x, axis, out);
      run.result(out);
    }
  }

  private static void powers(CaseRun run, double p) {
    Storage large = run.between(DType.F32, 20_000, -4, 4);
    Storage small = run.between(DType.F64, 203, -4, 4);
    Storage ids = run.of(DType.I64, 3, 1, 7, -1, -1);
    Storage out = run.empty(DType.F64, 3);
    run.backend().sumPowers(List.of(large, run.empty(DType.F32, 0), small), p, out);
    run.result(out);
    Storage sums = run.empty(DType.F64, 2);
    run.backend()
        .sumRowPowers(
            List.of(
                new Gradient.Rows(ids, run.between(DType.F32, 5 * 9, -4, 4), 9),
                new Gradient.Rows(ids, run.between(DType.F64, 5 * 9, -4, 4), 9)),
            p,
            sums);
    run.result(sums);
  }

  // ---- rows

  private static void softmax(CaseRun run, DType t) {
    // In single precision the powers lie within a binade: their last bits stay last ones.
    double reach = t == DType.F32 ? 0.3 : 4;
    for (int[] r : ROWS) {
      Storage x = run.between(t, r[0] * r[1], -reach, reach);
      Storage out = run.empty(t, x.numel());
      for (boolean log : new boolean[] {false, true}) {
        run.backend().softmax(log, x, out, r[0], r[1]);
        run.result(out);
      }
    }
  }

  private static void softmaxGrad(CaseRun run, DType t) {
    for (int[] r : ROWS) {
      int n = r[0] * r[1];
      Storage grad = run.between(t, n, 1, 2);
      Storage out = run.empty(t, n);
      run.backend().softmaxGrad(false, grad, run.between(t, n, 0, 2.0 / r[1]), out, r[0], r[1]);
      run.result(out);
      // Probabilities so small that what is subtracted is smaller than the gradient.
      run.backend().softmaxGrad(true, grad, run.between(t, n, -10, -8), out, r[0], r[1]);
      run.result(out);
    }
  }

  private static void normalize(CaseRun run, DType t) {
    for (int[] r : ROWS) {
      Storage x = run.between(t, r[0] * r[1], -4, 6);
      Storage out = run.empty(t, x.numel());
      Storage rstd = run.empty(t, r[0]);
      run.backend().normalize(x, out, rstd, r[0], r[1], 1e-5);
      run.result(out);
      run.result(rstd);
    }
  }

  private static void normalizeGrad(CaseRun run, DType t) {
    for (int[] r : ROWS) {
      int n = r[0] * r[1];
      // -3 and 3 with a mean about 0, and small y: nothing cancels.
      double[] signs = new double[n];
      for (int i = 0; i < n; i++) {
        signs[i] = i % 2 == 0 ? 3 : -3;
      }
      Storage grad = run.of(t, signs);
      Storage y = run.between(t, n, -0.5, 0.5);
      Storage out = run.empty(t, n);
      Storage rstd = run.between(t, r[0], 0.5, 2);
      run.backend().normalizeGrad(grad, y, rstd, out, r[0], r[1]);
      run.result(out);
    }
  }

  private static void nll(CaseRun run, DType t) {
    Storage logp = run.between(t, 9 * 37, -8, -1);
    for (double smoothing : new double[] {0, 0.1}) {
      Storage out = run.empty(t, 9);
      run.backend().nll(logp, run.ids(9, 37), out, 9, 37, smoothing, 3);
      run.result(out);
    }
  }

  private static void nllGrad(CaseRun run, DType t) {
    Storage grad = run.between(t, 9, 0.1, 2);
    for (double smoothing : new double[] {0, 0.1}) {
      Storage out = run.empty(t, 9 * 37);
      run.backend().nllGrad(grad, run.ids(9, 37), out, 9, 37, smoothing, 3);
      run.result(out);
    }
  }

  // ---- products

  private static void gemm(CaseRun run, DType t) {
    for (boolean transA : new boolean[] {false, true}) {
      for (boolean transB : new boolean[] {false, true}) {
        product(run, t, new Gemm(transA, transB, 5, 7, 70, 2, 5 * 70, 7 * 70, transA));
      }
    }
    product(run, t, Gemm.of(false, false, 67, 3, 19));
    product(run, t, Gemm.of(false, true, 2, 66, 33));
  }

  private static void product(CaseRun run, DType t, Gemm g) {
    Storage a = run.between(t, Math.toIntExact(g.batch() * g.m() * g.k()), -4, 4);
    Storage b = run.between(t, Math.toIntExact(g.batch() * g.n() * g.k()), -4, 4);
    Storage c = run.between(t, Math.toIntExact(g.batch() * g.m() * g.n()), -4, 4);
    run.backend().gemm(g, a, b, c);
    run.result(c);
  }
}
