package dev.gradus.testing;

import java.util.Arrays;
import org.junit.jupiter.api.Assertions;

/** Assertions on arrays of elements; a failure tells the index and both values. */
public final class TensorAssert {
  private TensorAssert() {}

  /**
   * Asserts {@code |actual - expected| <= atol + rtol |expected|} for every element. NaN equals NaN
   * and an infinity only itself.
   */
  public static void assertClose(double[] expected, double[] actual, double atol, double rtol) {
    sameLength(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      if (!close(expected[i], actual[i], atol, rtol)) {
        fail(i, Double.toString(expected[i]), Double.toString(actual[i]), atol, rtol);
      }
    }
  }

  /** As for doubles. */
  public static void assertClose(float[] expected, float[] actual, double atol, double rtol) {
    sameLength(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      if (!close(expected[i], actual[i], atol, rtol)) {
        fail(i, Float.toString(expected[i]), Float.toString(actual[i]), atol, rtol);
      }
    }
  }

  /** Asserts equal bits, but that any NaN equals any other. */
  public static void assertBits(double[] expected, double[] actual) {
    sameLength(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      if (Double.doubleToLongBits(expected[i]) != Double.doubleToLongBits(actual[i])) {
        failBits(i, Double.toHexString(expected[i]), Double.toHexString(actual[i]));
      }
    }
  }

  /** As for doubles. */
  public static void assertBits(float[] expected, float[] actual) {
    sameLength(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      if (Float.floatToIntBits(expected[i]) != Float.floatToIntBits(actual[i])) {
        failBits(i, Float.toHexString(expected[i]), Float.toHexString(actual[i]));
      }
    }
  }

  /** Asserts equal integers. */
  public static void assertBits(long[] expected, long[] actual) {
    sameLength(expected.length, actual.length);
    int i = Arrays.mismatch(expected, actual);
    if (i >= 0) {
      failBits(i, Long.toString(expected[i]), Long.toString(actual[i]));
    }
  }

  /** The rule of {@link #assertClose(double[], double[], double, double)} for one element. */
  static boolean close(double expected, double actual, double atol, double rtol) {
    if (Double.isNaN(expected) || Double.isNaN(actual)) {
      return Double.isNaN(expected) && Double.isNaN(actual);
    }
    return expected == actual
        || (!Double.isInfinite(expected)
            && Math.abs(actual - expected) <= atol + rtol * Math.abs(expected));
  }

  private static void sameLength(int expected, int actual) {
    if (expected != actual) {
      Assertions.fail("expected " + expected + " elements but got " + actual);
    }
  }

  private static void fail(int i, String expected, String actual, double atol, double rtol) {
    Assertions.fail(
        "at ["
            + i
            + "]: expected "
            + expected
            + " but got "
            + actual
            + "; atol "
            + atol
            + ", rtol "
            + rtol);
  }

  private static void failBits(int i, String expected, String actual) {
    Assertions.fail("at [" + i + "]: expected exactly " + expected + " but got " + actual);
  }
}
