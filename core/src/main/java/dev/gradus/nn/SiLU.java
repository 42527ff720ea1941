package dev.gradus.nn;

import dev.gradus.tensor.Tensor;

/** {@code x sigmoid(x)}, element by element. */
public final class SiLU extends Module {

  /** The activation. */
  public SiLU() {}

  @Override
  public Tensor forward(Tensor x) {
    return x.silu();
  }
}
