package dev.gradus.examples.parity;

import dev.gradus.types.DType;

/** How one parameter of a replay moves away from its recorded values, step by step. */
final class Drift {
  private final DType dtype;

  /** The difference of each element after the last step. */
  private final double[] apart;

  /** The greatest finite magnitude that was recorded so far. */
  private double greatest;

  /** A parameter that starts at the recorded values. */
  Drift(DType dtype, double[] initial) {
    this.dtype = dtype;
    this.apart = new double[initial.length];
    look(initial);
  }

  private void look(double[] recorded) {
    for (double x : recorded) {
      double size = Math.abs(x);
      if (size > greatest && size != Double.POSITIVE_INFINITY) {
        greatest = size;
      }
    }
  }

  /**
   * Compares the values after a step.
   *
   * @param tolerance what a step may add, as a part of the greatest magnitude so far
   */
  Comparison.Row step(
      int number, String name, double[] values, double[] recorded, double tolerance) {
    look(recorded);
    double added = 0;
    for (int i = 0; i < apart.length; i++) {
      double d = Difference.between(values[i], recorded[i]);
      added = Math.max(added, Math.abs(Double.isInfinite(d) ? d : d - apart[i]));
      apart[i] = d;
    }
    Difference difference = Difference.of(dtype, values, recorded);
    return new Comparison.Row(number, name, difference, added, tolerance * greatest);
  }
}
