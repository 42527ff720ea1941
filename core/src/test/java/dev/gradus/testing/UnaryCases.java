package dev.gradus.testing;

import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.util.Arrays;

/** Parameters and tolerances of the operations on one operand. */
final class UnaryCases {
  private static final double INF = Double.POSITIVE_INFINITY;

  private UnaryCases() {}

  static String name(String op, DType dtype, double[] p) {
    return op + " " + dtype.label() + " " + Arrays.toString(p);
  }

  static double[][] parameters(UnaryOp op) {
    return switch (op) {
      case NEG, EXP, LOG, SQRT, ABS, SIGMOID, TANH, RELU, GELU, GELU_TANH, SILU ->
          new double[][] {{0, 0}};
      case ADD_SCALAR, RSUB_SCALAR -> new double[][] {{0.1, 0}, {0, 0}, {-1e30, 0}, {INF, 0}};
      case MUL_SCALAR -> new double[][] {{0.1, 0}, {-1, 0}, {0, 0}, {1e-30, 0}, {-1e30, 0}};
      case DIV_SCALAR -> new double[][] {{0.1, 0}, {-3, 0}, {0, 0}, {1e30, 0}};
      case RDIV_SCALAR -> new double[][] {{1, 0}, {0.1, 0}, {-3, 0}};
      case POW_SCALAR ->
          new double[][] {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {-1, 0}, {0.5, 0}, {-0.5, 0}, {2.5, 0}};
      case RPOW_SCALAR -> new double[][] {{2, 0}, {0.5, 0}, {10, 0}, {0, 0}};
      case CLAMP -> new double[][] {{-1, 1}, {0, INF}, {-INF, 0.1}, {0.1, 0.1}, {-INF, INF}};
      case LEAKY_RELU -> new double[][] {{0.01, 0}, {0, 0}, {1.5, 0}};
      case SOFTPLUS -> new double[][] {{1, 20}, {2.5, 20}, {0.1, 5}};
    };
  }

  /**
   * One correctly rounded operation has to have the same bits. A transcendental one may be off by
   * {@code ulps}. What is composed of one and three roundings more may be off by twice as many. The
   * two GELUs add 1 to an erf or tanh near -1, so that their error is one of 1, times x; a softplus
   * inherits the rounding of {@code a x} in its exponent.
   */
  static Tolerance forward(UnaryOp op, DType dtype, double[] x, double[] p, double ulps) {
    double eps = Tolerance.eps(dtype);
    Tolerance once = Tolerance.ulps(dtype, ulps);
    Tolerance twice = Tolerance.ulps(dtype, 2 * ulps);
    return switch (op) {
      case NEG,
          ADD_SCALAR,
          MUL_SCALAR,
          DIV_SCALAR,
          RSUB_SCALAR,
          RDIV_SCALAR,
          SQRT,
          ABS,
          LEAKY_RELU ->
          Tolerance.BITS;
      case CLAMP, RELU -> Tolerance.SAME;
      case POW_SCALAR, RPOW_SCALAR, EXP, LOG, SIGMOID, TANH -> once;
      case GELU, GELU_TANH ->
          (i, e) ->
              x[i] == -INF ? INF : twice.allowed(i, e) + 2 * eps * Math.min(10, Math.abs(x[i]));
      case SILU -> (i, e) -> x[i] == -INF ? INF : twice.allowed(i, e);
      case SOFTPLUS ->
          (i, e) ->
              Math.abs(x[i]) == INF
                  ? 0
                  : twice.allowed(i, e) + eps * Math.abs(e) * Math.min(800, Math.abs(p[0] * x[i]));
    };
  }

  /**
   * A gradient is exact where the derivative is a constant. Else it has up to eight roundings, and
   * where the derivative's terms cancel an error of those terms: 1 for the bounded ones, {@code x
   * (1 + 0.134 x^2) / 2} before tanh is 1 for the GELU by tanh. At infinity some formulas are 0
   * times infinity; there nothing is asked.
   */
  static Tolerance gradient(UnaryOp op, DType dtype, double[] grad, double[] saved) {
    double eps = Tolerance.eps(dtype);
    double floor = Tolerance.smallestNormal(dtype);
    return switch (op) {
      case NEG, ADD_SCALAR, MUL_SCALAR, DIV_SCALAR, RSUB_SCALAR, ABS, CLAMP, RELU, LEAKY_RELU ->
          Tolerance.SAME;
      case RDIV_SCALAR, POW_SCALAR, RPOW_SCALAR, EXP, LOG, SQRT, SIGMOID ->
          (i, e) -> 8 * eps * Math.abs(e) + floor;
      case TANH, SOFTPLUS -> (i, e) -> 8 * eps * (Math.abs(e) + Math.abs(grad[i])) + floor;
      case GELU, SILU, GELU_TANH ->
          (i, e) ->
              Double.isInfinite(saved[i])
                  ? INF
                  : 8 * eps * Math.abs(e) + 16 * eps * Math.abs(grad[i]) + floor;
    };
  }

  /** The reference's result, for gradients that start from it. */
  static double[] result(UnaryOp op, DType dtype, double[] x, double[] p) {
    try (ReferenceBackend b = new ReferenceBackend("ref")) {
      Storage s = Host.store(b, dtype, x);
      b.unary(op, s, s, p[0], p[1]);
      return Host.read(b, s);
    }
  }
}
