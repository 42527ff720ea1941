package dev.gradus.tensor;

import dev.gradus.spi.Storage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The memory behind one or more tensors: a storage, how many tensors use it, and how often it was
 * changed.
 */
final class Buffer {
  private final Memory memory;
  private final Storage storage;
  private final AtomicInteger users = new AtomicInteger(1);
  private int version;
  private @Nullable IdRange idRange;
  private Memory.@Nullable Watch watch;

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
  synchronized int version() {
    return version;
  }

  /** Goes on counting where a buffer that this one replaces stopped. */
  synchronized void version(int version) {
    this.version = version;
  }

  synchronized void changed() {
    version++;
    idRange = null;
  }

  /** The range of the ids in it; null where it is not known. */
  synchronized @Nullable IdRange idRange() {
    return idRange;
  }

  synchronized void idRange(IdRange range) {
    idRange = range;
  }

  /** One more tensor uses it. */
  void share() {
    users.incrementAndGet();
  }

  /** One tensor less; the last one gives the storage back. */
  void release() {
    if (users.decrementAndGet() == 0) {
      Memory.Watch w = watch();
      if (w != null) {
        memory.unwatch(w);
      }
      memory.recycle(storage);
    }
  }

  private synchronized Memory.@Nullable Watch watch() {
    return watch;
  }

  /** From now on it lives as long as it is referenced, and is counted as such. */
  synchronized void ownedByReferences() {
    if (watch == null) {
      watch = memory.watch(this);
    }
  }
}
