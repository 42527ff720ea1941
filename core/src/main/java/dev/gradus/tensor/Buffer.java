package dev.gradus.tensor;

import dev.gradus.spi.Storage;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
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

  private static final AtomicIntegerFieldUpdater<Buffer> USERS =
      AtomicIntegerFieldUpdater.newUpdater(Buffer.class, "users");

  private final Memory memory;
  private final Storage storage;

  /** The tensors that use it, but for one. */
  @SuppressWarnings({"FieldMayBeFinal", "UnusedVariable"}) // read and written by USERS
  private volatile int users;

  private int version;
  private @Nullable IdRange idRange;
  private volatile Memory.@Nullable Watch watch;

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
    USERS.incrementAndGet(this);
  }

  /** One tensor less; the last one gives the storage back. */
  void release() {
    // One that two threads release at once goes below: only the first of them gives it back.
    if (USERS.getAndDecrement(this) == 0) {
      Memory.Watch w = watch;
      if (w != null) {
        memory.unwatch(w);
      }
      memory.recycle(storage);
    }
  }

  /** From now on it lives as long as it is referenced, and is counted as such. */
  synchronized void ownedByReferences() {
    if (watch == null) {
      watch = memory.watch(this);
    }
  }
}
