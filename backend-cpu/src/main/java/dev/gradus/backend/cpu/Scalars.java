package dev.gradus.backend.cpu;

import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.UnaryOp;

/** The elementwise functions of one element, in double. */
final class Scalars {
  private static final double SQRT_HALF = Math.sqrt(0.5);
  private static final double INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);
  private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
  private static final double GELU_CUBIC = 0.044715;

  /** The least logarithm in a binary cross-entropy. */
  private static final double LEAST_LOG = -100;

  /** The centre of the map of [0, inf) to [-1, 1) in {@link #erfcx}. */
  private static final double ERFCX_CENTRE = 3.75;

  /*
   * (1 + 2x) e^(x^2) erfc(x) as a polynomial in t = (x - 3.75) / (x + 3.75): the form of M. M.
   * Shepherd and J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in
   * 0 <= x < inf", Math. Comp. 36 (1981) 249-253. The coefficients are a Chebyshev fit of 24 terms
   * on [0, 28] made for this class; the fit's error is 3e-18.
   */
  private static final double[] ERFCX = {
    1.2375126308378275,
    -0.14024059858554702,
    0.0035854154854629045,
    0.08227673849015113,
    -0.10880393014165805,
    0.09230432116021522,
    -0.058693398591761654,
    0.02836227742075386,
    -0.009746579532336114,
    0.0017556258454484944,
    0.0002937134832205404,
    -0.0002901540974049676,
    5.164990829645606e-05,
    2.2384550628489278e-05,
    -1.1446444882750146e-05,
    -9.750133129744938e-07,
    1.7557572419630805e-06,
    -5.361966556540493e-08,
    -2.630076084593476e-07,
    1.8148051418292806e-08,
    4.0773822695438946e-08,
    2.0400958765405564e-10,
    -4.999295226477826e-09,
    -9.749977861841957e-10
  };

  private Scalars() {}

  /** {@code e^(x^2) erfc(x)} for x in [0, 28]; relative error under 1e-15. */
  private static double erfcx(double x) {
    double t = (x - ERFCX_CENTRE) / (x + ERFCX_CENTRE);
    double s = ERFCX[ERFCX.length - 1];
    for (int i = ERFCX.length - 2; i >= 0; i--) {
      s = s * t + ERFCX[i];
    }
    return s / (1 + 2 * x);
  }

  /** {@code e^(-x^2/2)}; the square of the leading half of x's digits is exact. */
  private static double bell(double x) {
    double head = (float) x;
    double rest = (x - head) * (x + head);
    double e = Math.exp(-0.5 * head * head);
    return rest == 0 ? e : e * Math.exp(-0.5 * rest);
  }

  /** The normal distribution function; relative error under 1e-15. */
  static double normalCdf(double x) {
    if (Double.isNaN(x)) {
      return x;
    }
    double z = Math.abs(x) * SQRT_HALF;
    double tail = z > 28 ? 0 : 0.5 * bell(x) * erfcx(z);
    return x < 0 ? tail : 1 - tail;
  }

  static double gelu(double x) {
    // Phi is 0 far below, and -inf times 0 is no number.
    return x == Double.NEGATIVE_INFINITY ? -0.0 : x * normalCdf(x);
  }

  static double geluSlope(double x) {
    return normalCdf(x) + (Math.abs(x) > 40 ? 0 : x * INV_SQRT_2PI * bell(x));
  }

  static double geluTanh(double x) {
    double u = SQRT_2_OVER_PI * (x + GELU_CUBIC * x * x * x);
    return x == Double.NEGATIVE_INFINITY ? -0.0 : 0.5 * x * (1 + Math.tanh(u));
  }

  static double geluTanhSlope(double x) {
    double t = Math.tanh(SQRT_2_OVER_PI * (x + GELU_CUBIC * x * x * x));
    double slope = SQRT_2_OVER_PI * (1 + 3 * GELU_CUBIC * x * x);
    double bend = 1 - t * t;
    return 0.5 * (1 + t) + (bend == 0 ? 0 : 0.5 * x * bend * slope);
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  static double silu(double x) {
    return x == Double.NEGATIVE_INFINITY ? -0.0 : x * sigmoid(x);
  }

  static double siluSlope(double x) {
    double s = sigmoid(x);
    return s == 0 ? 0 : s * (1 + x * (1 - s));
  }

  static double softplus(double x, double a, double b) {
    double t = a * x;
    return t > b ? x : (Math.max(t, 0) + Math.log1p(Math.exp(-Math.abs(t)))) / a;
  }

  static double softplusSlope(double x, double a, double b) {
    double t = a * x;
    return t > b ? 1 : sigmoid(t);
  }

  static double powSlope(double x, double a) {
    return a == 0 ? 0 : a * Math.pow(x, a - 1);
  }

  /** The derivative of {@code a^x} from its value. */
  static double rpowSlope(double y, double a) {
    // 0^x is 0 or 1 for x >= 0, and constant there but for the step.
    return a == 0 && y <= 1 ? 0 : y * Math.log(a);
  }

  static double sign(double x) {
    return x > 0 ? 1 : x < 0 ? -1 : 0;
  }

  static double unary(UnaryOp op, double x, double a, double b) {
    return switch (op) {
      case NEG -> -x;
      case ADD_SCALAR -> x + a;
      case MUL_SCALAR -> x * a;
      case DIV_SCALAR -> x / a;
      case RSUB_SCALAR -> a - x;
      case RDIV_SCALAR -> a / x;
      case POW_SCALAR -> Math.pow(x, a);
      case RPOW_SCALAR -> Math.pow(a, x);
      case EXP -> Math.exp(x);
      case LOG -> Math.log(x);
      case SQRT -> Math.sqrt(x);
      case ABS -> Math.abs(x);
      case CLAMP -> Math.min(Math.max(x, a), b);
      case SIGMOID -> sigmoid(x);
      case TANH -> Math.tanh(x);
      case RELU -> Math.max(x, 0);
      case LEAKY_RELU -> x > 0 ? x : a * x;
      case GELU -> gelu(x);
      case GELU_TANH -> geluTanh(x);
      case SILU -> silu(x);
      case SOFTPLUS -> softplus(x, a, b);
    };
  }

  /** The gradient g through an operation; s is what the operation saved. */
  static double unaryGrad(UnaryOp op, double g, double s, double a, double b) {
    return switch (op) {
      case NEG, RSUB_SCALAR -> -g;
      case ADD_SCALAR -> g;
      case MUL_SCALAR -> g * a;
      case DIV_SCALAR -> g / a;
      case RDIV_SCALAR -> g * (-(a / s) / s);
      case POW_SCALAR -> g * powSlope(s, a);
      case RPOW_SCALAR -> g * rpowSlope(s, a);
      case EXP -> g * s;
      case LOG -> g / s;
      case SQRT -> g / (2 * s);
      case ABS -> g * sign(s);
      case CLAMP -> s >= a && s <= b ? g : 0;
      case SIGMOID -> g * (s * (1 - s));
      case TANH -> g * (1 - s * s);
      case RELU -> s == 0 ? 0 : g;
      case LEAKY_RELU -> s > 0 ? g : g * a;
      case GELU -> g * geluSlope(s);
      case GELU_TANH -> g * geluTanhSlope(s);
      case SILU -> g * siluSlope(s);
      case SOFTPLUS -> g * softplusSlope(s, a, b);
    };
  }

  static double binary(BinaryOp op, double x, double y, double a) {
    return switch (op) {
      case ADD -> x + y;
      case SUB -> x - y;
      case MUL -> x * y;
      case DIV -> x / y;
      case POW -> Math.pow(x, y);
      case MAXIMUM -> Math.max(x, y);
      case MINIMUM -> Math.min(x, y);
      case ADD_SCALED -> Math.fma(a, y, x);
      case LERP -> Math.abs(a) < 0.5 ? Math.fma(a, y - x, x) : Math.fma(-(y - x), 1 - a, y);
      case BCE -> bce(x, y);
    };
  }

  /** The binary cross-entropy of a probability x and a target y. */
  static double bce(double x, double y) {
    double yes = Math.max(Math.log(x), LEAST_LOG);
    double no = Math.max(Math.log1p(-x), LEAST_LOG);
    return -(y * yes + (1 - y) * no);
  }

  /** {@code a b + c}, rounded once where there is a hardware FMA. */
  static float multiplyAdd(float a, float b, float c, boolean fma) {
    return fma ? Math.fma(a, b, c) : (float) ((double) a * b + c);
  }
}
