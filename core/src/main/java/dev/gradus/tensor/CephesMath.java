package dev.gradus.tensor;

/**
 * The single-precision {@code ln}, {@code sin} and {@code cos} of Moshier's Cephes library
 * (https://www.netlib.org/cephes), each polynomial evaluated with fused multiply-adds in one fixed
 * order, so that the results have the same bits everywhere.
 */
@SuppressWarnings("FloatingPointLiteralPrecision") // the literals are those of the source
final class CephesMath {

  private static final float SQRT_HALF = 0.707106781186547524f;

  private static final float FOUR_OVER_PI = 1.27323954473516f;

  // pi/4 in three parts, so that the reduced argument keeps its digits
  private static final float QUARTER_PI_1 = -0.78515625f;
  private static final float QUARTER_PI_2 = -2.4187564849853515625e-4f;
  private static final float QUARTER_PI_3 = -3.77489497744594108e-8f;

  private CephesMath() {}

  /** The natural logarithm of a positive normal number. */
  static float ln(float x) {
    int bits = Float.floatToRawIntBits(x);
    float e = (bits >>> 23) - 126;
    float m = Float.intBitsToFloat((bits & 0x007fffff) | 0x3f000000);
    if (m < SQRT_HALF) {
      e -= 1f;
      m = (m - 1f) + m;
    } else {
      m -= 1f;
    }
    float z = m * m;
    float y = 7.0376836292E-2f;
    y = Math.fma(y, m, -1.1514610310E-1f);
    y = Math.fma(y, m, 1.1676998740E-1f);
    y = Math.fma(y, m, -1.2420140846E-1f);
    y = Math.fma(y, m, 1.4249322787E-1f);
    y = Math.fma(y, m, -1.6668057665E-1f);
    y = Math.fma(y, m, 2.0000714765E-1f);
    y = Math.fma(y, m, -2.4999993993E-1f);
    y = Math.fma(y, m, 3.3333331174E-1f);
    y *= m;
    y = Math.fma(y, z, e * -2.12194440e-4f);
    y -= 0.5f * z;
    return Math.fma(e, 0.693359375f, m + y);
  }

  /** The sine of an angle in [0, 8192] radians. */
  static float sin(float x) {
    int octant = octant(x);
    float rest = reduce(x, octant);
    float value = (octant & 2) == 0 ? sinPolynomial(rest) : cosPolynomial(rest);
    return (octant & 4) == 0 ? value : -value;
  }

  /** The cosine of an angle in [0, 8192] radians. */
  static float cos(float x) {
    int octant = octant(x);
    float rest = reduce(x, octant);
    float value = (octant & 2) == 0 ? cosPolynomial(rest) : sinPolynomial(rest);
    return ((octant - 2) & 4) == 0 ? -value : value;
  }

  /** The even number of quarter pi that leaves a rest in [-pi/4, pi/4]. */
  private static int octant(float x) {
    return ((int) (x * FOUR_OVER_PI) + 1) & ~1;
  }

  private static float reduce(float x, int octant) {
    float y = octant;
    float rest = Math.fma(y, QUARTER_PI_1, x);
    rest = Math.fma(y, QUARTER_PI_2, rest);
    return Math.fma(y, QUARTER_PI_3, rest);
  }

  private static float cosPolynomial(float x) {
    float z = x * x;
    float c = 2.443315711809948E-5f;
    c = Math.fma(c, z, -1.388731625493765E-3f);
    c = Math.fma(c, z, 4.166664568298827E-2f);
    c *= z;
    c = Math.fma(c, z, -(0.5f * z));
    return c + 1f;
  }

  private static float sinPolynomial(float x) {
    float z = x * x;
    float s = -1.9515295891E-4f;
    s = Math.fma(s, z, 8.3321608736E-3f);
    s = Math.fma(s, z, -1.6666654611E-1f);
    s *= z;
    return Math.fma(s, x, x);
  }
}
