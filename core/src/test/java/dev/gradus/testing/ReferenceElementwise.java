package dev.gradus.testing;

import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.TernaryOp;
import dev.gradus.types.DType;

/** The elementwise operations on two and three operands. */
final class ReferenceElementwise {
  private ReferenceElementwise() {}

  static boolean takesI64(BinaryOp op) {
    return switch (op) {
      case ADD, SUB, MUL, MAXIMUM, MINIMUM -> true;
      case DIV, POW, ADD_SCALED, LERP, BCE -> false;
    };
  }

  /** The element of an operand that goes into element i of a result of n. */
  static int index(Spread spread, int i, long n, long numel) {
    return switch (spread) {
      case FULL -> i;
      case SCALAR -> 0;
      case ROW -> (int) (i % numel);
      case COLUMN -> (int) (i / (n / numel));
    };
  }

  private static void spreads(String who, ReferenceStorage x, Spread spread, ReferenceStorage out) {
    long n = out.numel();
    boolean fits =
        switch (spread) {
          case FULL -> x.numel() == n;
          case SCALAR -> x.numel() == 1;
          case ROW, COLUMN -> n == 0 || (x.numel() > 0 && n % x.numel() == 0);
        };
    Rules.require(fits, who, x.numel() + " elements do not spread as " + spread + " over " + n);
    Rules.require(x != out || x.numel() == n, who, "out is an operand that is spread");
  }

  static void binary(
      BinaryOp op,
      ReferenceStorage x,
      Spread xs,
      ReferenceStorage y,
      Spread ys,
      ReferenceStorage out,
      double a) {
    boolean integral = x.dtype() == DType.I64 && takesI64(op);
    Rules.supported(x.dtype().isFloating() || integral, op, x.dtype());
    Rules.sameType(op.name(), x, y);
    Rules.sameType(op.name(), x, out);
    spreads(op.name(), x, xs, out);
    spreads(op.name(), y, ys, out);
    for (int i = 0; i < out.numel(); i++) {
      int j = index(xs, i, out.numel(), x.numel());
      int k = index(ys, i, out.numel(), y.numel());
      switch (x.dtype()) {
        case F32 -> out.floats()[i] = apply(op, x.floats()[j], y.floats()[k], (float) a);
        case F64 -> out.doubles()[i] = apply(op, x.doubles()[j], y.doubles()[k], a);
        case I64 -> out.longs()[i] = apply(op, x.longs()[j], y.longs()[k]);
        case BOOL -> throw new AssertionError("refused above");
      }
    }
  }

  private static float apply(BinaryOp op, float x, float y, float a) {
    return switch (op) {
      case ADD -> x + y;
      case SUB -> x - y;
      case MUL -> x * y;
      case DIV -> x / y;
      case POW -> (float) StrictMath.pow(x, y);
      case MAXIMUM -> Math.max(x, y);
      case MINIMUM -> Math.min(x, y);
      case ADD_SCALED -> Math.fma(a, y, x);
      case LERP -> Math.abs(a) < 0.5f ? Math.fma(a, y - x, x) : Math.fma(-(y - x), 1 - a, y);
      case BCE -> (float) bce(x, y);
    };
  }

  private static double apply(BinaryOp op, double x, double y, double a) {
    return switch (op) {
      case ADD -> x + y;
      case SUB -> x - y;
      case MUL -> x * y;
      case DIV -> x / y;
      case POW -> StrictMath.pow(x, y);
      case MAXIMUM -> Math.max(x, y);
      case MINIMUM -> Math.min(x, y);
      case ADD_SCALED -> Math.fma(a, y, x);
      case LERP -> Math.abs(a) < 0.5 ? Math.fma(a, y - x, x) : Math.fma(-(y - x), 1 - a, y);
      case BCE -> bce(x, y);
    };
  }

  private static long apply(BinaryOp op, long x, long y) {
    return switch (op) {
      case ADD -> x + y;
      case SUB -> x - y;
      case MUL -> x * y;
      case MAXIMUM -> Math.max(x, y);
      case MINIMUM -> Math.min(x, y);
      case DIV, POW, ADD_SCALED, LERP, BCE ->
          throw new IllegalArgumentException(op + " is not for integers");
    };
  }

  static void compare(
      CompareOp op,
      ReferenceStorage x,
      Spread xs,
      ReferenceStorage y,
      Spread ys,
      ReferenceStorage out) {
    Rules.sameType(op.name(), x, y);
    Rules.require(out.dtype() == DType.BOOL, op.name(), "out is " + out.dtype().label());
    spreads(op.name(), x, xs, out);
    spreads(op.name(), y, ys, out);
    for (int i = 0; i < out.numel(); i++) {
      int j = index(xs, i, out.numel(), x.numel());
      int k = index(ys, i, out.numel(), y.numel());
      out.booleans()[i] =
          x.dtype().isFloating()
              ? holds(op, x.get(j), y.get(k))
              : holds(op, x.getLong(j), y.getLong(k));
    }
  }

  private static boolean holds(CompareOp op, double x, double y) {
    return switch (op) {
      case EQ -> x == y;
      case NE -> x != y;
      case LT -> x < y;
      case LE -> x <= y;
      case GT -> x > y;
      case GE -> x >= y;
    };
  }

  private static boolean holds(CompareOp op, long x, long y) {
    return switch (op) {
      case EQ -> x == y;
      case NE -> x != y;
      case LT -> x < y;
      case LE -> x <= y;
      case GT -> x > y;
      case GE -> x >= y;
    };
  }

  static void ternary(
      TernaryOp op,
      ReferenceStorage x,
      ReferenceStorage y,
      ReferenceStorage z,
      ReferenceStorage out,
      double a) {
    if (op == TernaryOp.WHERE) {
      Rules.require(x.dtype() == DType.BOOL, "WHERE", "the condition is " + x.dtype().label());
    } else {
      Rules.supported(out.dtype().isFloating(), op, out.dtype());
      Rules.sameType(op.name(), x, out);
    }
    Rules.sameType(op.name(), y, out);
    Rules.sameType(op.name(), z, out);
    Spread xs = spreadOf(op, x, out);
    Spread ys = spreadOf(op, y, out);
    Spread zs = spreadOf(op, z, out);
    for (int i = 0; i < out.numel(); i++) {
      int j = index(xs, i, out.numel(), x.numel());
      int k = index(ys, i, out.numel(), y.numel());
      int l = index(zs, i, out.numel(), z.numel());
      if (op == TernaryOp.WHERE) {
        out.copy(i, x.booleans()[j] ? y : z, x.booleans()[j] ? k : l);
      } else if (out.dtype() == DType.F32) {
        out.floats()[i] = apply(op, x.floats()[j], y.floats()[k], z.floats()[l], (float) a);
      } else {
        out.doubles()[i] = apply(op, x.doubles()[j], y.doubles()[k], z.doubles()[l], a);
      }
    }
  }

  private static Spread spreadOf(TernaryOp op, ReferenceStorage x, ReferenceStorage out) {
    Spread spread = x.numel() == 1 ? Spread.SCALAR : Spread.FULL;
    spreads(op.name(), x, spread, out);
    return spread;
  }

  private static double bce(double x, double y) {
    double lnX = Math.max(StrictMath.log(x), -100);
    double lnRest = Math.max(StrictMath.log1p(-x), -100);
    return -(y * lnX + (1 - y) * lnRest);
  }

  private static double bceGrad(double x, double y, double z) {
    return x * (y - z) / Math.max((1 - y) * y, 1e-12);
  }

  private static float apply(TernaryOp op, float x, float y, float z, float a) {
    return switch (op) {
      case WHERE -> throw new IllegalArgumentException("WHERE takes a condition");
      case ADDCMUL -> Math.fma(a * y, z, x);
      case ADDCDIV -> x + a * y / z;
      case MAX_GRAD -> y < z ? 0 : y == z ? x / 2 : x;
      case BCE_GRAD -> (float) bceGrad(x, y, z);
    };
  }

  private static double apply(TernaryOp op, double x, double y, double z, double a) {
    return switch (op) {
      case WHERE -> throw new IllegalArgumentException("WHERE takes a condition");
      case ADDCMUL -> Math.fma(a * y, z, x);
      case ADDCDIV -> x + a * y / z;
      case MAX_GRAD -> y < z ? 0 : y == z ? x / 2 : x;
      case BCE_GRAD -> bceGrad(x, y, z);
    };
  }
}
