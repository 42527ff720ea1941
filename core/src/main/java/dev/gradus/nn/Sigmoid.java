package dev.gradus.nn;

import dev.gradus.tensor.Tensor;

/** {@code 1 / (1 + e^-x)}, element by element. */
public final class Sigmoid extends Module {

  /** The activation. */
  public Sigmoid() {}

  @Override
  public Tensor forward(Tensor x) {
    return x.sigmoid();
  }
}
