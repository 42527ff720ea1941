package dev.gradus.spi;

/** The comparisons, with Java's meaning for NaN: only {@link #NE} holds. */
public enum CompareOp {
  /** {@code x == y}. */
  EQ,
  /** {@code x != y}. */
  NE,
  /** {@code x < y}. */
  LT,
  /** {@code x <= y}. */
  LE,
  /** {@code x > y}. */
  GT,
  /** {@code x >= y}. */
  GE
}
