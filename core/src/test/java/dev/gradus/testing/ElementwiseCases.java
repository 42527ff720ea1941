package dev.gradus.testing;

import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.TernaryOp;
import dev.gradus.types.DType;

/** Operands and tolerances of the operations on two and three operands. */
final class ElementwiseCases {
  /** An operand's value for an element of the result. */
  @FunctionalInterface
  interface At {
    double get(int i);
  }

  private ElementwiseCases() {}

  /** Numbers in [0, 1], both ends and some next to them included. */
  static double[] probabilities(long seed, int n) {
    double[] v = Values.normal(seed, n, 1);
    double[] ends = {0, 1, 1e-30, 0x1p-24, 1 - 0x1p-24, 0.5};
    for (int i = 0; i < n; i++) {
      v[i] =
          i % 7 < 3 ? ends[(int) ((i + seed) % ends.length)] : (float) (1 / (1 + Math.exp(v[i])));
    }
    return v;
  }

  /**
   * The second operand: for powers without NaN and infinities, since 1 to the power of NaN is a
   * matter of taste (IEEE 754 says 1, Java NaN).
   */
  static double[] second(BinaryOp op, double[] y) {
    double[] v = y.clone();
    for (int i = 0; op == BinaryOp.POW && i < v.length; i++) {
      v[i] = Double.isFinite(v[i]) ? v[i] : 3;
    }
    return v;
  }

  /**
   * Equal bits, but for powers ({@code ulps}), the cross-entropy (two logarithms, each off by
   * {@code ulps}, and {@code 1 - x} rounded, an error of 1's), and fused multiply-adds without
   * such.
   */
  static Tolerance binary(
      BinaryOp op, DType dtype, At x, At y, double a, double ulps, boolean exactFma) {
    double eps = Tolerance.eps(dtype);
    Tolerance powers = Tolerance.ulps(dtype, ulps);
    Tolerance twice = Tolerance.ulps(dtype, 2 * ulps);
    return switch (op) {
      case ADD, SUB, MUL, DIV -> Tolerance.BITS;
      case MAXIMUM, MINIMUM -> Tolerance.SAME;
      case POW -> powers;
      case BCE -> (i, e) -> twice.allowed(i, e) + 2 * eps;
      case ADD_SCALED ->
          exactFma ? Tolerance.BITS : (i, e) -> eps * (Math.abs(x.get(i)) + Math.abs(a * y.get(i)));
      case LERP ->
          exactFma
              ? Tolerance.BITS
              : (i, e) -> eps * (1 + Math.abs(a)) * (Math.abs(x.get(i)) + Math.abs(y.get(i)));
    };
  }

  static Tolerance ternary(TernaryOp op, DType dtype, double[][] v, double a, boolean exactFma) {
    double eps = Tolerance.eps(dtype);
    return switch (op) {
      case WHERE, ADDCDIV -> Tolerance.BITS;
      case MAX_GRAD -> Tolerance.SAME;
      case BCE_GRAD -> Tolerance.ulps(dtype, 8); // five operations, each rounded
      case ADDCMUL ->
          exactFma
              ? Tolerance.BITS
              : (i, e) ->
                  2 * eps * (Math.abs(at(v[0], i)) + Math.abs(a * at(v[1], i) * at(v[2], i)));
    };
  }

  private static double at(double[] v, int i) {
    return v.length == 1 ? v[0] : v[i];
  }
}
