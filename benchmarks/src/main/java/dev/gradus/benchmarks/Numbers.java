package dev.gradus.benchmarks;

import java.util.SplittableRandom;

/** Numbers to compute with: equal for equal seeds. */
final class Numbers {
  private Numbers() {}

  static float[] uniform(int n, long seed, float from, float to) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      // Away from 0, where Adam's step depends on eps more than on the gradient.
      float x = (random.nextInt() >>> 8 | 1) * 0x1p-24f;
      values[i] = from + (to - from) * x;
    }
    return values;
  }

  static long[] ids(int n, long seed, int bound) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] ids = new long[n];
    for (int i = 0; i < n; i++) {
      ids[i] = random.nextInt(bound);
    }
    return ids;
  }
}
