package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Errors in units in the last place, against double; and equal bits of the implementations. */
final class MathF32Test {
  private static final MathF32 PLAIN = new PlainMathF32();
  private static final MathF32 VECTOR = VectorApi.find().kernels().math();
  private static final int CHUNK = 4096;
  private static final float[] ONES = new float[CHUNK];

  static {
    Arrays.fill(ONES, 1);
  }

  /** A function of arrays. */
  private interface Loop {
    void run(MathF32 math, float[] x, float[] out, int lo, int hi);
  }

  /**
   * A function and what is said of its error.
   *
   * @param ulps the bound in ulp of the exact result
   * @param ofOne whether it is in ulp of 1 instead, where the result is less
   * @param byExponent units more for each unit of the exponent, whose rounding counts
   */
  private record Case(
      Loop loop, DoubleUnaryOperator exact, double ulps, boolean ofOne, double byExponent) {}

  private static double sigmoid(double x) {
    double e = Math.exp(-Math.abs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
  }

  private static double times(double x, double sigmoid) {
    return sigmoid == 0 ? -0.0 : x * sigmoid;
  }

  /** What the GELU by tanh has the sigmoid of. */
  private static double cubic(double x) {
    return 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
  }

  private static double slopeAtEnds(double x, DoubleUnaryOperator slope) {
    return Math.abs(x) > 200 ? (x < 0 ? 0 : 1) : slope.applyAsDouble(x);
  }

  private static void clampBelow(float[] x, float least) {
    for (int i = 0; i < x.length; i++) {
      x[i] = Math.max(x[i], least);
    }
  }

  private static Case of(Loop loop, DoubleUnaryOperator exact, double ulps) {
    return new Case(loop, exact, ulps, false, 0);
  }

  private static Case slope(Loop loop, DoubleUnaryOperator exact) {
    return new Case(loop, x -> slopeAtEnds(x, exact), 4, true, 0);
  }

  private static Map<String, Case> cases() {
    Map<String, Case> c = new LinkedHashMap<>();
    c.put("exp", of(MathF32::exp, Math::exp, 1));
    c.put("log", of(MathF32::log, Math::log, 1));
    c.put("tanh", of(MathF32::tanh, Math::tanh, 3));
    c.put("sigmoid", of(MathF32::sigmoid, MathF32Test::sigmoid, 2.5));
    c.put("silu", of(MathF32::silu, x -> times(x, sigmoid(x)), 3.5));
    c.put("gelu", of(MathF32::gelu, Scalars::gelu, 7));
    c.put(
        "gelu from -3",
        of(
            (m, x, out, lo, hi) -> {
              clampBelow(x, -3);
              m.gelu(x, out, lo, hi);
            },
            x -> Scalars.gelu(x < -3 ? -3 : x),
            5));
    c.put("geluTanh", new Case(MathF32::geluTanh, x -> times(x, sigmoid(cubic(x))), 4, false, 3));
    c.put(
        "softplus",
        of(
            (m, x, out, lo, hi) -> m.softplus(x, 1, 20, out, lo, hi),
            x -> x > 20 ? x : Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
            2));
    c.put(
        "siluGrad",
        slope((m, x, out, lo, hi) -> m.siluGrad(ONES, x, out, lo, hi), Scalars::siluSlope));
    c.put(
        "geluGrad",
        slope((m, x, out, lo, hi) -> m.geluGrad(ONES, x, out, lo, hi), Scalars::geluSlope));
    c.put(
        "geluTanhGrad",
        slope((m, x, out, lo, hi) -> m.geluTanhGrad(ONES, x, out, lo, hi), Scalars::geluTanhSlope));
    c.put(
        "softplusGrad",
        of(
            (m, x, out, lo, hi) -> m.softplusGrad(ONES, x, 1, 20, out, lo, hi),
            x -> x > 20 ? 1 : sigmoid(x),
            2.5));
    return c;
  }

  /** Checks every step-th float. */
  private static void check(String name, Case c, int step) {
    long count = (1L << 32) / step + 1;
    int chunks = (int) ((count + CHUNK - 1) / CHUNK);
    IntStream.range(0, chunks)
        .parallel()
        .forEach(
            k -> {
              float[] x = new float[CHUNK];
              for (int i = 0; i < CHUNK; i++) {
                x[i] = Float.intBitsToFloat((int) (((long) k * CHUNK + i) * step));
              }
              float[] plain = new float[CHUNK];
              float[] vector = new float[CHUNK];
              c.loop.run(PLAIN, x, plain, 0, CHUNK);
              c.loop.run(VECTOR, x, vector, 0, CHUNK);
              // NaN for NaN, whatever its bits.
              assertArrayEquals(plain, vector, name);
              for (int i = 0; i < CHUNK; i++) {
                check(name, c, x[i], plain[i]);
              }
            });
  }

  private static void check(String name, Case c, float x, float y) {
    double exact = c.exact.applyAsDouble(x);
    float rounded = (float) exact;
    if (Float.isNaN(rounded) || Float.isInfinite(rounded)) {
      assertEquals(rounded, y, name + " of " + x);
      return;
    }
    double ulp = Math.ulp(rounded);
    double allowed = c.ulps + c.byExponent * Math.min(120, Math.abs(Math.min(0, cubic(x))));
    double unit = c.ofOne ? Math.max(ulp, Math.ulp(1f)) : ulp;
    double error = Math.abs(y - exact) / unit;
    assertTrue(error <= allowed, () -> name + " of " + x + " is off by " + error + " ulp: " + y);
  }

  @Test
  void errorsAreBoundedOverTheWholeRange() {
    cases().forEach((name, c) -> check(name, c, 9973));
  }

  @Test
  @Tag("long")
  void errorsAreBoundedAtOneInThirtyOneOfAllFloats() {
    cases().forEach((name, c) -> check(name, c, 31));
  }

  @Test
  void exponentialsAreBoundedWhereTheyMatter() {
    // Every float of a binade or more around the places where results change their exponent.
    for (String name : new String[] {"exp", "tanh", "sigmoid", "gelu", "log"}) {
      Case c = cases().get(name);
      float[] x = new float[CHUNK];
      float[] y = new float[CHUNK];
      for (float at : new float[] {-88, -17, -1.3f, -0.34657f, 0.34657f, 0.6667f, 1, 1.3333f, 88}) {
        for (int i = 0; i < CHUNK; i++) {
          x[i] = Float.intBitsToFloat(Float.floatToRawIntBits(at) + i - CHUNK / 2);
        }
        c.loop.run(PLAIN, x, y, 0, CHUNK);
        for (int i = 0; i < CHUNK; i++) {
          check(name, c, x[i], y[i]);
        }
      }
    }
  }

  @Test
  void subnormalsZerosInfinitiesAndNaN() {
    float inf = Float.POSITIVE_INFINITY;
    float[] x = {0f, -0f, Float.MIN_VALUE, -Float.MIN_VALUE, 1e-40f, inf, -inf, Float.NaN};
    Map<String, float[]> expected = new LinkedHashMap<>();
    float nan = Float.NaN;
    expected.put("exp", new float[] {1, 1, 1, 1, 1, inf, 0, nan});
    expected.put(
        "log",
        new float[] {
          -inf, -inf, (float) Math.log(0x1p-149), nan, (float) Math.log(1e-40f), inf, nan, nan
        });
    expected.put("tanh", new float[] {0f, -0f, x[2], x[3], 1e-40f, 1, -1, nan});
    expected.put("sigmoid", new float[] {.5f, .5f, .5f, .5f, .5f, 1, 0, nan});
    for (MathF32 math : new MathF32[] {PLAIN, VECTOR}) {
      expected.forEach(
          (name, values) -> {
            float[] out = new float[32];
            // Twice: in a vector, and among those that are left.
            float[] in = Arrays.copyOf(x, 32);
            System.arraycopy(x, 0, in, 32 - x.length, x.length);
            cases().get(name).loop.run(math, in, out, 0, 32);
            assertArrayEquals(values, Arrays.copyOf(out, x.length), name);
            assertArrayEquals(values, Arrays.copyOfRange(out, 32 - x.length, 32), name);
            cases().get(name).loop.run(math, x, out, 0, x.length);
            assertArrayEquals(values, Arrays.copyOf(out, x.length), name);
          });
    }
    // The least subnormals are results too.
    float[] out = new float[2];
    PLAIN.exp(new float[] {-103.2f, -104f}, out, 0, 2);
    assertArrayEquals(new float[] {Float.MIN_VALUE, 0}, out);
  }

  @Test
  void bitsDependNeitherOnTheRangeNorOnTheImplementation() {
    Random random = new Random(4);
    int n = 1030;
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) (random.nextGaussian() * (i % 7 == 0 ? 40 : 2));
    }
    cases()
        .forEach(
            (name, c) -> {
              float[] all = new float[n];
              c.loop.run(PLAIN, x, all, 0, n);
              for (MathF32 math : new MathF32[] {PLAIN, VECTOR}) {
                for (int piece : new int[] {1, 3, 7, 17, 29, 53, 257, n}) {
                  float[] out = x.clone();
                  for (int lo = 0; lo < n; lo += piece) {
                    c.loop.run(math, out, out, lo, Math.min(n, lo + piece));
                  }
                  assertArrayEquals(all, out, name + " in pieces of " + piece);
                }
              }
            });
  }

  @Test
  void anEmulatedFmaIsThatOfTheHardwareButForDoubleRounding() {
    Random random = new Random(5);
    int other = 0;
    for (int i = 0; i < 100_000; i++) {
      float a = (float) random.nextGaussian();
      float b = (float) random.nextGaussian();
      float c = (float) random.nextGaussian();
      float exact = Math.fma(a, b, c);
      float emulated = FloatMath.emulatedFma(a, b, c);
      assertEquals(exact, emulated, Math.ulp(exact));
      other += exact == emulated ? 0 : 1;
    }
    // The sum in double lies halfway between two floats once in 2^29 or so.
    assertTrue(other < 10, other + " differ");
  }
}
