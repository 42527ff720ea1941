package dev.gradus.nn;

import dev.gradus.tensor.Tensor;

/** {@code ln(1 + e^(beta x)) / beta}, element by element: a smooth ReLU. */
public final class Softplus extends Module {
  private final double beta;
  private final double threshold;

  /** The activation with beta 1 and threshold 20. */
  public Softplus() {
    this(1, 20);
  }

  /**
   * The activation.
   *
   * @param beta the sharpness, greater than 0
   * @param threshold where {@code beta x} is greater, the result is x
   */
  public Softplus(double beta, double threshold) {
    if (!(beta > 0)) {
      throw new IllegalArgumentException("Softplus beta must be > 0 but is " + beta);
    }
    if (Double.isNaN(threshold)) {
      throw new IllegalArgumentException("Softplus threshold must be a number but is NaN");
    }
    this.beta = beta;
    this.threshold = threshold;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.softplus(beta, threshold);
  }

  @Override
  protected String describe() {
    return "beta=" + ModulePrinter.number(beta) + ", threshold=" + ModulePrinter.number(threshold);
  }
}
