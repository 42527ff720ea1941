package dev.gradus.spi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PhiloxTest {

  /** The philox4x32-10 lines of kat_vectors in the Random123 distribution. */
  @Test
  void knownAnswersOfRandom123() {
    assertArrayEquals(
        new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, words(0, 0, 0, 0, 0, 0));
    assertArrayEquals(
        new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, words(-1, -1, -1, -1, -1, -1));
    assertArrayEquals(
        new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
        words(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0));
  }

  private static int[] words(int c0, int c1, int c2, int c3, int k0, int k1) {
    int[] out = new int[4];
    Philox.block(c0, c1, c2, c3, k0, k1, out);
    return out;
  }

  @Test
  void seedAndCounterAreTheirLowAndHighHalves() {
    int[] out = new int[4];
    Philox.block(0x1122334455667788L, 0x99aabbccddeeff00L, out);
    assertArrayEquals(words(0xddeeff00, 0x99aabbcc, 0, 0, 0x55667788, 0x11223344), out);
    Philox.block(0, 0, out);
    assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, out);
  }

  @Test
  void anElementIsOneWordOfItsCounterWhereverAFillBegins() {
    long seed = 0x5deece66dL;
    long offset = 0xfffffffeL; // the carry into the counter's high half is inside the range
    int n = 41;
    float[] whole = new float[n];
    Philox.fillUniform(seed, offset, 0, whole, 0, n);
    int[] words = new int[4];
    for (int i = 0; i < n; i++) {
      Philox.block(seed, offset + i / 4, words);
      assertEquals((words[i % 4] >>> 8) * 0x1p-24f, whole[i]);
    }
    for (int lo = 0; lo <= n; lo++) {
      for (int hi = lo; hi <= n; hi++) {
        float[] part = new float[n + 2];
        Philox.fillUniform(seed, offset, lo, part, lo + 1, hi + 1);
        for (int i = 0; i < n; i++) {
          assertEquals(i >= lo && i < hi ? whole[i] : 0f, part[i + 1]);
        }
        assertEquals(0f, part[0]);
        assertEquals(0f, part[n + 1]);
      }
    }
  }

  @Test
  void elementsBeyondTheIntRangeHaveTheirOwnCounters() {
    long element = (1L << 40) + 3;
    float[] one = new float[1];
    Philox.fillUniform(1, 2, element, one, 0, 1);
    int[] words = new int[4];
    Philox.block(1, 2 + (1L << 38), words);
    assertEquals((words[3] >>> 8) * 0x1p-24f, one[0]);
  }

  @Test
  void aMaskKeepsWhatIsAtLeastP() {
    int n = 4097;
    float[] uniform = new float[n];
    Philox.fillUniform(3, 5, 2, uniform, 0, n);
    for (double p :
        new double[] {0, 0.1, 0.25, 0.5, uniform[17], Math.nextUp((double) uniform[17]), 1}) {
      float[] mask = new float[n + 1];
      double[] mask64 = new double[n + 1];
      Philox.fillMask(3, 5, Philox.threshold(p), 1.25f, 2, mask, 1, n + 1);
      Philox.fillMask(3, 5, Philox.threshold(p), 1.1, 2, mask64, 1, n + 1);
      for (int i = 0; i < n; i++) {
        boolean kept = uniform[i] >= p;
        assertEquals(kept ? 1.25f : 0f, mask[i + 1]);
        assertEquals(kept ? 1.1 : 0.0, mask64[i + 1]);
      }
      assertEquals(0f, mask[0]);
    }
  }

  @Test
  void thresholdIsTheLeastKeptValue() {
    assertEquals(0, Philox.threshold(0));
    assertEquals(1, Philox.threshold(Double.MIN_VALUE));
    assertEquals(1 << 23, Philox.threshold(0.5));
    assertEquals(1 << 24, Philox.threshold(1));
    assertTrue(Philox.keeps(0, Philox.threshold(0)));
    assertFalse(Philox.keeps(-1, Philox.threshold(1)));
    assertTrue(Philox.keeps(0x80000000, Philox.threshold(0.5)));
    assertFalse(Philox.keeps(0x7fffffff, Philox.threshold(0.5)));
  }

  /** Five standard deviations of a binomial count. */
  @Test
  void theKeptShareIsOneMinusP() {
    int n = 1_000_003;
    double[] mask = new double[n];
    Philox.fillMask(42, 0, Philox.threshold(0.3), 1.0, 0, mask, 0, n);
    double kept = 0;
    for (double value : mask) {
      kept += value;
    }
    assertEquals(0.7 * n, kept, 5 * Math.sqrt(n * 0.3 * 0.7));
  }

  @Test
  void blocksRoundUpWithoutOverflow() {
    assertEquals(0, Philox.blocks(0));
    assertEquals(1, Philox.blocks(1));
    assertEquals(1, Philox.blocks(4));
    assertEquals(2, Philox.blocks(5));
    assertEquals(1L << 61, Philox.blocks(Long.MAX_VALUE));
  }

  @Test
  void refusalsSayWhatWasGiven() {
    assertRefused("dropout p must be in [0, 1] but is -0.1", () -> Philox.threshold(-0.1));
    assertRefused("dropout p must be in [0, 1] but is 1.5", () -> Philox.threshold(1.5));
    assertRefused("dropout p must be in [0, 1] but is NaN", () -> Philox.threshold(Double.NaN));
    assertRefused("Philox: the number of elements must be >= 0 but is -1", () -> Philox.blocks(-1));
  }

  private static void assertRefused(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
