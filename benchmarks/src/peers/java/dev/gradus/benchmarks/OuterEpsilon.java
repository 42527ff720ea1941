package dev.gradus.benchmarks;

/**
 * Adam as the end of its paper's section 2 orders it, which DJL and ND4J compute: both corrections
 * go into the step, so that epsilon is added to the root of the uncorrected mean square.
 */
final class OuterEpsilon {
  private static final double TOLERANCE = 1e-6;

  private OuterEpsilon() {}

  /** Refuses a tensor that is not what {@link AdamValues#STEPS} steps make of it. */
  static void verify(AdamVariant variant, int tensor, float[] values) {
    float[] initial = AdamValues.parameters(tensor, values.length);
    float[] grads = AdamValues.gradients(tensor, values.length);
    Verify.close(
        variant + ", tensor " + tensor,
        values,
        i -> after(variant, initial[i], grads[i]),
        TOLERANCE);
  }

  private static double after(AdamVariant variant, double initial, double grad) {
    double theta = initial;
    double m = 0;
    double v = 0;
    for (int t = 1; t <= AdamValues.STEPS; t++) {
      theta *= 1 - AdamVariant.LR * variant.weightDecay();
      m = AdamVariant.BETA1 * m + (1 - AdamVariant.BETA1) * grad;
      // Of a gradient that stays the same it only grows, so it is its greatest too.
      v = AdamVariant.BETA2 * v + (1 - AdamVariant.BETA2) * grad * grad;
      double root = Math.sqrt(1 - Math.pow(AdamVariant.BETA2, t));
      double step = AdamVariant.LR * root / (1 - Math.pow(AdamVariant.BETA1, t));
      theta -= step * m / (Math.sqrt(v) + AdamVariant.EPS);
    }
    return theta;
  }
}
