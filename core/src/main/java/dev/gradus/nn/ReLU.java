package dev.gradus.nn;

import dev.gradus.tensor.Tensor;

/** {@code max(x, 0)}, element by element. */
public final class ReLU extends Module {

  /** The activation. */
  public ReLU() {}

  @Override
  public Tensor forward(Tensor x) {
    return x.relu();
  }
}
