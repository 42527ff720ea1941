package dev.gradus.tensor;

import dev.gradus.spi.Storage;
import org.jspecify.annotations.Nullable;

/**
 * The memory behind one or more tensors: a storage, how many tensors use it, and how often it was
 * changed.
 */
final class Buffer {
  /*
   * Version and id range tell about the values, which have no lock either: whoever writes into a
   * tensor that other threads read has to order both by means of his own.
   */

  private final Memory memory;
  private final Storage storage;

  /** The tensors that use it. For its memory. */
  int users = 1;

  /** Its count while it lives by reference. For its memory. */
  Memory.@Nullable Watch watch;

  private int version;
  private @Nullable IdRange idRange;

  Buffer(Memory memory, Storage storage) {
    this.memory = memory;
    this.storage = storage;
  }

  Storage storage() {
    return storage;
  }

  /**
   * How often it was written in place; what backward needs must not have changed since it was
   * recorded.
   */
  int version() {
    return version;
  }

  /** Goes on counting where a buffer that this one replaces stopped. */
  void version(int version) {
    this.version = version;
  }

  void changed() {
    version++;
    idRange = null;
  }

  /** The range of the ids in it; null where it is not known. */
  @Nullable IdRange idRange() {
    return idRange;
  }

  void idRange(IdRange range) {
    idRange = range;
  }

  /** One more tensor uses it. */
  void share() {
    memory.share(this);
  }

  /** One tensor less; the last one gives the storage back. */
  void release() {
    memory.release(this);
  }

  /** From now on it lives as long as it is referenced, and is counted as such. */
  void ownedByReferences() {
    memory.watch(this);
  }
}
