package dev.gradus.nn;

import dev.gradus.tensor.CapturedStep;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Tensor;

/**
 * A tensor that is trained: a leaf that requires a gradient and lives as long as it is referenced,
 * never in a scope. It stays the same object when its module moves to another device or type.
 */
public final class Parameter extends Tensor {

  /**
   * A parameter with a copy of these values.
   *
   * @param initial float32 or float64
   */
  public Parameter(Tensor initial) {
    super(initial);
    requiresGrad(true);
  }

  @Override
  public Parameter requiresGrad(boolean required) {
    if (required != requiresGrad()) {
      CapturedStep.recordAnew();
    }
    super.requiresGrad(required);
    return this;
  }

  /**
   * Overwrites the values, outside of autograd.
   *
   * @param values of the same shape and type, from any device
   */
  @SuppressWarnings("try") // the block is open for its effect
  public void assign(Tensor values) {
    try (NoGrad off = NoGrad.open()) {
      copyFrom(values);
    }
  }

  /** Holds what another tensor holds from now on, its device and type included. */
  void take(Tensor values) {
    become(values);
    CapturedStep.recordAnew();
  }

  /** The values as PyTorch prints a parameter. Waits for the device. */
  @Override
  public String toString() {
    return "Parameter containing:\n" + super.toString();
  }
}
