package dev.gradus.tensor;

/**
 * The MT19937 engine of Matsumoto and Nishimura (ACM TOMACS 8, 1998), seeded as by {@code
 * init_genrand} of their 2002 code. Not thread-safe.
 */
final class MersenneTwister {

  /** The number of 32-bit words that the engine holds. */
  static final int WORDS = 624;

  private static final int SHIFT = 397;
  private static final int UPPER_BIT = 0x80000000;
  private static final int LOWER_BITS = 0x7fffffff;
  private static final int MATRIX = 0x9908b0df;

  private final int[] words = new int[WORDS];
  private int position;

  /** Starts the stream of a seed, of which only the low 32 bits count. */
  void seed(long seed) {
    words[0] = (int) seed;
    for (int j = 1; j < WORDS; j++) {
      words[j] = 1812433253 * (words[j - 1] ^ (words[j - 1] >>> 30)) + j;
    }
    position = WORDS;
  }

  /** The next 32-bit word. */
  int next() {
    if (position == WORDS) {
      twist();
    }
    int y = words[position++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return y ^ (y >>> 18);
  }

  private void twist() {
    for (int k = 0; k < WORDS; k++) {
      int y = (words[k] & UPPER_BIT) | (words[(k + 1) % WORDS] & LOWER_BITS);
      words[k] = words[(k + SHIFT) % WORDS] ^ (y >>> 1) ^ (-(y & 1) & MATRIX);
    }
    position = 0;
  }

  /** A copy of the words. */
  int[] words() {
    return words.clone();
  }

  /**
   * How many of the words are used: the next draw takes this one, or renews all of them when it is
   * {@link #WORDS}.
   */
  int position() {
    return position;
  }

  /** Continues from words and a position taken from another engine. */
  void restore(int[] savedWords, int savedPosition) {
    System.arraycopy(savedWords, 0, words, 0, WORDS);
    position = savedPosition;
  }
}
