package dev.gradus.examples.parity;

import dev.gradus.types.DType;

/**
 * How far values are from recorded ones: each number is the greatest over the elements. Equal
 * values, and two NaN, differ by nothing.
 *
 * @param absolute {@code |a - b|}; infinite where only one is a number
 * @param relative {@code |a - b| / max(|a|, |b|)}, at most 2; infinite where only one is a number
 * @param ulp how many values of the type lie from one to the other: neighbours are 1 apart
 */
public record Difference(double absolute, double relative, long ulp) {
  /** No difference. */
  static final Difference NONE = new Difference(0, 0, 0);

  /**
   * The difference of values.
   *
   * @param dtype the type whose values these are, float32 or float64
   */
  static Difference of(DType dtype, double[] a, double[] b) {
    double absolute = 0;
    double relative = 0;
    long ulp = 0;
    for (int i = 0; i < a.length; i++) {
      double d = Math.abs(between(a[i], b[i]));
      if (d == 0) {
        continue;
      }
      absolute = Math.max(absolute, d);
      relative =
          Math.max(
              relative, Double.isInfinite(d) ? d : d / Math.max(Math.abs(a[i]), Math.abs(b[i])));
      ulp =
          Math.max(
              ulp,
              dtype == DType.F32
                  ? distance(place((float) a[i]), place((float) b[i]))
                  : distance(place(a[i]), place(b[i])));
    }
    return new Difference(absolute, relative, ulp);
  }

  /** From b to a; 0 for two NaN, infinite where only one is a number. */
  static double between(double a, double b) {
    if (a == b || (Double.isNaN(a) && Double.isNaN(b))) {
      return 0;
    }
    double d = a - b;
    return Double.isNaN(d) ? Double.POSITIVE_INFINITY : d;
  }

  // The bits of floating-point numbers, read as integers, are in the numbers' order; those of
  // negative ones, which are in the opposite order, are mirrored, so that both zeros are at 0.
  private static long place(float x) {
    int bits = Float.floatToIntBits(x);
    return bits >= 0 ? bits : Integer.MIN_VALUE - bits;
  }

  private static long place(double x) {
    long bits = Double.doubleToLongBits(x);
    return bits >= 0 ? bits : Long.MIN_VALUE - bits;
  }

  private static long distance(long a, long b) {
    long high = Math.max(a, b);
    long low = Math.min(a, b);
    // What a long cannot hold is more than anybody asks for.
    return low < 0 && high > Long.MAX_VALUE + low ? Long.MAX_VALUE : high - low;
  }

  /** The greatest of each number. */
  Difference max(Difference other) {
    return new Difference(
        Math.max(absolute, other.absolute),
        Math.max(relative, other.relative),
        Math.max(ulp, other.ulp));
  }
}
