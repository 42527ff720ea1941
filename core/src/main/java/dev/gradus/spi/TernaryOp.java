package dev.gradus.spi;

/** The elementwise operations on three operands. One parameter {@code a} goes with a call. */
public enum TernaryOp {
  /** {@code x ? y : z}; x is BOOL, y and z have the result's type, any type. Ignores a. */
  WHERE,
  /** {@code fma(a y, z, x)}: x plus the product of a, y and z. Floating-point. */
  ADDCMUL,
  /** {@code x + (a y) / z}, each step rounded to the operands' type. Floating-point. */
  ADDCDIV,
  /**
   * The gradient of {@code max(y, z)} for y: 0 where {@code y < z}, half of x, the incoming
   * gradient, where they are equal, else x: also where one is NaN. With y and z exchanged it is
   * that of {@code min} for y. Ignores a.
   */
  MAX_GRAD,
  /**
   * The gradient of {@link BinaryOp#BCE} for the probability y against the target z: {@code x (y -
   * z) / max((1 - y) y, 1e-12)}, x the incoming gradient. Floating-point. Ignores a.
   */
  BCE_GRAD
}
