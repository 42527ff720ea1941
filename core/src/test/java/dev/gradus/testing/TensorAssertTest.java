package dev.gradus.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class TensorAssertTest {
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  private static void fails(String message, Executable e) {
    assertEquals(message, assertThrows(AssertionError.class, e).getMessage());
  }

  @Test
  void closeValuesPass() {
    TensorAssert.assertClose(
        new double[] {1, NAN, INF, 0}, new double[] {1.01, NAN, INF, 0.01}, 0.01, 0.01);
    TensorAssert.assertClose(new float[] {1, 2}, new float[] {1, 2.5f}, 0, 0.25);
    TensorAssert.assertBits(new float[] {-0f, Float.NaN}, new float[] {-0f, -Float.NaN});
    TensorAssert.assertBits(new long[] {1}, new long[] {1});
  }

  @Test
  void failuresTellTheIndexAndBothValues() {
    fails(
        "at [1]: expected 2.0 but got 2.5; atol 0.1, rtol 0.0",
        () -> TensorAssert.assertClose(new double[] {1, 2}, new double[] {1, 2.5}, 0.1, 0));
    fails(
        "at [0]: expected 1.0 but got NaN; atol 9.0, rtol 9.0",
        () -> TensorAssert.assertClose(new float[] {1}, new float[] {Float.NaN}, 9, 9));
    fails(
        "at [0]: expected Infinity but got 1.0; atol 9.0, rtol 9.0",
        () -> TensorAssert.assertClose(new double[] {INF}, new double[] {1}, 9, 9));
    fails(
        "expected 1 elements but got 2",
        () -> TensorAssert.assertClose(new double[1], new double[2], 9, 9));
    fails(
        "at [0]: expected exactly 0x0.0p0 but got -0x0.0p0",
        () -> TensorAssert.assertBits(new double[] {0}, new double[] {-0.0}));
    fails(
        "at [1]: expected exactly 7 but got 8",
        () -> TensorAssert.assertBits(new long[] {1, 7}, new long[] {1, 8}));
  }
}
