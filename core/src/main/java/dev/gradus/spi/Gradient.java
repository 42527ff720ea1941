package dev.gradus.spi;

/** A parameter's gradient: dense, or rows of a table with their ids. */
public sealed interface Gradient {
  /** The numbers, of the parameter's type. */
  Storage values();

  /**
   * A value for each element of the parameter.
   *
   * @param values of the parameter's type and size
   */
  record Dense(Storage values) implements Gradient {}

  /**
   * Rows of a table; its other rows have no gradient. There may be more places than rows: those
   * that are left over come last, with the id -1 and undefined values.
   *
   * @param ids I64, each a row of the table and there once, then -1
   * @param values of the parameter's type, a row for each id
   * @param cols elements of a row
   */
  record Rows(Storage ids, Storage values, long cols) implements Gradient {}
}
