package dev.gradus.types;

/** The type of a tensor's elements. */
public enum DType {
  /** IEEE 754 binary32, the default of everything that is trained. */
  F32(4, "float32"),
  /** IEEE 754 binary64, for gradient checks and for comparisons; not tuned for speed. */
  F64(8, "float64"),
  /** Two's complement 64-bit integers: ids, counts and positions. */
  I64(8, "int64"),
  /** Truth values, one byte each: masks and the results of comparisons. */
  BOOL(1, "bool");

  private final int bytes;
  private final String label;

  DType(int bytes, String label) {
    this.bytes = bytes;
    this.label = label;
  }

  /** The size of one element, in bytes. */
  public int bytes() {
    return bytes;
  }

  /** Whether values of this type can carry a gradient. */
  public boolean isFloating() {
    return this == F32 || this == F64;
  }

  /**
   * The name used in messages and files: {@code float32}, {@code float64}, {@code int64}, {@code
   * bool}.
   */
  public String label() {
    return label;
  }
}
