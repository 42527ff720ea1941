package dev.gradus.backend.cuda;

import dev.gradus.types.DType;

/** The elements of a storage, by their bits. */
final class Values {
  private static final double MOST_STEPS = 0x1p62;

  private final DType dtype;
  private final long[] bits;

  /**
   * Elements.
   *
   * @param bits of each the bits, in the low end
   */
  Values(DType dtype, long[] bits) {
    this.dtype = dtype;
    this.bits = bits;
  }

  DType dtype() {
    return dtype;
  }

  int count() {
    return bits.length;
  }

  long bits(int i) {
    return bits[i];
  }

  /**
   * How far an element is from the same one of others of this type: 0 where they are equal or both
   * NaN, the number of steps from one floating-point number to the other, or {@link Long#MAX_VALUE}
   * where there is no such number, as between a number and NaN.
   */
  long distance(Values other, int i) {
    long a = bits[i];
    long b = other.bits[i];
    if (a == b) {
      return 0;
    }
    return switch (dtype) {
      case F32 ->
          distance(
              Float.intBitsToFloat((int) a),
              Float.intBitsToFloat((int) b),
              (int) a < 0 ? Integer.MIN_VALUE - a : a,
              (int) b < 0 ? Integer.MIN_VALUE - b : b);
      case F64 ->
          distance(
              Double.longBitsToDouble(a),
              Double.longBitsToDouble(b),
              a < 0 ? Long.MIN_VALUE - a : a,
              b < 0 ? Long.MIN_VALUE - b : b);
      case I64, BOOL -> Long.MAX_VALUE;
    };
  }

  private static long distance(double a, double b, long placeOfA, long placeOfB) {
    if (Double.isNaN(a) && Double.isNaN(b)) {
      return 0;
    }
    if (Double.isNaN(a) || Double.isNaN(b) || Double.isInfinite(a) || Double.isInfinite(b)) {
      return Long.MAX_VALUE;
    }
    if (Math.abs((double) placeOfA - (double) placeOfB) > MOST_STEPS) {
      return Long.MAX_VALUE; // more than fits
    }
    // -0 and 0 are no step apart and have not the same bits.
    return Math.max(1, Math.abs(placeOfA - placeOfB));
  }

  /** An element for people: the number, and its bits. */
  String text(int i) {
    long b = bits[i];
    return switch (dtype) {
      case F32 -> Float.intBitsToFloat((int) b) + " (0x" + Integer.toHexString((int) b) + ")";
      case F64 -> Double.longBitsToDouble(b) + " (0x" + Long.toHexString(b) + ")";
      case I64, BOOL -> String.valueOf(b);
    };
  }
}
