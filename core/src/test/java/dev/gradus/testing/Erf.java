package dev.gradus.testing;

/**
 * The normal distribution function in double, from the error function's series and continued
 * fraction (Abramowitz and Stegun 7.1.6 and 7.1.14): slow, and right to about 1e-15 of 1.
 */
final class Erf {
  private static final double SERIES_ENDS = 3;

  private Erf() {}

  /** {@code (1 + erf(x / sqrt 2)) / 2}; the lower tail is not cancelled away. */
  static double phi(double x) {
    double z = x / StrictMath.sqrt(2);
    if (Math.abs(z) < SERIES_ENDS) {
      return z < -0.5 ? upperTail(-z) : (1 + series(z)) / 2;
    }
    return z < 0 ? upperTail(-z) : 1 - upperTail(z);
  }

  /** {@code erf z = 2/sqrt(pi) e^(-z^2) sum 2^n z^(2n+1) / (1 3 5 … (2n+1))}: all of one sign. */
  private static double series(double z) {
    double term = z;
    double sum = z;
    for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= 2 * z * z / (2 * n + 1);
      sum += term;
    }
    return 2 / StrictMath.sqrt(Math.PI) * StrictMath.exp(-z * z) * sum;
  }

  /**
   * {@code erfc(z) / 2} for z >= 0.5, by {@code e^(-z^2) / sqrt(pi) / (z + (1/2)/(z + 1/(z + …)))}.
   */
  private static double upperTail(double z) {
    if (Double.isInfinite(z) || z > 40) {
      return 0;
    }
    double f = z;
    // the fraction's error falls as e^(-z sqrt(8 n))
    for (int n = (int) (10 + 200 / (z * z)); n >= 1; n--) {
      f = z + n / 2.0 / f;
    }
    return StrictMath.exp(-z * z) / StrictMath.sqrt(Math.PI) / f / 2;
  }
}
