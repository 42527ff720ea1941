package dev.gradus.benchmarks;

/** The updates that are measured. */
public enum AdamVariant {
  /** Adam without decay. */
  ADAM(false, 0, 28),
  /** Decoupled weight decay of 0.01. */
  ADAMW(true, 0.01, 28),
  /** The greatest mean square so far. */
  AMSGRAD(false, 0, 36);

  static final double LR = 1e-3;
  static final double BETA1 = 0.9;
  static final double BETA2 = 0.999;
  static final double EPS = 1e-8;

  private final boolean decoupled;
  private final double weightDecay;
  private final int bytes;

  AdamVariant(boolean decoupled, double weightDecay, int bytes) {
    this.decoupled = decoupled;
    this.weightDecay = weightDecay;
    this.bytes = bytes;
  }

  boolean decoupled() {
    return decoupled;
  }

  double weightDecay() {
    return weightDecay;
  }

  boolean amsgrad() {
    return this == AMSGRAD;
  }

  /**
   * The bytes that a step must move for each value: gradient read, parameter and states read and
   * written.
   */
  int bytesPerValue() {
    return bytes;
  }

  /**
   * A value after steps with the same gradient, in double and one line a rule: what every path must
   * come to.
   */
  double after(int steps, double initial, double grad) {
    double theta = initial;
    double m = 0;
    double v = 0;
    double max = 0;
    for (int t = 1; t <= steps; t++) {
      theta *= 1 - LR * weightDecay;
      m = BETA1 * m + (1 - BETA1) * grad;
      v = BETA2 * v + (1 - BETA2) * grad * grad;
      max = Math.max(max, v);
      double square = (amsgrad() ? max : v) / (1 - Math.pow(BETA2, t));
      theta -= LR * m / (1 - Math.pow(BETA1, t)) / (Math.sqrt(square) + EPS);
    }
    return theta;
  }
}
