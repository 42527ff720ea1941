package dev.gradus.backend.cuda;

import dev.gradus.spi.DeviceMemoryException;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A device's memory. The driver is slow to give memory and stops the device for it, so a block that
 * is freed is kept for the next one of its size class. One stream computes, so a block may be
 * handed on while work on it is still to come: what comes later runs later.
 *
 * <p>Small blocks are cut from slabs. An address stays the same for a block's life.
 */
final class DeviceMemory {
  /** To what multiple of bytes the memory of a storage reaches at least. */
  static final long PADDING = 64;

  private static final long SMALLEST = 512;
  private static final long SMALL = 256 << 10;
  private static final long SLAB = 2 << 20;
  private static final long LARGE = 64 << 20;

  /** Steps of the size classes between two powers of two, as a power of two. */
  private static final int STEPS = 3;

  private static final Block EMPTY = new Block(0, 0);

  private final CudaSettings settings;
  private final Status status;
  private final Map<Long, ArrayDeque<Block>> free = new HashMap<>();
  private final Map<Long, Integer> live = new HashMap<>();
  private final Map<Long, Long> owned = new HashMap<>();
  private final Set<Use> uses = new HashSet<>();
  private final ReferenceQueue<CudaStorage> unreachable = new ReferenceQueue<>();
  private final List<Kept> keepers = new ArrayList<>();
  private @Nullable Kept recording;
  private long slab;
  private long slabEnd;
  private long held;
  private long used;

  DeviceMemory(CudaSettings settings, Status status) {
    this.settings = settings;
    this.status = status;
  }

  /**
   * A piece of memory.
   *
   * @param address where it begins, at a multiple of 256
   * @param bytes its size class
   */
  record Block(long address, long bytes) {}

  /**
   * The memory of a recording: what was allocated or freed while it was made goes to nobody else.
   */
  static final class Kept {
    private final Map<Long, ArrayDeque<Block>> free = new HashMap<>();
    private final Set<Long> addresses = new HashSet<>();

    private void give(Block block) {
      addresses.add(block.address());
      free.computeIfAbsent(block.bytes(), size -> new ArrayDeque<>()).push(block);
    }
  }

  /** From now on memory is a recording's. */
  synchronized Kept beginRecording() {
    Kept kept = new Kept();
    keepers.add(kept);
    recording = kept;
    return kept;
  }

  /** Memory is everybody's again, but for what the recording got. */
  synchronized void endRecording() {
    recording = null;
  }

  /** Ends what a recording kept: its free memory is everybody's. */
  synchronized void release(Kept kept) {
    if (keepers.remove(kept)) {
      kept.free.values().forEach(blocks -> blocks.forEach(this::reuse));
    }
  }

  private @Nullable Kept keeperOf(Block block) {
    if (recording != null) {
      return recording;
    }
    for (Kept k : keepers) {
      if (k.addresses.contains(block.address())) {
        return k;
      }
    }
    return null;
  }

  /** The size class of some bytes: at most an eighth more, and of large ones less. */
  static long sizeClass(long bytes) {
    if (bytes > LARGE) {
      return up(bytes, SLAB);
    }
    long step = Long.highestOneBit(Math.max(bytes, 1)) >> STEPS;
    return up(bytes, Math.max(step, SMALLEST));
  }

  private static long up(long bytes, long multiple) {
    return (bytes + multiple - 1) / multiple * multiple;
  }

  /**
   * Gives memory; its content is undefined.
   *
   * @throws DeviceMemoryException if there is not enough even after what was kept is given back
   */
  synchronized Block allocate(long bytes) {
    if (bytes == 0) {
      return EMPTY;
    }
    long size = settings.caching() ? sizeClass(bytes) : up(bytes, PADDING);
    Kept to = recording;
    Block block = to == null ? null : poll(to.free, size);
    if (block == null) {
      block = poll(free, size);
    }
    if (block == null) {
      block = new Block(settings.caching() && size <= SMALL ? cut(size) : ask(size), size);
    }
    if (to != null) {
      to.addresses.add(block.address());
    }
    used += size;
    live.merge(size, 1, Integer::sum);
    return block;
  }

  /**
   * Memory for a storage, which it has until it gives it back or nobody references it any more.
   *
   * @param owner the storage
   */
  synchronized Use use(CudaStorage owner, long bytes) {
    for (Reference<?> lost = unreachable.poll(); lost != null; lost = unreachable.poll()) {
      free((Use) lost);
    }
    Use use = new Use(owner, unreachable, allocate(bytes));
    uses.add(use);
    return use;
  }

  /** Ends a use. Work that was asked for before may still be to come. */
  synchronized void free(Use use) {
    if (uses.remove(use)) {
      use.clear();
      free(use.block);
    }
  }

  /** A storage's block. */
  static final class Use extends PhantomReference<CudaStorage> {
    private final Block block;

    private Use(CudaStorage owner, ReferenceQueue<CudaStorage> queue, Block block) {
      super(owner, queue);
      this.block = block;
    }

    Block block() {
      return block;
    }
  }

  private static @Nullable Block poll(Map<Long, ArrayDeque<Block>> free, long size) {
    ArrayDeque<Block> blocks = free.get(size);
    return blocks == null ? null : blocks.poll();
  }

  private void free(Block block) {
    if (block.bytes() == 0) {
      return;
    }
    used -= block.bytes();
    live.merge(block.bytes(), -1, Integer::sum);
    Kept keeper = keeperOf(block);
    if (keeper != null) {
      keeper.give(block);
    } else {
      reuse(block);
    }
  }

  private void reuse(Block block) {
    if (settings.caching()) {
      free.computeIfAbsent(block.bytes(), size -> new ArrayDeque<>()).push(block);
    } else {
      giveBack(block.address());
    }
  }

  private long cut(long size) {
    if (slabEnd - slab < size) {
      slab = ask(SLAB);
      slabEnd = slab + SLAB;
    }
    long address = slab;
    slab += size;
    return address;
  }

  private long ask(long bytes) {
    long[] address = new long[1];
    int result = tryAsk(bytes, address);
    if (result == Cu.OUT_OF_MEMORY && recording == null) {
      trim();
      result = tryAsk(bytes, address);
    }
    if (result == Cu.OUT_OF_MEMORY) {
      throw new DeviceMemoryException(refusal(bytes));
    }
    status.check(result, "allocation of " + bytes + " bytes");
    held += bytes;
    owned.put(address[0], bytes);
    return address[0];
  }

  private int tryAsk(long bytes, long[] address) {
    return bytes > settings.memory() - held ? Cu.OUT_OF_MEMORY : Cu.alloc(bytes, address);
  }

  /** Gives the driver back what nobody uses, after the work that may still use it. */
  private void trim() {
    status.check(Cu.synchronizeContext(), "waiting for the device");
    for (ArrayDeque<Block> blocks : free.values()) {
      // Of one size, so all or none.
      while (!blocks.isEmpty() && blocks.element().bytes() > SMALL) {
        giveBack(blocks.pop().address());
      }
    }
  }

  private void giveBack(long address) {
    status.check(Cu.free(address), "freeing memory");
    held -= owned.remove(address);
  }

  private String refusal(long bytes) {
    long[] free = new long[1];
    long[] total = new long[1];
    String device =
        Cu.memory(free, total) == Cu.SUCCESS
            ? mebibytes(free[0]) + " of " + mebibytes(total[0]) + " are free on the device"
            : "what is free is unknown";
    return status.device()
        + ": no memory for "
        + mebibytes(bytes)
        + ": storages hold "
        + mebibytes(used)
        + ", "
        + mebibytes(held - used)
        + " are kept for others, "
        + device
        + (settings.memory() == Long.MAX_VALUE
            ? ""
            : ", " + CudaSettings.MEMORY + " allows " + mebibytes(settings.memory()))
        + greatest();
  }

  /** The size classes that take most. */
  private String greatest() {
    List<Map.Entry<Long, Integer>> classes = new ArrayList<>(live.entrySet());
    classes.removeIf(e -> e.getValue() == 0);
    classes.sort((x, y) -> Long.compare(y.getKey() * y.getValue(), x.getKey() * x.getValue()));
    StringBuilder s = new StringBuilder();
    for (Map.Entry<Long, Integer> e : classes.subList(0, Math.min(3, classes.size()))) {
      s.append(s.isEmpty() ? "; most by " : ", ");
      s.append(e.getValue()).append(" of ").append(mebibytes(e.getKey()));
    }
    return s.toString();
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20));
  }

  /** The bytes of storages and of what works on them. */
  synchronized long used() {
    return used;
  }

  /** The bytes that the driver gave. */
  synchronized long held() {
    return held;
  }

  /** Gives everything back; every block is gone. */
  synchronized void close() {
    for (long address : owned.keySet()) {
      Status.ignore(Cu.free(address));
    }
    owned.clear();
    uses.clear();
    keepers.clear();
    free.clear();
    live.clear();
    held = 0;
    used = 0;
    slab = 0;
    slabEnd = 0;
  }
}
