package dev.gradus.nn;

import dev.gradus.tensor.Tensor;

/** A range of dimensions made one. */
public final class Flatten extends Module {
  private final int startDim;
  private final int endDim;

  /** All dimensions but the first made one: {@code [batch, …]} to {@code [batch, features]}. */
  public Flatten() {
    this(1, -1);
  }

  /** Dimensions {@code startDim} to {@code endDim}, both inclusive, made one. */
  public Flatten(int startDim, int endDim) {
    this.startDim = startDim;
    this.endDim = endDim;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.flatten(startDim, endDim);
  }

  @Override
  protected String describe() {
    return "start_dim=" + startDim + ", end_dim=" + endDim;
  }
}
