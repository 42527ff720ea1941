package dev.gradus.testing;

import dev.gradus.types.DType;
import java.util.SplittableRandom;

/** Operands for the contract: the same in every run. */
final class Values {
  /** The sizes at which vectorised loops and blocks begin, end, and have a rest. */
  static final int[] SIZES = {0, 1, 3, 7, 64, 257, 4097};

  static final DType[] FLOATING = {DType.F32, DType.F64};

  private static final double[] SPECIAL = {
    0,
    -0.0,
    1,
    -1,
    0.5,
    -2,
    1e-7,
    20,
    -20,
    88.7,
    -87.3,
    104,
    -104,
    709,
    -745,
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY
  };

  private Values() {}

  /** About normal with this deviation, rounded to float so that F32 and F64 hold the same. */
  static double[] normal(long seed, int n, double deviation) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] v = new double[n];
    for (int i = 0; i < n; i++) {
      double sum = -6;
      for (int j = 0; j < 12; j++) {
        sum += random.nextDouble();
      }
      v[i] = (float) (sum * deviation);
    }
    return v;
  }

  /** Normal values with every kind of special one among them: NaN, infinities, subnormals. */
  static double[] mixed(long seed, int n, DType dtype) {
    boolean single = dtype == DType.F32;
    double[] extreme = {
      single ? Float.MIN_VALUE : Double.MIN_VALUE,
      single ? -1e-40 : -1e-310,
      Tolerance.smallestNormal(dtype),
      single ? Float.MAX_VALUE : Double.MAX_VALUE,
      single ? -Float.MAX_VALUE : -Double.MAX_VALUE
    };
    double[] v = normal(seed, n, 3);
    SplittableRandom random = new SplittableRandom(~seed);
    for (int i = 0; i < n; i++) {
      int k = random.nextInt(2 * (SPECIAL.length + extreme.length));
      if (k < SPECIAL.length) {
        v[i] = SPECIAL[k];
      } else if (k < SPECIAL.length + extreme.length) {
        v[i] = extreme[k - SPECIAL.length];
      }
      v[i] = single ? (float) v[i] : v[i];
    }
    return v;
  }

  /** Normal values with zeros, infinities and NaN among them, without subnormal or huge ones. */
  static double[] tame(long seed, int n) {
    double[] v = normal(seed, n, 2);
    double[] some = {0, -0.0, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
    SplittableRandom random = new SplittableRandom(~seed);
    for (int i = 0; i < n; i++) {
      int k = random.nextInt(20);
      v[i] = k < some.length ? some[k] : v[i];
    }
    return v;
  }

  /** Values for any type: mixed floats, integers on both sides of 0, or truth values. */
  static double[] any(long seed, int n, DType dtype) {
    return dtype.isFloating() ? mixed(seed, n, dtype) : integers(seed, n, dtype == DType.BOOL);
  }

  private static double[] integers(long seed, int n, boolean bits) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] v = new double[n];
    for (int i = 0; i < n; i++) {
      v[i] = bits ? random.nextInt(2) : random.nextInt(-9, 10);
    }
    return v;
  }

  /** Ids in {@code [0, bound)}, with repetitions. */
  static long[] ids(long seed, int n, int bound) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] ids = new long[n];
    for (int i = 0; i < n; i++) {
      ids[i] = random.nextInt(bound);
    }
    return ids;
  }

  static double[] abs(double[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = Math.abs(x[i]);
    }
    return y;
  }
}
