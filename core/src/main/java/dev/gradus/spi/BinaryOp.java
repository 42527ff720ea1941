package dev.gradus.spi;

/**
 * The elementwise operations on two operands of one type. F32 and F64; {@link #ADD}, {@link #SUB},
 * {@link #MUL}, {@link #MAXIMUM} and {@link #MINIMUM} also take I64. One parameter {@code a} goes
 * with a call; a constant that uses it says so, the others ignore it.
 */
public enum BinaryOp {
  /** {@code x + y}. */
  ADD,
  /** {@code x - y}. */
  SUB,
  /** {@code x * y}. */
  MUL,
  /** {@code x / y}. */
  DIV,
  /** {@code x ^ y}. */
  POW,
  /** The greater; NaN if either is NaN. */
  MAXIMUM,
  /** The smaller; NaN if either is NaN. */
  MINIMUM,
  /** {@code fma(a, y, x)}: x plus a times y, rounded once. */
  ADD_SCALED,
  /**
   * {@code x + a (y - x)} as {@code fma(a, y - x, x)} for {@code |a| < 0.5}, else as {@code fma(-(y
   * - x), 1 - a, y)}.
   */
  LERP,
  /**
   * The binary cross-entropy of a probability x and a target y, logarithms no less than -100:
   * {@code -(y max(ln x, -100) + (1 - y) max(ln(1 - x), -100))}.
   */
  BCE
}
