package dev.gradus.spi;

/**
 * The operations of a {@link Pointwise} program, each rounded once to the storages' type. An
 * operand is a value, or where it says so a scalar.
 */
public enum PointwiseOp {
  /** {@code x}. */
  COPY,
  /** {@code -x}. */
  NEG,
  /** {@code |x|}. */
  ABS,
  /** The square root, correctly rounded. */
  SQRT,
  /** 1 where {@code x > 0}, -1 where {@code x < 0}, else 0, also of NaN. */
  SIGN,
  /** {@code x + y}; y may be a scalar. */
  ADD,
  /** {@code x - y}. */
  SUB,
  /** {@code x * y}; y may be a scalar. */
  MUL,
  /** {@code x / y}; x or y may be a scalar. */
  DIV,
  /** The greater; NaN if either is NaN; y may be a scalar. */
  MAX,
  /** The smaller; NaN if either is NaN; y may be a scalar. */
  MIN,
  /** {@code fma(x, y, z)}: x times y plus z, rounded once; x may be a scalar. */
  FMA,
  /** {@link BinaryOp#LERP} from x to y; z is its scalar a. */
  LERP,
  /** {@code x > 0 ? y : z}; y and z may be scalars. */
  WHERE
}
