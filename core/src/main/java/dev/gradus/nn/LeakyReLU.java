package dev.gradus.nn;

import dev.gradus.tensor.Tensor;

/** {@code x > 0 ? x : slope * x}, element by element. */
public final class LeakyReLU extends Module {
  private final double slope;

  /** The activation with slope 0.01. */
  public LeakyReLU() {
    this(0.01);
  }

  /** The activation with a slope for negative values. */
  public LeakyReLU(double slope) {
    if (Double.isNaN(slope)) {
      throw new IllegalArgumentException("LeakyReLU slope must be a number but is NaN");
    }
    this.slope = slope;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.leakyRelu(slope);
  }

  @Override
  protected String describe() {
    return "negative_slope=" + ModulePrinter.number(slope);
  }
}
