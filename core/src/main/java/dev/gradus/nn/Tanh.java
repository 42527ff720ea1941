package dev.gradus.nn;

import dev.gradus.tensor.Tensor;

/** The hyperbolic tangent, element by element. */
public final class Tanh extends Module {

  /** The activation. */
  public Tanh() {}

  @Override
  public Tensor forward(Tensor x) {
    return x.tanh();
  }
}
