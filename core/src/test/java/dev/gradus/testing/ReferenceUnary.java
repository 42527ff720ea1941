package dev.gradus.testing;

import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;

/** The elementwise operations on one operand and their derivatives, by their formulas in double. */
final class ReferenceUnary {
  private static final double SQRT_2_OVER_PI = StrictMath.sqrt(2 / Math.PI);
  private static final double CUBIC = 0.044715;

  private ReferenceUnary() {}

  static boolean takesI64(UnaryOp op) {
    return switch (op) {
      case NEG, ABS, ADD_SCALAR, MUL_SCALAR, CLAMP -> true;
      case DIV_SCALAR,
          RSUB_SCALAR,
          RDIV_SCALAR,
          POW_SCALAR,
          RPOW_SCALAR,
          EXP,
          LOG,
          SQRT,
          SIGMOID,
          TANH,
          RELU,
          LEAKY_RELU,
          GELU,
          GELU_TANH,
          SILU,
          SOFTPLUS ->
          false;
    };
  }

  static void forward(UnaryOp op, ReferenceStorage x, ReferenceStorage out, double a, double b) {
    boolean integral = x.dtype() == DType.I64 && takesI64(op);
    Rules.supported(x.dtype().isFloating() || integral, op, x.dtype());
    Rules.sameType(op.name(), x, out);
    Rules.size(op.name(), "x", x, out.numel());
    double ra = x.round(a);
    double rb = x.round(b);
    for (int i = 0; i < out.numel(); i++) {
      if (integral) {
        out.longs()[i] = apply(op, x.longs()[i], (long) a, (long) b);
      } else {
        out.set(i, apply(op, x.get(i), ra, rb));
      }
    }
  }

  static void grad(
      UnaryOp op,
      ReferenceStorage grad,
      ReferenceStorage saved,
      ReferenceStorage out,
      double a,
      double b) {
    Rules.supported(grad.dtype().isFloating(), op + " gradient", grad.dtype());
    Rules.sameType(op.name(), grad, out);
    Rules.sameType(op.name(), grad, saved);
    Rules.size(op.name(), "grad", grad, out.numel());
    Rules.size(op.name(), "saved", saved, out.numel());
    double ra = grad.round(a);
    double rb = grad.round(b);
    for (int i = 0; i < out.numel(); i++) {
      double g = grad.get(i);
      // g / a is rounded once; g * (1 / a) would be rounded twice
      double d = derivative(op, saved.get(i), ra, rb);
      boolean stops = d == 0 && (op == UnaryOp.CLAMP || op == UnaryOp.RELU);
      out.set(i, stops ? 0 : op == UnaryOp.DIV_SCALAR ? g / ra : g * d);
    }
  }

  private static long apply(UnaryOp op, long x, long a, long b) {
    return switch (op) {
      case NEG -> -x;
      case ABS -> Math.abs(x);
      case ADD_SCALAR -> x + a;
      case MUL_SCALAR -> x * a;
      case CLAMP -> Math.min(Math.max(x, a), b);
      default -> throw new IllegalArgumentException(op + " is not for integers");
    };
  }

  private static double apply(UnaryOp op, double x, double a, double b) {
    return switch (op) {
      case NEG -> -x;
      case ADD_SCALAR -> x + a;
      case MUL_SCALAR -> x * a;
      case DIV_SCALAR -> x / a;
      case RSUB_SCALAR -> a - x;
      case RDIV_SCALAR -> a / x;
      case POW_SCALAR -> StrictMath.pow(x, a);
      case RPOW_SCALAR -> StrictMath.pow(a, x);
      case EXP -> StrictMath.exp(x);
      case LOG -> StrictMath.log(x);
      case SQRT -> StrictMath.sqrt(x);
      case ABS -> Math.abs(x);
      case CLAMP -> Math.min(Math.max(x, a), b);
      case SIGMOID -> sigmoid(x);
      case TANH -> StrictMath.tanh(x);
      case RELU -> Math.max(x, 0);
      case LEAKY_RELU -> x > 0 ? x : a * x;
      case GELU -> x * Erf.phi(x);
      case GELU_TANH -> x / 2 * (1 + StrictMath.tanh(inner(x)));
      case SILU -> x * sigmoid(x);
      case SOFTPLUS -> a * x > b ? x : StrictMath.log1p(StrictMath.exp(a * x)) / a;
    };
  }

  /** The derivative from what {@link UnaryOp#saves} asks for. */
  private static double derivative(UnaryOp op, double s, double a, double b) {
    return switch (op) {
      case NEG, RSUB_SCALAR -> -1;
      case ADD_SCALAR -> 1;
      case MUL_SCALAR -> a;
      case DIV_SCALAR -> 1 / a;
      case RDIV_SCALAR -> -(a / s) / s;
      case POW_SCALAR -> a == 0 ? 0 : a * StrictMath.pow(s, a - 1);
      case RPOW_SCALAR -> a == 0 && s < Double.POSITIVE_INFINITY ? 0 : s * StrictMath.log(a);
      case EXP -> s;
      case LOG -> 1 / s;
      case SQRT -> 1 / (2 * s);
      case ABS -> s > 0 ? 1 : s < 0 ? -1 : 0;
      case CLAMP -> a <= s && s <= b ? 1 : 0;
      case SIGMOID -> s * (1 - s);
      case TANH -> 1 - s * s;
      case RELU -> s == 0 ? 0 : 1;
      case LEAKY_RELU -> s > 0 ? 1 : a;
      case GELU -> Erf.phi(s) + s * StrictMath.exp(-s * s / 2) / StrictMath.sqrt(2 * Math.PI);
      case GELU_TANH -> geluTanhDerivative(s);
      case SILU -> sigmoid(s) * (1 + s * (1 - sigmoid(s)));
      case SOFTPLUS -> a * s > b ? 1 : sigmoid(a * s);
    };
  }

  private static double sigmoid(double x) {
    return 1 / (1 + StrictMath.exp(-x));
  }

  private static double inner(double x) {
    return SQRT_2_OVER_PI * (x + CUBIC * x * x * x);
  }

  private static double geluTanhDerivative(double x) {
    double t = StrictMath.tanh(inner(x));
    double slope = SQRT_2_OVER_PI * (1 + 3 * CUBIC * x * x);
    return (1 + t) / 2 + x / 2 * (1 - t * t) * slope;
  }
}
