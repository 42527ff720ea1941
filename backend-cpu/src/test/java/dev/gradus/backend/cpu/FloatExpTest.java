package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class FloatExpTest {
  /** A step through all floats: about 200,000 of each sign. */
  private static final int STEP = 10_007;

  @Test
  void roundedResultsAreThoseOfMath() {
    int count = 0;
    int others = 0;
    for (int bits = 0; bits >= 0 && bits <= 0x7f800000; bits += STEP) {
      for (int sign = 0; sign < 2; sign++) {
        float x = Float.intBitsToFloat(bits | sign << 31);
        count++;
        others += same((float) Math.exp(x), (float) FloatExp.exp(x)) ? 0 : 1;
        others += same((float) Math.tanh(x), (float) FloatExp.tanh(x)) ? 0 : 1;
      }
    }
    assertTrue(count > 400_000);
    // An error of 1e-12 turns a rounding to 6e-8 once in some 60,000 at the worst.
    assertTrue(others <= count / 60_000, others + " of " + count);
  }

  @Test
  void arraysOfAnyLengthHaveTheBitsOfSingleValues() {
    for (int n : new int[] {1, 63, 64, 511, 513, 1030}) {
      float[] x = new float[n + 2];
      for (int i = 0; i < x.length; i++) {
        x[i] = (i - n / 2) * 0.037f;
      }
      float[] e = new float[n + 2];
      float[] t = new float[n + 2];
      float[] s = new float[n + 2];
      FloatExp.exp(x, e, 1, n + 1);
      FloatExp.tanh(x, t, 1, n + 1);
      FloatExp.sigmoid(x, s, 1, n + 1);
      assertEquals(0f, e[0] + e[n + 1] + t[0] + t[n + 1] + s[0] + s[n + 1]);
      for (int i = 1; i <= n; i++) {
        assertEquals((float) FloatExp.exp(x[i]), e[i]);
        assertEquals((float) FloatExp.tanh(x[i]), t[i]);
        assertEquals(1f / (1f + (float) FloatExp.exp(-x[i])), s[i]);
      }
    }
  }

  private static boolean same(float a, float b) {
    return Float.floatToIntBits(a) == Float.floatToIntBits(b);
  }

  @Test
  void theEndsOfTheRangeAreThoseOfFloat() {
    assertEquals(Float.POSITIVE_INFINITY, (float) FloatExp.exp(Double.POSITIVE_INFINITY));
    assertEquals(0f, (float) FloatExp.exp(Double.NEGATIVE_INFINITY));
    assertTrue(Double.isNaN(FloatExp.exp(Double.NaN)));
    assertEquals(-0f, (float) FloatExp.tanh(-0.0));
    assertTrue(Double.isNaN(FloatExp.tanh(Double.NaN)));
  }
}
