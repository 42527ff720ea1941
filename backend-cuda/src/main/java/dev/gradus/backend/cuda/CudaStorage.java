package dev.gradus.backend.cuda;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;

/**
 * A storage on a device: an address and its elements, padded to {@link DeviceMemory#PADDING}.
 *
 * @param block the memory that it takes; of an empty storage one without bytes
 */
record CudaStorage(DType dtype, long numel, DeviceMemory.Block block) implements Storage {

  static CudaStorage of(Storage storage) {
    return (CudaStorage) storage;
  }

  long address() {
    return block.address();
  }

  /** The bytes of its elements. */
  long bytes() {
    return numel * dtype.bytes();
  }

  // A storage is what it is, not what it holds.
  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
