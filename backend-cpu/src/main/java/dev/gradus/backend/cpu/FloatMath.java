package dev.gradus.backend.cpu;

/**
 * The functions of one float, in float arithmetic with fused multiply-adds: the arithmetic that
 * every form of {@link MathF32} repeats, operation by operation. {@code MathF32} has the error
 * bounds.
 */
final class FloatMath {
  /*
   * e^x is 2^k e^r, k an integer and |r| at most ln(2) / 2. Adding SHIFT rounds to k and leaves
   * 254 + k in the sum's low bits. 2^k goes as two factors, so that results below the normal range
   * are rounded once. Polynomials are minimax fits with float coefficients made by Sollya's
   * fpminimax for this class; their errors stand beside them.
   */

  /** Below it e^x, also times a few hundred, rounds to 0. */
  static final float LEAST_EXPONENT = -120;

  /** Above it e^x is infinite. */
  static final float GREATEST_EXPONENT = 89;

  static final float LOG2_E = 0x1.715476p0f;
  static final float SHIFT = 0x1.8p23f + 254;
  static final int EXPONENT_BITS = 23;
  static final int EXPONENT_BIAS = 127;

  /** ln(2) in two parts, the first so short that its product with k is exact. */
  static final float LN2_HIGH = 0x1.62e4p-1f;

  static final float LN2_LOW = 0x1.7f7d1cp-20f;

  static final float LN2 = 0x1.62e43p-1f;

  /** (e^r - 1 - r) / r^2; the relative error of e^r - 1 is 2^-30. */
  static final float E2 = 0x1p-1f;

  static final float E3 = 0x1.555554p-3f;
  static final float E4 = 0x1.5554fp-5f;
  static final float E5 = 0x1.111306p-7f;
  static final float E6 = 0x1.6d439p-10f;
  static final float E7 = 0x1.9e0cdp-13f;

  /** (ln(1 + f) - f) / f^2 for |f| at most 1/3; the relative error of ln(1 + f) is 2^-27. */
  static final float L2 = -0x1p-1f;

  static final float L3 = 0x1.555502p-2f;
  static final float L4 = -0x1.ffff14p-3f;
  static final float L5 = 0x1.99d1c6p-3f;
  static final float L6 = -0x1.559804p-3f;
  static final float L7 = 0x1.1ec0dp-3f;
  static final float L8 = -0x1.f3a788p-4f;
  static final float L9 = 0x1.1ec6ep-3f;
  static final float L10 = -0x1.06cedcp-3f;

  /** The bits of 2/3: a mantissa lies in [2/3, 4/3). */
  static final int TWO_THIRDS_BITS = 0x3f2aaaab;

  static final int EXPONENT_MASK = 0xff800000;
  static final int LEAST_NORMAL_BITS = 0x00800000;
  static final int INFINITY_BITS = 0x7f800000;

  /** Lifts a number below the normal range into it. */
  static final float LIFT = 0x1p23f;

  /** (ln(1 + e) - e) / e^2 for e in [0, 1]; the relative error of ln(1 + e) is 2^-27. */
  static final float S2 = -0x1.ffffd2p-2f;

  static final float S3 = 0x1.554ddap-2f;
  static final float S4 = -0x1.ff2556p-3f;
  static final float S5 = 0x1.935568p-3f;
  static final float S6 = -0x1.3a6736p-3f;
  static final float S7 = 0x1.b53c48p-4f;
  static final float S8 = -0x1.d7efa8p-5f;
  static final float S9 = 0x1.4a9226p-6f;
  static final float S10 = -0x1.b22adep-9f;

  /**
   * The normal distribution's upper tail times e^(a^2/2), as v T(w) with v = 1 / (1 + a T_SCALE)
   * and w = 1 - v, for a in [0, 14.5]; relative error 2^-28.
   */
  static final float T_SCALE = 0x1.2fcp-2f;

  static final float T0 = 0x1p-1f;
  static final float T1 = -0x1.b0983ap-1f;
  static final float T2 = 0x1.4d84b4p-1f;
  static final float T3 = -0x1.b152e4p-4f;
  static final float T4 = -0x1.20e29ap-3f;
  static final float T5 = 0x1.deff82p-6f;
  static final float T6 = 0x1.35b116p-6f;
  static final float T7 = 0x1.e34282p-5f;
  static final float T8 = -0x1.1a050ep-4f;
  static final float T9 = 0x1.4ea8cp-6f;

  /** Beyond it the normal distribution's tail and density round to 0. */
  static final float TAIL_END = 14.5f;

  static final float INV_SQRT_2PI = 0x1.988454p-2f;

  /** Beyond it a hyperbolic tangent rounds to 1. */
  static final float TANH_END = 10;

  /** 2 sqrt(2 / pi), and that times 0.044715: the argument of the GELU by tanh, doubled. */
  static final float GELU_LINEAR = 0x1.988454p0f;

  static final float GELU_CUBIC = 0x1.2444f2p-4f;

  /** Beyond it the GELU by tanh is x or 0. */
  static final float GELU_END = 12;

  /** Beyond it a sigmoid is 1 or 0, and x times it is x or 0. */
  static final float SIGMOID_END = 200;

  static final int SIGN_BIT = 0x80000000;
  static final int ONE_BITS = 0x3f800000;

  private FloatMath() {}

  static float fma(float a, float b, float c) {
    return HardwareFma.PRESENT ? Math.fma(a, b, c) : emulatedFma(a, b, c);
  }

  /** Rounded twice, which hardly ever shows. */
  static float emulatedFma(float a, float b, float c) {
    return (float) ((double) a * b + c);
  }

  static float clamp(float x, float least, float greatest) {
    return Math.min(Math.max(x, least), greatest);
  }

  /** The part of x that e^r has: x - k ln(2), for a shifted k. */
  static float remainder(float x, float shifted) {
    float k = shifted - SHIFT;
    return fma(k, -LN2_LOW, fma(k, -LN2_HIGH, x));
  }

  /** {@code (e^r - 1 - r) / r^2}. */
  static float expTail(float r) {
    return fma(r, fma(r, fma(r, fma(r, fma(r, E7, E6), E5), E4), E3), E2);
  }

  /** {@code e^r}. */
  static float expOf(float r) {
    return fma(r, fma(r, expTail(r), 1), 1);
  }

  /** {@code p 2^k}, for a shifted k. */
  static float scale(float p, float shifted) {
    int i = Float.floatToRawIntBits(shifted);
    int half = i >> 1;
    return p
        * Float.intBitsToFloat(half << EXPONENT_BITS)
        * Float.intBitsToFloat((i - half) << EXPONENT_BITS);
  }

  static float exp(float x) {
    float c = clamp(x, LEAST_EXPONENT, GREATEST_EXPONENT);
    float shifted = fma(c, LOG2_E, SHIFT);
    return scale(expOf(remainder(c, shifted)), shifted);
  }

  static float log(float x) {
    int bits = Float.floatToRawIntBits(x);
    float offset = 0;
    // True for all but the positive normal numbers.
    if (bits - LEAST_NORMAL_BITS + SIGN_BIT >= INFINITY_BITS - LEAST_NORMAL_BITS + SIGN_BIT) {
      if (!(x > 0) || x == Float.POSITIVE_INFINITY) {
        return x == 0 ? Float.NEGATIVE_INFINITY : x > 0 ? x : Float.NaN;
      }
      bits = Float.floatToRawIntBits(x * LIFT);
      offset = EXPONENT_BITS;
    }
    int e = (bits - TWO_THIRDS_BITS) & EXPONENT_MASK;
    float k = (float) (e >> EXPONENT_BITS) - offset;
    float f = Float.intBitsToFloat(bits - e) - 1;
    return fma(k, LN2, fma(f * f, logTail(f), f));
  }

  /** {@code (ln(1 + f) - f) / f^2}. */
  static float logTail(float f) {
    float high = fma(f, fma(f, fma(f, fma(f, L10, L9), L8), L7), L6);
    return fma(f, fma(f, fma(f, fma(f, high, L5), L4), L3), L2);
  }

  /** {@code e^r - 1}. */
  static float expMinusOneOf(float r) {
    return fma(r * r, expTail(r), r);
  }

  static float tanh(float x) {
    float t = -2 * Math.min(Math.abs(x), TANH_END);
    float shifted = fma(t, LOG2_E, SHIFT);
    return tanhOf(expMinusOneOf(remainder(t, shifted)), shifted, x);
  }

  /** From {@code p = e^r - 1}: u is {@code 1 - e^(-2|x|)}. */
  static float tanhOf(float p, float shifted, float x) {
    int i = Float.floatToRawIntBits(shifted);
    float s = Float.intBitsToFloat((i - EXPONENT_BIAS) << EXPONENT_BITS);
    float u = fma(-s, p, 1 - s);
    return withSign(u / (2 - u), x);
  }

  /** A positive number, with the sign of x. */
  private static float withSign(float v, float x) {
    int sign = Float.floatToRawIntBits(x) & SIGN_BIT;
    return Float.intBitsToFloat(Float.floatToRawIntBits(v) | sign);
  }

  /** v where x has a minus, otherwise w: without a branch, which would be predicted wrongly. */
  private static float bySign(float x, float v, float w) {
    int mask = Float.floatToRawIntBits(x) >> 31;
    return Float.intBitsToFloat(
        (Float.floatToRawIntBits(v) & mask) | (Float.floatToRawIntBits(w) & ~mask));
  }

  static float sigmoid(float x) {
    float e = exp(-Math.abs(x));
    return sigmoidOf(e, x);
  }

  /** From {@code e^-|x|}. */
  static float sigmoidOf(float e, float x) {
    return bySign(x, e, 1) / (1 + e);
  }

  static float silu(float x) {
    return timesSigmoid(-Math.abs(x), Math.max(x, -SIGMOID_END));
  }

  /** x times the sigmoid of a number with the sign of x, whose size t is given negative. */
  private static float timesSigmoid(float t, float x) {
    float c = Math.max(t, LEAST_EXPONENT);
    float shifted = fma(c, LOG2_E, SHIFT);
    return timesSigmoidOf(expOf(remainder(c, shifted)), shifted, x);
  }

  /** x times the sigmoid, from e^-|w| in its two parts: the product is scaled after it is made. */
  static float timesSigmoidOf(float p, float shifted, float x) {
    float e = scale(p, shifted);
    return bySign(x, scale(x * p, shifted), x) / (1 + e);
  }

  static float siluSlope(float x) {
    return siluSlopeOf(exp(-Math.abs(x)), x);
  }

  /** From {@code e^-|x|}: s (1 + x (1 - s)). */
  static float siluSlopeOf(float e, float x) {
    float d = 1 + e;
    float s = bySign(x, e, 1) / d;
    float rest = bySign(x, 1, e) / d;
    return s * fma(clamp(x, -SIGMOID_END, SIGMOID_END), rest, 1);
  }

  static float gelu(float x) {
    float a = Math.min(Math.abs(x), TAIL_END);
    float h = a * a;
    float shifted = bellShifted(h);
    float p = expOf(bellRemainder(a, h, shifted));
    return geluOf(a * tail(a) * p, shifted, x);
  }

  /** From the two parts of a times the tail at a = |x|: what of x is lost. */
  static float geluOf(float p, float shifted, float x) {
    return Math.max(x, 0) - scale(p, shifted);
  }

  static float bellShifted(float h) {
    return fma(h, -0.5f * LOG2_E, SHIFT);
  }

  /** The part of -a^2/2 that e^r has, from h, which is a^2 rounded. */
  static float bellRemainder(float a, float h, float shifted) {
    float low = -0.5f * fma(a, a, -h);
    return remainder(-0.5f * h, shifted) + low;
  }

  /** The normal distribution's tail above a, times e^(a^2/2). */
  static float tail(float a) {
    float z = a * T_SCALE;
    float v = 1 / (1 + z);
    float w = z * v;
    float high = fma(w, fma(w, fma(w, fma(w, T9, T8), T7), T6), T5);
    return v * fma(w, fma(w, fma(w, fma(w, fma(w, high, T4), T3), T2), T1), T0);
  }

  static float geluSlope(float x) {
    float a = Math.min(Math.abs(x), TAIL_END);
    float h = a * a;
    float shifted = bellShifted(h);
    float p = expOf(bellRemainder(a, h, shifted));
    return geluSlopeOf(bend(a) * p, shifted, x);
  }

  /** The factor of e^(-a^2/2) in what the slope is short of a step: a phi(a) - tail(a). */
  static float bend(float a) {
    return fma(a, INV_SQRT_2PI, -tail(a));
  }

  /** From the two parts of the bend: 1 and more where x is positive, less than 0 where not. */
  static float geluSlopeOf(float p, float shifted, float x) {
    float d = scale(p, shifted);
    return bySign(x, -d, 1 + d);
  }

  /** What the GELU by tanh has the sigmoid of. */
  static float cubic(float x) {
    float c = clamp(x, -GELU_END, GELU_END);
    return c * fma(GELU_CUBIC * c, c, GELU_LINEAR);
  }

  static float geluTanh(float x) {
    return timesSigmoid(-Math.abs(cubic(x)), Math.max(x, -GELU_END));
  }

  static float geluTanhSlope(float x) {
    return geluTanhSlopeOf(exp(-Math.abs(cubic(x))), x);
  }

  /** From {@code e^-|w|}: s + x s (1 - s) w'. */
  static float geluTanhSlopeOf(float e, float x) {
    float d = 1 + e;
    float s = bySign(x, e, 1) / d;
    float c = clamp(x, -GELU_END, GELU_END);
    float slope = c * fma(3 * GELU_CUBIC * c, c, GELU_LINEAR);
    return fma(slope, e / (d * d), s);
  }

  /** {@code ln(1 + e^t)}. */
  static float softplus(float t) {
    return softplusOf(exp(-Math.abs(t)), t);
  }

  /** From {@code e^-|t|}. */
  static float softplusOf(float e, float t) {
    return Math.max(t, 0) + fma(e * e, softplusTail(e), e);
  }

  /** {@code (ln(1 + e) - e) / e^2}. */
  static float softplusTail(float e) {
    float high = fma(e, fma(e, fma(e, fma(e, S10, S9), S8), S7), S6);
    return fma(e, fma(e, fma(e, fma(e, high, S5), S4), S3), S2);
  }
}
