package dev.gradus.backend.cuda;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One launch: its parameters, put one after the other in the order of the kernel's list, then the
 * kernel. They go straight into native memory, laid out as the driver takes them:
 *
 * <pre>
 *  0  1, address of the parameters, 2, address of their size, 0   what `extra` of a launch points to
 * 40  size of the parameters
 * 48  the parameters, each at a multiple of its size
 * </pre>
 *
 * so that a launch costs the same for any number of them. {@link CudaDevice#launch} hands one out;
 * {@link #run} ends its use, since the driver has copied the parameters when it returns.
 */
final class LaunchBlock {
  /** The memory of one block: the driver takes at most 4 KiB of parameters, kernels here less. */
  static final int BYTES = 1024;

  private static final int BUFFER_POINTER = 1;
  private static final int BUFFER_SIZE = 2;
  private static final int END = 0;
  private static final int SIZE_AT = 40;
  private static final int PARAMETERS_AT = 48;
  private static final int MOST_STORAGES = 8;

  private final CudaDevice device;
  private final ByteBuffer memory;
  private final Cu.HostPointer extra;
  private final @Nullable Storage[] held = new @Nullable Storage[MOST_STORAGES];
  private int holds;
  private int end = PARAMETERS_AT;

  /**
   * A block.
   *
   * @param memory BYTES of pinned memory
   * @param address where they begin
   */
  LaunchBlock(CudaDevice device, ByteBuffer memory, long address) {
    this.device = device;
    this.memory = memory;
    this.extra = new Cu.HostPointer(address);
    memory.putLong(0, BUFFER_POINTER);
    memory.putLong(8, address + PARAMETERS_AT);
    memory.putLong(16, BUFFER_SIZE);
    memory.putLong(24, address + SIZE_AT);
    memory.putLong(32, END);
  }

  private int place(int size) {
    int at = (end + size - 1) & -size;
    end = at + size;
    return at;
  }

  /** The address of a storage's elements. The storage stays reachable until the launch. */
  LaunchBlock put(Storage storage) {
    return put(storage, 0);
  }

  /** The address of an element of a storage. */
  LaunchBlock put(Storage storage, long element) {
    held[holds++] = storage;
    return put(CudaStorage.of(storage).address() + element * storage.dtype().bytes());
  }

  /** Lets go of the storages, when the driver has the launch. */
  void release() {
    while (holds > 0) {
      held[--holds] = null;
    }
  }

  /** An address, or a 64-bit number. */
  LaunchBlock put(long value) {
    memory.putLong(place(Long.BYTES), value);
    return this;
  }

  /** A 32-bit number. */
  LaunchBlock put(int value) {
    memory.putInt(place(Integer.BYTES), value);
    return this;
  }

  /** A number of type double. */
  LaunchBlock put(double value) {
    memory.putDouble(place(Double.BYTES), value);
    return this;
  }

  /** A number rounded to a type, which the kernel takes it in. */
  LaunchBlock put(DType dtype, double value) {
    return switch (dtype) {
      case F32 -> {
        memory.putFloat(place(Float.BYTES), (float) value);
        yield this;
      }
      case F64 -> put(value);
      case I64 -> put((long) value);
      case BOOL -> throw new IllegalArgumentException("no kernel takes a truth value");
    };
  }

  /** Starts a kernel on a line of blocks. */
  void run(Kernel kernel, long blocks, int threads) {
    run(kernel, blocks, 1, threads, 1, 0);
  }

  /** Starts a kernel on a line of blocks, each with so many bytes of shared memory. */
  void run(Kernel kernel, long blocks, int threads, int shared) {
    run(kernel, blocks, 1, threads, 1, shared);
  }

  /**
   * Starts a kernel.
   *
   * @param blocks in the first direction
   * @param blocksY in the second
   * @param threads of a block in the first direction
   * @param threadsY in the second
   */
  void run(Kernel kernel, long blocks, int blocksY, int threads, int threadsY) {
    run(kernel, blocks, blocksY, threads, threadsY, 0);
  }

  private void run(Kernel kernel, long blocks, int blocksY, int threads, int threadsY, int shared) {
    memory.putLong(SIZE_AT, end - PARAMETERS_AT);
    end = PARAMETERS_AT;
    device.run(kernel, Math.toIntExact(blocks), blocksY, threads, threadsY, shared, this, extra);
  }
}
