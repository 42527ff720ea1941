package dev.gradus.nn;

import dev.gradus.tensor.Tensor;

/**
 * In training, zeroes elements with probability p and scales the others by {@code 1 / (1 - p)}; in
 * evaluation, passes them on. The mask comes from the stream of the input's device.
 */
public final class Dropout extends Module {
  private final double p;

  /** Dropout with p = 0.5. */
  public Dropout() {
    this(0.5);
  }

  /**
   * Dropout.
   *
   * @param p the probability of a zero, in [0, 1]
   */
  public Dropout(double p) {
    this.p = requireProbability("Dropout p", p);
  }

  static double requireProbability(String what, double p) {
    if (!(p >= 0 && p <= 1)) {
      throw new IllegalArgumentException(what + " must be in [0, 1] but is " + p);
    }
    return p;
  }

  @Override
  public Tensor forward(Tensor x) {
    return isTraining() && p > 0 ? x.dropout(p) : x;
  }

  @Override
  protected String describe() {
    return "p=" + ModulePrinter.number(p) + ", inplace=False";
  }
}
