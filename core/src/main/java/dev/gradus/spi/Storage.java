package dev.gradus.spi;

import dev.gradus.types.DType;

/**
 * A block of elements on a device, contiguous and without a shape. Only the backend that made it
 * knows what is behind it.
 */
public interface Storage {
  /** The type of the elements. */
  DType dtype();

  /** The number of elements. */
  long numel();
}
