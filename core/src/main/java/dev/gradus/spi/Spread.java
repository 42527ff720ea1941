package dev.gradus.spi;

/**
 * How an operand of an elementwise operation is spread over a result of {@code n} elements. Every
 * other broadcast is expanded before the backend sees it.
 */
public enum Spread {
  /** One element for each element of the result: {@code x[i]}. */
  FULL,
  /** One element for all: {@code x[0]}. */
  SCALAR,
  /**
   * A trailing row of {@code c} elements, repeated for each of {@code n / c} rows: {@code x[i %
   * c]}.
   */
  ROW,
  /**
   * A leading column of {@code r} elements, each held for {@code n / r} elements: {@code x[i / (n /
   * r)]}.
   */
  COLUMN
}
