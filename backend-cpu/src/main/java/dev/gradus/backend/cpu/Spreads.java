package dev.gradus.backend.cpu;

import dev.gradus.spi.Spread;
import java.util.Arrays;

/** Writes spread operands out, and finds their elements. */
final class Spreads {
  private Spreads() {}

  /**
   * The element of a spread operand that element i of the result takes.
   *
   * @param length the operand's elements
   * @param n the result's elements
   */
  static int index(Spread spread, int i, int length, int n) {
    return switch (spread) {
      case FULL -> i;
      case SCALAR -> 0;
      case ROW -> i % length;
      case COLUMN -> i / (n / length);
    };
  }

  /**
   * Writes elements lo to hi of the spread operand.
   *
   * @param n the result's elements
   * @param dst where element lo goes to {@code dst[at]}
   */
  static void write(
      float[] x, int length, Spread spread, int n, float[] dst, int at, int lo, int hi) {
    switch (spread) {
      case FULL -> System.arraycopy(x, lo, dst, at, hi - lo);
      case SCALAR -> Arrays.fill(dst, at, at + hi - lo, x[0]);
      case ROW -> rows(x, length, dst, at, lo, hi - lo);
      case COLUMN -> {
        int width = n / length;
        for (int i = lo; i < hi; ) {
          int end = Math.min(hi, (i / width + 1) * width);
          Arrays.fill(dst, at + i - lo, at + end - lo, x[i / width]);
          i = end;
        }
      }
    }
  }

  private static void rows(float[] x, int length, float[] dst, int at, int lo, int count) {
    int skipped = lo % length;
    int done = Math.min(length - skipped, count);
    System.arraycopy(x, skipped, dst, at, done);
    int start = at + done;
    int end = at + count;
    int filled = Math.min(length, end - start);
    System.arraycopy(x, 0, dst, start, filled);
    // What is there is a whole number of rows, so it can be doubled.
    while (start + filled < end) {
      int more = Math.min(filled, end - start - filled);
      System.arraycopy(dst, start, dst, start + filled, more);
      filled += more;
    }
  }
}
