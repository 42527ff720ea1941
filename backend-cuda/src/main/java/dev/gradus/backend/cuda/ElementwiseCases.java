package dev.gradus.backend.cuda;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.util.List;

/**
 * Cases of {@code elementwise.cu} and {@code random.cu}. Where a kernel's bits are the device's own
 * its inputs stay away from where a formula cancels: there a last bit becomes many.
 */
final class ElementwiseCases {
  /** Whole packs, and some elements behind them; 7 rows of 29. */
  private static final int N = 203;

  private static final int ROW = 29;
  private static final DType[] FLOATING = {DType.F32, DType.F64};
  private static final DType[] NUMBERS = {DType.F32, DType.F64, DType.I64};

  private ElementwiseCases() {}

  /** Between what bounds operands lie. */
  private record Bounds(double low, double high) {
    static final Bounds WIDE = new Bounds(-4, 4);
    static final Bounds POSITIVE = new Bounds(0.01, 4);
    static final Bounds UNIT = new Bounds(0.02, 0.98);

    Storage of(CaseRun run, DType dtype, int every) {
      return run.withSpecials(dtype, N, low, high, every);
    }
  }

  static void addTo(List<KernelCase> all) {
    for (DType dtype : NUMBERS) {
      for (UnaryOp op : UnaryOp.values()) {
        if (dtype.isFloating() || takesWhole(op)) {
          all.add(new KernelCase(name(op, dtype), run -> unary(run, op, dtype)));
        }
        if (dtype.isFloating() && op.saves() != UnaryOp.Saves.NOTHING) {
          all.add(new KernelCase(name(op, dtype) + " gradient", run -> gradient(run, op, dtype)));
        }
      }
      for (BinaryOp op : BinaryOp.values()) {
        if (dtype.isFloating() || takesWhole(op)) {
          all.add(new KernelCase(name(op, dtype), run -> binary(run, op, dtype)));
        }
      }
      all.add(new KernelCase("add " + dtype.label() + " spread", run -> spread(run, dtype)));
    }
    for (DType dtype : DType.values()) {
      all.add(new KernelCase("compare " + dtype.label(), run -> compare(run, dtype)));
      all.add(new KernelCase("cast " + dtype.label(), run -> cast(run, dtype)));
      all.add(new KernelCase(name(TernaryOp.WHERE, dtype), run -> where(run, dtype)));
    }
    for (DType dtype : FLOATING) {
      for (TernaryOp op : TernaryOp.values()) {
        if (op != TernaryOp.WHERE) {
          all.add(new KernelCase(name(op, dtype), run -> ternary(run, op, dtype)));
        }
      }
      all.add(new KernelCase("sizes " + dtype.label(), run -> sizes(run, dtype)));
      all.add(new KernelCase("dropout " + dtype.label(), run -> dropout(run, dtype)));
    }
    all.add(new KernelCase("fill", ElementwiseCases::fill));
  }

  private static String name(Enum<?> op, DType dtype) {
    return KernelTable.name(op) + " " + dtype.label();
  }

  private static boolean takesWhole(UnaryOp op) {
    return switch (op) {
      case NEG, ABS, ADD_SCALAR, MUL_SCALAR, CLAMP -> true;
      default -> false;
    };
  }

  private static boolean takesWhole(BinaryOp op) {
    return switch (op) {
      case ADD, SUB, MUL, MAXIMUM, MINIMUM -> true;
      default -> false;
    };
  }

  // ---- one operand

  private static double a(UnaryOp op) {
    return switch (op) {
      case CLAMP -> -1.5;
      case POW_SCALAR -> 2.5;
      case LEAKY_RELU -> 0.01;
      default -> 1.7;
    };
  }

  private static double b(UnaryOp op) {
    return op == UnaryOp.SOFTPLUS ? 4 : 2.25;
  }

  private static void unary(CaseRun run, UnaryOp op, DType dtype) {
    Bounds bounds =
        switch (op) {
          case LOG, POW_SCALAR -> Bounds.POSITIVE;
          case GELU, GELU_TANH, SIGMOID, SILU, SOFTPLUS -> new Bounds(-0.5, 4);
          default -> dtype == DType.I64 ? new Bounds(-1e12, 1e12) : Bounds.WIDE;
        };
    Storage out = run.empty(dtype, N);
    run.backend().unary(op, bounds.of(run, dtype, 1), out, a(op), b(op));
    run.result(out);
  }

  private static void gradient(CaseRun run, UnaryOp op, DType dtype) {
    Bounds saved =
        switch (op) {
          case POW_SCALAR, RPOW_SCALAR, LOG, EXP, SQRT -> Bounds.POSITIVE;
          case SIGMOID -> Bounds.UNIT;
          case TANH -> new Bounds(-0.7, 0.7);
          case GELU, GELU_TANH, SILU, SOFTPLUS -> new Bounds(0.25, 4);
          default -> Bounds.WIDE;
        };
    Storage grad = Bounds.WIDE.of(run, dtype, CaseRun.specials());
    Storage out = run.empty(dtype, N);
    run.backend().unaryGrad(op, grad, saved.of(run, dtype, 1), out, a(op), b(op));
    run.result(out);
  }

  // ---- two and three

  private static void binary(CaseRun run, BinaryOp op, DType dtype) {
    Bounds xs =
        switch (op) {
          case POW -> Bounds.POSITIVE;
          case BCE -> Bounds.UNIT;
          default -> dtype == DType.I64 ? new Bounds(-1e12, 1e12) : Bounds.WIDE;
        };
    Bounds ys = op == BinaryOp.BCE ? new Bounds(0, 1) : xs;
    Storage x = xs.of(run, dtype, 1);
    Storage y = ys.of(run, dtype, CaseRun.specials());
    for (double a : op == BinaryOp.LERP ? new double[] {0.3, 0.8} : new double[] {0.7}) {
      Storage out = run.empty(dtype, N);
      run.backend().binary(op, x, Spread.FULL, y, Spread.FULL, out, a);
      run.result(out);
    }
  }

  private static void spread(CaseRun run, DType dtype) {
    Backend b = run.backend();
    Storage full = run.between(dtype, N, -100, 100);
    Storage row = run.between(dtype, ROW, -100, 100);
    Storage column = run.between(dtype, N / ROW, -100, 100);
    Storage one = run.between(dtype, 1, -100, 100);
    Storage out = run.empty(dtype, N);
    b.binary(BinaryOp.ADD, full, Spread.FULL, row, Spread.ROW, out, 0);
    run.result(out);
    b.binary(BinaryOp.ADD, column, Spread.COLUMN, row, Spread.ROW, out, 0);
    run.result(out);
    b.binary(BinaryOp.ADD, one, Spread.SCALAR, full, Spread.FULL, out, 0);
    run.result(out);
  }

  /** Products and quotients of numbers of all sizes: where results are too small or too great. */
  private static void sizes(CaseRun run, DType dtype) {
    Storage x = run.ofAllSizes(dtype, N);
    Storage y = run.ofAllSizes(dtype, N);
    for (BinaryOp op : List.of(BinaryOp.ADD, BinaryOp.MUL, BinaryOp.DIV)) {
      Storage out = run.empty(dtype, N);
      run.backend().binary(op, x, Spread.FULL, y, Spread.FULL, out, 0);
      run.result(out);
    }
  }

  private static void compare(CaseRun run, DType dtype) {
    Bounds bounds = dtype == DType.I64 ? new Bounds(-3, 3) : Bounds.WIDE;
    Storage x = bounds.of(run, dtype, 1);
    Storage y = bounds.of(run, dtype, CaseRun.specials());
    for (CompareOp op : CompareOp.values()) {
      Storage out = run.empty(DType.BOOL, N);
      run.backend().compare(op, x, Spread.FULL, y, Spread.FULL, out);
      run.result(out);
    }
  }

  private static void ternary(CaseRun run, TernaryOp op, DType dtype) {
    boolean bce = op == TernaryOp.BCE_GRAD;
    Storage x = Bounds.WIDE.of(run, dtype, 1);
    Storage y = (bce ? Bounds.UNIT : Bounds.WIDE).of(run, dtype, CaseRun.specials());
    Storage z = (bce ? new Bounds(0, 1) : Bounds.WIDE).of(run, dtype, 2);
    Storage out = run.empty(dtype, N);
    run.backend().ternary(op, x, y, z, out, 0.3);
    run.result(out);
    run.backend().ternary(op, run.of(dtype, 1.25), y, z, out, 0.3);
    run.result(out);
  }

  private static void where(CaseRun run, DType dtype) {
    Storage x = run.between(DType.BOOL, N, -1, 1);
    Storage out = run.empty(dtype, N);
    Storage y = Bounds.WIDE.of(run, dtype, 1);
    run.backend().ternary(TernaryOp.WHERE, x, y, Bounds.WIDE.of(run, dtype, 3), out, 0);
    run.result(out);
  }

  // ---- conversions, constants, chance

  private static void cast(CaseRun run, DType from) {
    for (DType to : DType.values()) {
      if (to != from) {
        // What a NaN is as a whole number no one has fixed.
        Storage x =
            to == DType.I64
                ? run.between(from, N, -1e6, 1e6)
                : run.withSpecials(from, N, -1e6, 1e6, 1);
        Storage out = run.empty(to, N);
        run.backend().cast(x, out);
        run.result(out);
      }
    }
  }

  private static void fill(CaseRun run) {
    Storage out = run.empty(DType.F64, N);
    run.backend().fill(out, 0.1);
    run.result(out);
  }

  private static void dropout(CaseRun run, DType dtype) {
    Storage out = run.empty(dtype, N);
    run.backend().dropout(run.between(dtype, N, -4, 4), out, 0.3, 0x9e3779b97f4a7c15L, 1L << 33);
    run.result(out);
  }
}
