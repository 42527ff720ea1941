package dev.gradus.optim;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;

/**
 * A buffer in an optimizer's state: values in memory, or values that are still in a file and are
 * read when an optimizer takes them over.
 */
public interface StateBuffer {
  /** The type of its values. */
  DType dtype();

  /** Its shape. */
  Shape shape();

  /**
   * Overwrites a tensor with its values.
   *
   * @param target of this shape and type, on any device
   * @throws java.io.UncheckedIOException if the values cannot be read
   */
  void copyInto(Tensor target);

  /** A copy of its values on a device, born into the scope that is open on this thread. */
  default Tensor on(Device device) {
    Tensor copy = device.zeros(dtype(), shape().toArray());
    copyInto(copy);
    return copy;
  }

  /**
   * The values of a tensor, as they are when they are asked for.
   *
   * @param values the tensor, not a copy
   */
  record InMemory(Tensor values) implements StateBuffer {
    @Override
    public DType dtype() {
      return values.dtype();
    }

    @Override
    public Shape shape() {
      return values.shape();
    }

    @Override
    @SuppressWarnings("try") // the block is open for its effect
    public void copyInto(Tensor target) {
      try (NoGrad off = NoGrad.open()) {
        target.copyFrom(values);
      }
    }
  }
}
