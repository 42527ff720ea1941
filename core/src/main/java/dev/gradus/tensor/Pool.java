package dev.gradus.tensor;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Free storages by type and size. For one thread at a time. */
final class Pool {
  /*
   * Every tensor of a step takes a storage from here and gives it back: a map with keys, nodes and
   * an order of access to keep costs more than all else that a small tensor needs.
   */

  /** The bits of a bucket's number. */
  private static final int BITS = 10;

  /** 2^64 over the golden ratio: spreads sizes that are multiples of each other. */
  private static final long SPREAD = 0x9E3779B97F4A7C15L;

  private final @Nullable Bin[] buckets = new @Nullable Bin[1 << BITS];
  private int sizes;
  private long uses;
  private long bytes;

  /** The free storages of one type and size; what was given back last is taken first. */
  private static final class Bin {
    final DType dtype;
    final long numel;
    final ArrayDeque<Storage> free = new ArrayDeque<>();
    @Nullable Bin next;
    long lastUse;

    Bin(DType dtype, long numel) {
      this.dtype = dtype;
      this.numel = numel;
    }

    long storageBytes() {
      return numel * dtype.bytes();
    }
  }

  /** The bytes of all that is in it. */
  long bytes() {
    return bytes;
  }

  /** The number of sizes that it tells apart. */
  int sizes() {
    return sizes;
  }

  /** Takes a storage out; null if there is none of that type and size. */
  @Nullable Storage take(DType dtype, long numel) {
    Bin bin = find(dtype, numel);
    if (bin == null || bin.free.isEmpty()) {
      return null;
    }
    bin.lastUse = ++uses;
    bytes -= bin.storageBytes();
    return bin.free.removeLast();
  }

  /** Puts a storage in. */
  void put(Storage storage) {
    Bin bin = find(storage.dtype(), storage.numel());
    if (bin == null) {
      bin = new Bin(storage.dtype(), storage.numel());
      int b = bucket(bin.dtype, bin.numel);
      bin.next = buckets[b];
      buckets[b] = bin;
      sizes++;
    }
    bin.lastUse = ++uses;
    bin.free.addLast(storage);
    bytes += bin.storageBytes();
  }

  /**
   * Gives the sizes longest without use to {@code free} until what is left is within both limits.
   */
  void shrink(long mostBytes, int mostSizes, Consumer<Storage> free) {
    while (bytes > mostBytes || sizes > mostSizes) {
      Bin oldest = oldest();
      while (!oldest.free.isEmpty() && (bytes > mostBytes || sizes > mostSizes)) {
        bytes -= oldest.storageBytes();
        free.accept(oldest.free.removeFirst());
      }
      if (oldest.free.isEmpty()) {
        remove(oldest);
      }
    }
  }

  private Bin oldest() {
    Bin oldest = null;
    for (Bin first : buckets) {
      for (Bin b = first; b != null; b = b.next) {
        oldest = oldest == null || b.lastUse < oldest.lastUse ? b : oldest;
      }
    }
    if (oldest == null) {
      throw new IllegalStateException("pool: over its limits though it is empty");
    }
    return oldest;
  }

  private void remove(Bin bin) {
    int b = bucket(bin.dtype, bin.numel);
    Bin at = buckets[b];
    if (at == bin) {
      buckets[b] = bin.next;
    }
    for (; at != null; at = at.next) {
      if (at.next == bin) {
        at.next = bin.next;
      }
    }
    sizes--;
  }

  private @Nullable Bin find(DType dtype, long numel) {
    Bin bin = buckets[bucket(dtype, numel)];
    while (bin != null && (bin.numel != numel || bin.dtype != dtype)) {
      bin = bin.next;
    }
    return bin;
  }

  private static int bucket(DType dtype, long numel) {
    return (int) ((((numel << 4) + dtype.bytes()) * SPREAD) >>> (Long.SIZE - BITS));
  }
}
