package dev.gradus.nn;

import dev.gradus.tensor.Tensor;

/** {@code e^x / sum(e^x)} along a dimension. */
public final class Softmax extends Module {
  private final int dim;

  /**
   * Softmax along a dimension.
   *
   * @param dim from 0, or from -1 backwards
   */
  public Softmax(int dim) {
    this.dim = dim;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.softmax(dim);
  }

  @Override
  protected String describe() {
    return "dim=" + dim;
  }
}
