package dev.gradus.spi;

/**
 * Philox4x32-10, the counter-based random numbers of Salmon, Moraes, Dror and Shaw ("Parallel
 * random numbers: as easy as 1, 2, 3", SC11): a pure function from (seed, counter) to four 32-bit
 * words, so that any element of a stream can be computed alone, on any device and by any number of
 * threads, with equal results.
 *
 * <p>Layout: the key's words are the low and the high half of the seed; the counter's words 0 and 1
 * are the low and the high half of a 64-bit counter, its words 2 and 3 are zero. Element i of a
 * stream with a given offset is word {@code i % 4} of counter {@code offset + i / 4}; its uniform
 * value is {@code (word >>> 8) * 2^-24}, in [0, 1).
 *
 * <p>Dropout with probability p keeps element i exactly when its uniform value is at least p, which
 * is {@code (word >>> 8) >= threshold(p)}.
 */
public final class Philox {

  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int KEY_STEP_0 = 0x9E3779B9;
  private static final int KEY_STEP_1 = 0xBB67AE85;
  private static final int ROUNDS = 10;
  private static final int WORDS = 4;
  private static final long LOW_32 = 0xffffffffL;

  private Philox() {}

  /**
   * The number of counters that some elements use: ceil(elements / 4).
   *
   * @throws IllegalArgumentException if elements is negative
   */
  public static long blocks(long elements) {
    if (elements < 0) {
      throw new IllegalArgumentException(
          "Philox: the number of elements must be >= 0 but is " + elements);
    }
    return elements / WORDS + (elements % WORDS == 0 ? 0 : 1);
  }

  /** Writes the four words of a counter to {@code out4[0..3]}. */
  public static void block(long seed, long counter, int[] out4) {
    block((int) counter, (int) (counter >>> 32), 0, 0, (int) seed, (int) (seed >>> 32), out4);
  }

  static void block(
      int counter0, int counter1, int counter2, int counter3, int key0, int key1, int[] out4) {
    int c0 = counter0;
    int c1 = counter1;
    int c2 = counter2;
    int c3 = counter3;
    int k0 = key0;
    int k1 = key1;
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = MULTIPLIER_0 * (c0 & LOW_32);
      long product1 = MULTIPLIER_1 * (c2 & LOW_32);
      c0 = (int) (product1 >>> 32) ^ c1 ^ k0;
      c1 = (int) product1;
      c2 = (int) (product0 >>> 32) ^ c3 ^ k1;
      c3 = (int) product0;
      k0 += KEY_STEP_0;
      k1 += KEY_STEP_1;
    }
    out4[0] = c0;
    out4[1] = c1;
    out4[2] = c2;
    out4[3] = c3;
  }

  /**
   * The least 24-bit value that dropout keeps: ceil(p * 2^24).
   *
   * @param p the probability of dropping, in [0, 1]; 0 keeps all, 1 none
   * @throws IllegalArgumentException if p is outside [0, 1]
   */
  public static int threshold(double p) {
    if (!(p >= 0 && p <= 1)) {
      throw new IllegalArgumentException("dropout p must be in [0, 1] but is " + p);
    }
    return (int) Math.ceil(p * 0x1p24);
  }

  /** Whether dropout with this {@link #threshold} keeps the element whose word this is. */
  public static boolean keeps(int word, int threshold) {
    return (word >>> 8) >= threshold;
  }

  /**
   * Writes uniform values in [0, 1): element {@code firstElement + (i - lo)} of the stream to
   * {@code out[i]}, for i in [lo, hi).
   *
   * @param seed the key
   * @param offset the counter of element 0
   * @param firstElement the element that goes to {@code out[lo]}, at least 0
   */
  public static void fillUniform(
      long seed, long offset, long firstElement, float[] out, int lo, int hi) {
    int[] words = new int[WORDS];
    long element = firstElement;
    int i = lo;
    while (i < hi) {
      block(seed, offset + element / WORDS, words);
      for (int w = (int) (element % WORDS); w < WORDS && i < hi; w++, i++, element++) {
        out[i] = (words[w] >>> 8) * 0x1p-24f;
      }
    }
  }

  /**
   * Writes a dropout mask: {@code kept} where element {@code firstElement + (i - lo)} of the stream
   * is kept, else 0, to {@code out[i]}, for i in [lo, hi).
   *
   * @param seed the key
   * @param offset the counter of element 0
   * @param threshold {@link #threshold threshold(p)}
   * @param kept the value of a kept element: 1, or the scale 1 / (1 - p)
   * @param firstElement the element that goes to {@code out[lo]}, at least 0
   */
  public static void fillMask(
      long seed,
      long offset,
      int threshold,
      float kept,
      long firstElement,
      float[] out,
      int lo,
      int hi) {
    int[] words = new int[WORDS];
    long element = firstElement;
    int i = lo;
    while (i < hi) {
      block(seed, offset + element / WORDS, words);
      for (int w = (int) (element % WORDS); w < WORDS && i < hi; w++, i++, element++) {
        out[i] = keeps(words[w], threshold) ? kept : 0f;
      }
    }
  }

  /**
   * Writes a float64 dropout mask; see {@link #fillMask(long, long, int, float, long, float[], int,
   * int)}.
   */
  public static void fillMask(
      long seed,
      long offset,
      int threshold,
      double kept,
      long firstElement,
      double[] out,
      int lo,
      int hi) {
    int[] words = new int[WORDS];
    long element = firstElement;
    int i = lo;
    while (i < hi) {
      block(seed, offset + element / WORDS, words);
      for (int w = (int) (element % WORDS); w < WORDS && i < hi; w++, i++, element++) {
        out[i] = keeps(words[w], threshold) ? kept : 0;
      }
    }
  }
}
