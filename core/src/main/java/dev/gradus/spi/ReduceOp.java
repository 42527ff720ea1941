package dev.gradus.spi;

/** The reductions. Each keeps the type of its operand. */
public enum ReduceOp {
  /**
   * The sum; over nothing 0. F32 accumulates in double, so the order of the additions hardly shows;
   * the order depends on the sizes only, never on the number of threads.
   */
  SUM,
  /** The greatest; NaN if one is NaN. Not over nothing. */
  MAX,
  /** The least; NaN if one is NaN. Not over nothing. */
  MIN
}
