package dev.gradus.backend.cuda;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;

/**
 * A storage on a device: an address and its elements, padded to {@link DeviceMemory#PADDING}. When
 * nobody references it any more its memory is given to others, so whoever hands its address to the
 * driver keeps it reachable until the driver has it.
 */
final class CudaStorage implements Storage {
  private final DType dtype;
  private final long numel;
  private final DeviceMemory.Use use;

  /**
   * A storage.
   *
   * @param memory gives the memory, and takes it back when the storage is not reachable
   */
  CudaStorage(DType dtype, long numel, DeviceMemory memory) {
    this.dtype = dtype;
    this.numel = numel;
    this.use = memory.use(this, Math.multiplyExact(numel, dtype.bytes()));
  }

  static CudaStorage of(Storage storage) {
    return (CudaStorage) storage;
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  @Override
  public long numel() {
    return numel;
  }

  DeviceMemory.Use use() {
    return use;
  }

  long address() {
    return use.block().address();
  }

  /** The bytes of its elements. */
  long bytes() {
    return numel * dtype.bytes();
  }
}
