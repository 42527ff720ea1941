package dev.gradus.testing;

import dev.gradus.types.DType;

/** How far a result may lie from the reference's, element by element. */
@FunctionalInterface
interface Tolerance {
  /** The same bits; any NaN for NaN. */
  Tolerance BITS = (i, expected) -> -1;

  /** The same value; zeros may differ in sign. */
  Tolerance SAME = (i, expected) -> 0;

  /**
   * The greatest difference allowed.
   *
   * @return -1 for equal bits, infinity for anything
   */
  double allowed(int i, double expected);

  /**
   * So many units in the last place of the expected value. Below the normal range so many are not
   * asked: powers of two applied at the end flush there.
   */
  static Tolerance ulps(DType dtype, double ulps) {
    return (i, expected) -> ulps * ulp(dtype, expected) + smallestNormal(dtype);
  }

  /** The greatest relative rounding error of one operation, doubled: 2^-23 or 2^-52. */
  static double eps(DType dtype) {
    return dtype == DType.F32 ? 0x1p-23 : 0x1p-52;
  }

  static double ulp(DType dtype, double x) {
    return dtype == DType.F32 ? Math.ulp((float) x) : Math.ulp(x);
  }

  static double smallestNormal(DType dtype) {
    return dtype == DType.F32 ? Float.MIN_NORMAL : Double.MIN_NORMAL;
  }
}
