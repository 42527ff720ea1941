package dev.gradus.nn;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;

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

  /** Moves the values to a device, or does nothing if they are there. */
  @SuppressWarnings("try") // the block is open for its effect
  void moveTo(Device device) {
    if (device != device()) {
      try (NoGrad off = NoGrad.open();
          Tensor there = to(device)) {
        become(there);
      }
    }
  }

  /** Converts the values to a type, or does nothing if they have it. */
  @SuppressWarnings("try") // the block is open for its effect
  void convertTo(DType dtype) {
    if (dtype != dtype()) {
      try (NoGrad off = NoGrad.open();
          Tensor converted = to(dtype)) {
        become(converted);
      }
    }
  }

  /** The values as PyTorch prints a parameter. Waits for the device. */
  @Override
  public String toString() {
    return "Parameter containing:\n" + super.toString();
  }
}
