package dev.gradus.benchmarks;

/** The products of a layer: forward, and the two that its backward uses. */
public enum GemmForm {
  /** A B: forward. */
  PLAIN(false, false),
  /** A^T B: the gradient of the second factor. */
  A_TRANSPOSED(true, false),
  /** A B^T: the gradient of the first factor. */
  B_TRANSPOSED(false, true);

  private final boolean a;
  private final boolean b;

  GemmForm(boolean a, boolean b) {
    this.a = a;
    this.b = b;
  }

  boolean transposesA() {
    return a;
  }

  boolean transposesB() {
    return b;
  }

  /** Refuses a product of n × n matrices that differs from one computed in double. */
  void verify(int n, float[] a, float[] b, float[] c) {
    Verify.close(
        "product of n = " + n + ", " + this,
        c,
        at -> {
          int i = at / n;
          int j = at % n;
          double sum = 0;
          for (int k = 0; k < n; k++) {
            double x = this.a ? a[k * n + i] : a[i * n + k];
            sum += x * (this.b ? b[j * n + k] : b[k * n + j]);
          }
          return sum;
        },
        // n roundings of partial sums of at most sqrt(n), each by 6e-8 of it; four times that.
        4 * 6e-8 * n * Math.sqrt(n));
  }
}
