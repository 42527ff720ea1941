package dev.gradus.backend.cpu;

/**
 * Functions of the exponential for results that are rounded to float: in double, without a call, so
 * that the iterations of a loop overlap.
 */
final class FloatExp {
  private static final double LOG2_E = 1 / Math.log(2);
  private static final double LN_2 = Math.log(2);

  /** Beyond it float results are infinite, or 0. */
  private static final double LIMIT = 200;

  /** Adding it leaves the nearest integer in the lowest bits. */
  private static final double ROUND = 0x1.8p52;

  private static final int EXPONENT_BIAS = 1023;
  private static final int EXPONENT_SHIFT = 52;

  /** Below it {@code x (1 - x^2/3)} is the hyperbolic tangent to 1e-13 of itself. */
  private static final double TANH_SERIES = 1e-3;

  /** Elements that are converted at a time. */
  private static final int BLOCK = 512;

  /** Elements from which the blocks pay. */
  private static final int FEW = 64;

  /*
   * Conversions between float and double stand in loops of their own: until JDK 22 C2 lets each
   * wait for the last value of its target register, and a loop that converts, computes and converts
   * back runs one element at a time.
   */

  private FloatExp() {}

  /** {@code out[i] = e^x[i]} for i in [lo, hi). */
  static void exp(float[] x, float[] out, int lo, int hi) {
    if (hi - lo < FEW) {
      for (int i = lo; i < hi; i++) {
        out[i] = (float) exp(x[i]);
      }
      return;
    }
    double[] t = new double[BLOCK];
    for (int b = lo; b < hi; b += BLOCK) {
      int n = Math.min(BLOCK, hi - b);
      widen(x, b, t, n);
      for (int i = 0; i < n; i++) {
        t[i] = exp(t[i]);
      }
      narrow(t, n, out, b);
    }
  }

  /** {@code out[i] = tanh(x[i])} for i in [lo, hi). */
  static void tanh(float[] x, float[] out, int lo, int hi) {
    if (hi - lo < FEW) {
      for (int i = lo; i < hi; i++) {
        out[i] = (float) tanh(x[i]);
      }
      return;
    }
    double[] t = new double[BLOCK];
    for (int b = lo; b < hi; b += BLOCK) {
      int n = Math.min(BLOCK, hi - b);
      widen(x, b, t, n);
      for (int i = 0; i < n; i++) {
        t[i] = tanh(t[i]);
      }
      narrow(t, n, out, b);
    }
  }

  /** {@code out[i] = sigmoid(x[i])} for i in [lo, hi). */
  static void sigmoid(float[] x, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = -x[i];
    }
    exp(out, out, lo, hi);
    for (int i = lo; i < hi; i++) {
      out[i] = 1f / (1f + out[i]);
    }
  }

  private static void widen(float[] x, int from, double[] t, int n) {
    for (int i = 0; i < n; i++) {
      t[i] = x[from + i];
    }
  }

  private static void narrow(double[] t, int n, float[] out, int to) {
    for (int i = 0; i < n; i++) {
      out[to + i] = (float) t[i];
    }
  }

  /**
   * {@code e^x} as {@code 2^k e^r}, k an integer and |r| at most ln(2) / 2, by Taylor's series to
   * r^11. Relative error under 1e-13 for x in [-200, 200]; the result outside is that at the limit,
   * which rounds to 0 or infinity as a float. NaN gives NaN.
   */
  static double exp(double x) {
    double c = x > LIMIT ? LIMIT : x < -LIMIT ? -LIMIT : x;
    double shifted = c * LOG2_E + ROUND;
    double r = c - (shifted - ROUND) * LN_2;
    double r2 = r * r;
    double r4 = r2 * r2;
    double low = (1 + r) + r2 * (1.0 / 2 + r * (1.0 / 6));
    double mid = (1.0 / 24 + r * (1.0 / 120)) + r2 * (1.0 / 720 + r * (1.0 / 5040));
    double high = (1.0 / 40320 + r * (1.0 / 362880)) + r2 * (1.0 / 3628800 + r * (1.0 / 39916800));
    long k = Double.doubleToRawLongBits(shifted);
    double scale = Double.longBitsToDouble((k + EXPONENT_BIAS) << EXPONENT_SHIFT);
    return (low + r4 * (mid + r4 * high)) * scale;
  }

  /** The hyperbolic tangent; relative error under 1e-12. */
  static double tanh(double x) {
    if (Math.abs(x) < TANH_SERIES) {
      return x * (1 - x * x * (1.0 / 3));
    }
    return 1 - 2 / (exp(2 * x) + 1);
  }
}
