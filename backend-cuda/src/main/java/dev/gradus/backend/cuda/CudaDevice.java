package dev.gradus.backend.cuda;

import dev.gradus.spi.BackendException;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An open device: its context, its two streams, its memory, and the way to launch a kernel.
 * Everything computes on one stream, in the order of the calls, whichever thread makes them.
 */
final class CudaDevice {
  /** Threads of a block where the kernel does not care. */
  static final int THREADS = 256;

  /** Blocks that a multiprocessor is given at most by a kernel that takes its elements in turns. */
  private static final int BLOCKS_EACH = 16;

  private static final int LAUNCH_BLOCKS = 64;

  private final CudaSettings settings;
  private final Status status;
  private final Cu.Device handle = new Cu.Device();
  private final Cu.Context context = new Cu.Context();
  private final Cu.Stream compute = new Cu.Stream();
  private final Kernels kernels;
  private final DeviceMemory memory;
  private final List<Cu.Host> pinned = new ArrayList<>();
  private final ArrayDeque<LaunchBlock> launchBlocks = new ArrayDeque<>();
  private final String name;
  private final int multiprocessors;
  private final long totalMemory;
  private volatile boolean closed;

  /** The recording that is made just now. */
  private volatile @Nullable CudaRecording recording;

  /**
   * Opens a device.
   *
   * @param ptx the kernels
   * @throws BackendException if there is no such device, or it does not work
   * @throws CudaUnusable if it does not take the kernels
   */
  CudaDevice(int ordinal, CudaSettings settings, String ptx) throws CudaUnusable {
    this.settings = settings;
    this.status = new Status("cuda:" + ordinal);
    status.check(Cu.device(ordinal, handle), "opening the device");
    StringBuilder label = new StringBuilder();
    status.check(Cu.name(handle, label), "asking for its name");
    this.name = label.toString();
    this.multiprocessors = attribute(Cu.Attribute.MULTIPROCESSORS);
    long[] bytes = new long[1];
    status.check(Cu.totalMemory(handle, bytes), "asking for its memory");
    this.totalMemory = bytes[0];
    status.check(Cu.retainPrimary(handle, context), "making its context");
    try {
      enter();
      this.kernels = Kernels.load(ptx, status.device());
      status.check(Cu.create(compute), "making its stream");
    } catch (CudaUnusable | RuntimeException e) {
      Status.ignore(Cu.releasePrimary(handle));
      throw e;
    }
    this.memory = new DeviceMemory(settings, status);
  }

  int attribute(Cu.Attribute attribute) {
    int[] value = new int[1];
    status.check(Cu.attribute(handle, attribute, value), "asking for its " + attribute);
    return value[0];
  }

  /** Its name in messages, as {@code cuda:0}. */
  String deviceName() {
    return status.device();
  }

  /** The maker's name for it. */
  String model() {
    return name;
  }

  CudaSettings settings() {
    return settings;
  }

  Status status() {
    return status;
  }

  Kernels kernels() {
    return kernels;
  }

  /** The stream on which everything computes. */
  Cu.Stream compute() {
    return compute;
  }

  DeviceMemory memory() {
    return memory;
  }

  int multiprocessors() {
    return multiprocessors;
  }

  /** The bytes that storages may take. */
  long capacity() {
    return Math.min(totalMemory, settings.memory());
  }

  /**
   * Makes the device the calling thread's. Every way to the driver begins with it.
   *
   * @throws IllegalStateException if the device is closed
   * @throws BackendException if it is lost
   */
  void enter() {
    if (closed) {
      throw new IllegalStateException(deviceName() + ": the device is closed; open another one");
    }
    status.requireAlive();
    CudaRecording r = recording;
    if (r != null && !r.isMadeByThisThread()) {
      throw new IllegalStateException(
          deviceName() + ": another thread records a step; use the device after it");
    }
    status.check(Cu.setCurrent(context), "entering the context");
  }

  /** The recording that the calling thread makes or replays just now; null where there is none. */
  @Nullable CudaRecording recording() {
    CudaRecording r = recording;
    return r != null ? r : CudaRecording.replayedOn(this);
  }

  /** Says which recording is made from now on. */
  void recording(@Nullable CudaRecording now) {
    recording = now;
  }

  /**
   * Refuses what a recording cannot repeat.
   *
   * @throws IllegalStateException if one is being made
   */
  void requireNoRecording(String call, String remedy) {
    if (recording != null) {
      throw new IllegalStateException(
          deviceName() + ": " + call + " inside a step that is recorded; " + remedy);
    }
  }

  /** A new storage with undefined content. */
  CudaStorage allocate(DType dtype, long numel) {
    enter();
    CudaStorage storage = new CudaStorage(dtype, numel, memory);
    if (!settings.caching()) {
      // Packs of elements read it too, which a tool that looks for undefined reads would tell.
      DeviceMemory.Block block = storage.use().block();
      set8(block.address() + storage.bytes(), (byte) 0, block.bytes() - storage.bytes());
    }
    return storage;
  }

  /** Gives a storage back; nothing to be done once the device is closed or lost. */
  void free(Storage storage) {
    if (closed || status.isLost()) {
      return;
    }
    if (!settings.caching()) {
      enter();
    }
    memory.free(CudaStorage.of(storage).use());
  }

  /** Pinned host memory, which lives as long as the device. */
  synchronized Cu.Host pin(int bytes) {
    Cu.Host host = new Cu.Host();
    status.check(Cu.alloc(host, bytes), "allocation of " + bytes + " bytes of pinned memory");
    pinned.add(host);
    return host;
  }

  /** The place for a launch's parameters; {@link LaunchBlock#run} gives it back. */
  LaunchBlock launch() {
    enter();
    synchronized (launchBlocks) {
      if (launchBlocks.isEmpty()) {
        Cu.Host host = pin(LAUNCH_BLOCKS * LaunchBlock.BYTES);
        ByteBuffer whole = host.buffer();
        for (int i = 0; i < LAUNCH_BLOCKS; i++) {
          int at = i * LaunchBlock.BYTES;
          ByteBuffer part = whole.slice(at, LaunchBlock.BYTES).order(whole.order());
          launchBlocks.add(new LaunchBlock(this, part, host.address() + at));
        }
      }
      return launchBlocks.pop();
    }
  }

  /** Starts a kernel with the parameters that a block has. */
  void run(
      Kernel kernel,
      int blocks,
      int blocksY,
      int threads,
      int threadsY,
      int shared,
      LaunchBlock block,
      Cu.HostPointer extra) {
    int result =
        Cu.launch(kernel.function(), blocks, blocksY, threads, threadsY, shared, compute, extra);
    block.release();
    synchronized (launchBlocks) {
      launchBlocks.push(block);
    }
    if (result == Cu.SUCCESS && settings.debug() && recording == null) {
      // So that the error of this launch is not found at a later one.
      result = Cu.synchronize(compute);
    }
    if (result != Cu.SUCCESS) {
      throw status.failure(
          result,
          "launch of "
              + kernel.name()
              + " on "
              + blocks
              + " x "
              + blocksY
              + " blocks of "
              + threads
              + " x "
              + threadsY
              + " threads");
    }
  }

  /** In debug mode waits for a call's work, so that its error is not found at a later one. */
  void settle(String call) {
    if (settings.debug() && recording == null) {
      status.check(Cu.synchronize(compute), call);
    }
  }

  /** Sets so many bytes. */
  private void set8(long to, byte value, long count) {
    if (count > 0) {
      status.check(Cu.set8(to, value, count, compute), "setting bytes of memory");
      settle("setting bytes of memory");
    }
  }

  /** Sets every byte of a storage. */
  void fill(Storage storage, byte value) {
    enter();
    try {
      CudaStorage s = CudaStorage.of(storage);
      set8(s.address(), value, s.bytes());
    } finally {
      Reference.reachabilityFence(storage);
    }
  }

  /** Sets every 32-bit word of a storage. */
  void fill(Storage storage, int value) {
    enter();
    try {
      CudaStorage s = CudaStorage.of(storage);
      long count = s.bytes() / Integer.BYTES;
      if (count > 0) {
        status.check(Cu.set32(s.address(), value, count, compute), "setting words of memory");
        settle("setting words of memory");
      }
    } finally {
      Reference.reachabilityFence(storage);
    }
  }

  /** Copies elements, from a place in one storage to a place in another of its type. */
  void copy(Storage src, long from, Storage dst, long to, long count) {
    enter();
    try {
      int each = src.dtype().bytes();
      if (count > 0) {
        long source = CudaStorage.of(src).address() + from * each;
        long target = CudaStorage.of(dst).address() + to * each;
        status.check(Cu.copy(target, source, count * each, compute), "copy on the device");
        settle("copy on the device");
      }
    } finally {
      Reference.reachabilityFence(src);
      Reference.reachabilityFence(dst);
    }
  }

  /** How many blocks of {@link #THREADS} work on so many elements, each thread {@code each}. */
  long blocksFor(long elements, int each) {
    long perBlock = (long) THREADS * each;
    return blocksFor((elements + perBlock - 1) / perBlock);
  }

  /** How many blocks work on so many pieces, which they take in turns. */
  long blocksFor(long pieces) {
    return Math.min(pieces, (long) multiprocessors * BLOCKS_EACH);
  }

  /** Waits until everything asked for so far is done. */
  void synchronize() {
    enter();
    requireNoRecording("waiting", "wait after it");
    status.check(Cu.synchronize(compute), "waiting for the device");
  }

  /**
   * Ends the device after its work; every storage is gone.
   *
   * @param first gives back what others opened on the device
   */
  synchronized void close(Runnable first) {
    if (closed) {
      return;
    }
    closed = true;
    Status.ignore(Cu.setCurrent(context));
    Status.ignore(Cu.synchronize(compute));
    first.run();
    memory.close();
    for (Cu.Host host : pinned) {
      Status.ignore(Cu.free(host));
    }
    Status.ignore(Cu.destroy(compute));
    kernels.close();
    Status.ignore(Cu.releasePrimary(handle));
  }
}
