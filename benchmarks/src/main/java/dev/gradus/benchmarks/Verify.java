package dev.gradus.benchmarks;

import java.util.function.IntToDoubleFunction;

/** Compares a result with what something slow computed: a wrong result is not measured. */
final class Verify {
  /** Elements looked at, spread over the result: enough to see every kernel and every edge. */
  private static final int LOOKS = 10_007;

  private Verify() {}

  /**
   * Looks at elements spread over a result, the first and the last among them.
   *
   * @param tolerance the difference allowed, relative to values above 1 and absolute below
   * @throws IllegalStateException if one differs
   */
  static void close(String what, float[] actual, IntToDoubleFunction expected, double tolerance) {
    int stride = Math.max(1, actual.length / LOOKS);
    for (int i = 0; i < actual.length; i += stride) {
      close(what, i, actual[i], expected.applyAsDouble(i), tolerance);
    }
    int last = actual.length - 1;
    close(what, last, actual[last], expected.applyAsDouble(last), tolerance);
  }

  private static void close(String what, int i, double is, double expected, double tolerance) {
    if (!(Math.abs(is - expected) <= tolerance * Math.max(1, Math.abs(expected)))) {
      throw new IllegalStateException(
          what
              + ": element "
              + i
              + " is "
              + is
              + " but must be "
              + expected
              + "; a wrong result is not measured");
    }
  }
}
