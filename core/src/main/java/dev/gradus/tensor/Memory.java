package dev.gradus.tensor;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.DeviceMemoryException;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The memory of one device: it allocates, keeps what scopes gave back for the next step, and
 * counts.
 *
 * <p>A storage that nobody references any more needs no help: its backend gets it back from the
 * collector. It is only counted here, and a program that leaves many tensors to the collector is
 * told once.
 */
final class Memory {
  /* Storages of unreachable tensors are not pooled: between the read of a tensor's storage and the end of a
   * kernel the collector may already find the tensor unreachable, and the kernel would read a storage that
   * the pool has handed to somebody else. What a scope or close() gives back was given back on purpose. */

  /** The part of the device's memory that the pool may take: the rest is for what is alive. */
  private static final int POOLED_PART = 8;

  /** So many sizes are told apart in the pool at once. */
  private static final int SIZES = 4096;

  /** Between two looks at whether a backend has freed, in nanoseconds. */
  private static final long FREE_NANOS = 20_000;

  /** So many tensors lost to the collector earn the warning. */
  private static final int FORGOTTEN = 10_000;

  /**
   * With this system property set to {@code trace}, closing a device lists what was still alive.
   */
  static final String LEAKS = "gradus.leaks";

  private static final int LISTED = 10;

  private final Backend backend;
  private final boolean trace = "trace".equals(System.getProperty(LEAKS));
  private final ReferenceQueue<Buffer> unreachable = new ReferenceQueue<>();
  private final Set<Watch> watched = new HashSet<>();
  private final long limit;

  /** For what is watched and all that follows. */
  private final SpinLock lock = new SpinLock();

  private final Pool pool = new Pool();

  /** What goes back to the backend once the lock is given back. */
  private final List<Storage> unwanted = new ArrayList<>();

  /** What threads are giving back to the backend now, one each. */
  private final List<Storage> freeing = new ArrayList<>();

  /* A recorded step reads and writes the memory that it got while it was recorded for as long as it
   * is replayed. So that goes to the backend and not to the pool, which knows to whom it belongs. */

  private final Set<Storage> recorded = Collections.newSetFromMap(new WeakHashMap<>());
  private boolean recording;

  private long live;
  private long liveByReference;
  private long forgotten;
  private long forgottenBytes;
  private boolean told;
  private boolean closed;

  Memory(Backend backend) {
    this.backend = backend;
    this.limit = backend.capacity() / POOLED_PART;
  }

  /** Frees what is not wanted, and unlocks. */
  private void unlock() {
    try {
      while (!unwanted.isEmpty()) {
        free(unwanted.remove(unwanted.size() - 1));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Frees without the lock: a backend may have to wait for its device. */
  private void free(Storage storage) {
    freeing.add(storage);
    lock.unlock();
    try {
      backend.free(storage);
    } finally {
      lock.lock();
      freeing.remove(storage);
    }
  }

  /** Waits for what other threads have begun to free: only then the backend has it. */
  private void awaitFrees() {
    List<Storage> begun = new ArrayList<>();
    lock.lock();
    try {
      begun.addAll(freeing);
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    while (isFreeingAnyOf(begun)) {
      LockSupport.parkNanos(FREE_NANOS);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isFreeingAnyOf(List<Storage> some) {
    lock.lock();
    try {
      some.retainAll(freeing);
      return !some.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /** A storage with undefined content. */
  Storage allocate(DType dtype, long numel) {
    long bytes = numel * dtype.bytes();
    lock.lock();
    try {
      drain();
      Storage storage = recording ? null : pool.take(dtype, numel);
      if (storage != null) {
        live += bytes;
        return storage;
      }
      if (pool.bytes() > 0 && live + pool.bytes() + bytes > backend.capacity()) {
        pool.shrink(0, 0, unwanted::add);
      }
    } finally {
      unlock();
    }
    Storage fresh = allocateFresh(dtype, numel, bytes);
    lock.lock();
    try {
      live += bytes;
      if (recording) {
        recorded.add(fresh);
      }
    } finally {
      unlock();
    }
    return fresh;
  }

  private Storage allocateFresh(DType dtype, long numel, long bytes) {
    try {
      return backend.allocate(dtype, numel);
    } catch (OutOfMemoryError | DeviceMemoryException first) {
      collect();
      trim();
      try {
        return backend.allocate(dtype, numel);
      } catch (OutOfMemoryError | DeviceMemoryException second) {
        throw new BackendException(exhausted(bytes), second);
      }
    }
  }

  private String exhausted(long bytes) {
    lock.lock();
    long held = live;
    long byReference = liveByReference;
    unlock();
    return backend.deviceName()
        + ": out of memory: asked for "
        + bytes
        + " bytes, held "
        + held
        + " of "
        + backend.capacity()
        + ": "
        + byReference
        + " by references (parameters, gradients, optimizer state, "
        + "tensors born outside a scope), "
        + (held - byReference)
        + " by open scopes; open a Scope around each step, or "
        + backend.memoryRemedy();
  }

  /** Counts one more tensor that uses a buffer. */
  void share(Buffer buffer) {
    lock.lock();
    buffer.users++;
    unlock();
  }

  /** Counts one tensor less; with the last one the storage is given back. */
  void release(Buffer buffer) {
    lock.lock();
    try {
      // One that two threads release at once goes below: only the first of them gives it back.
      if (--buffer.users == 0) {
        Watch watch = buffer.watch;
        if (watch != null) {
          unwatch(watch);
        }
        putBack(buffer.storage());
      }
    } finally {
      unlock();
    }
  }

  /** Takes back a storage that nobody will read or write any more. */
  void recycle(Storage storage) {
    lock.lock();
    try {
      putBack(storage);
    } finally {
      unlock();
    }
  }

  private void putBack(Storage storage) {
    long bytes = bytes(storage);
    live -= bytes;
    if (closed) {
      return; // a scope may end after its device, which took everything with it
    }
    if (recording || bytes > limit || (!recorded.isEmpty() && recorded.remove(storage))) {
      unwanted.add(storage);
      return;
    }
    pool.put(storage);
    if (pool.bytes() > limit || pool.sizes() > SIZES) {
      pool.shrink(limit, SIZES, unwanted::add);
    }
  }

  /** Begins or ends what a recorded step gets its memory in. */
  void recording(boolean now) {
    lock.lock();
    recording = now;
    unlock();
  }

  /** Counts a buffer, from now on as one that lives as long as it is referenced. */
  void watch(Buffer buffer) {
    lock.lock();
    try {
      if (buffer.watch == null) {
        Watch watch = new Watch(buffer, unreachable, trace ? new Throwable("born here") : null);
        watched.add(watch);
        buffer.watch = watch;
        liveByReference += watch.bytes;
      }
    } finally {
      unlock();
    }
    tellOnce(FORGOTTEN);
  }

  private void unwatch(Watch watch) {
    if (watched.remove(watch)) {
      watch.clear();
      liveByReference -= watch.bytes;
    }
  }

  /** The bytes of living tensors. */
  long liveBytes() {
    lock.lock();
    try {
      drain();
      return live;
    } finally {
      unlock();
    }
  }

  /** The bytes kept for the next allocations. */
  long pooledBytes() {
    lock.lock();
    try {
      return pool.bytes();
    } finally {
      unlock();
    }
  }

  /**
   * Gives the pool back to the backend and says, where asked to, what was still alive. The backend
   * may be closed afterwards: nothing is being given back to it any more.
   */
  void close() {
    String leaks;
    try {
      lock.lock();
      try {
        drain();
        pool.shrink(0, 0, unwanted::add);
        closed = true;
        leaks = trace && !watched.isEmpty() ? leaks() : null;
      } finally {
        unlock();
      }
    } finally {
      awaitFrees();
    }
    if (leaks != null) {
      System.getLogger("dev.gradus").log(Level.WARNING, leaks);
    }
  }

  private String leaks() {
    StringBuilder s = new StringBuilder();
    s.append(backend.deviceName()).append(": closed with ").append(watched.size());
    s.append(" tensors (").append(liveByReference).append(" bytes) still referenced");
    int listed = 0;
    for (Watch w : watched) {
      if (w.birth != null && listed++ < LISTED) {
        s.append("\n  ").append(w.bytes).append(" bytes, born at");
        for (StackTraceElement e : w.birth.getStackTrace()) {
          if (!isOwn(e.getClassName())) {
            s.append(' ').append(e);
            break;
          }
        }
      }
    }
    return s.toString();
  }

  private static boolean isOwn(String className) {
    return className.startsWith("dev.gradus.tensor.") || className.startsWith("dev.gradus.nn.");
  }

  /** Gives the pool back to the backend, and waits for what other threads give back. */
  void trim() {
    awaitFrees(); // what was pooled meanwhile goes too
    lock.lock();
    try {
      pool.shrink(0, 0, unwanted::add);
    } finally {
      unlock();
    }
    awaitFrees();
  }

  /** Lets the collector find what is unreachable, so that a native backend can take it back. */
  private void collect() {
    System.gc();
    try {
      for (int wait = 100; drainWithin(wait); wait = 10) {}
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    tellOnce(1);
  }

  /** Counts what the collector found unreachable; false if it found none in this time. */
  private boolean drainWithin(int millis) throws InterruptedException {
    Reference<? extends Buffer> dead = unreachable.remove(millis);
    if (dead == null) {
      return false;
    }
    lock.lock();
    try {
      lost((Watch) dead);
      drain();
    } finally {
      unlock();
    }
    return true;
  }

  private void drain() {
    Reference<? extends Buffer> dead = unreachable.poll();
    while (dead != null) {
      lost((Watch) dead);
      dead = unreachable.poll();
    }
  }

  private void lost(Watch watch) {
    if (watched.remove(watch)) {
      live -= watch.bytes;
      liveByReference -= watch.bytes;
      forgotten++;
      forgottenBytes += watch.bytes;
    }
  }

  /** Warns, once, when the collector has found so many tensors. */
  private void tellOnce(long least) {
    lock.lock();
    long tensors = forgotten;
    long bytes = forgottenBytes;
    boolean tell = tensors >= least && !told;
    told |= tell;
    unlock();
    if (tell) {
      Logger log = System.getLogger("dev.gradus");
      log.log(
          Level.WARNING,
          backend.deviceName()
              + ": "
              + tensors
              + " tensors ("
              + bytes
              + " bytes) were born outside a scope and left to the garbage collector; open a Scope"
              + " around each step: it costs less");
    }
  }

  private static long bytes(Storage s) {
    return s.numel() * s.dtype().bytes();
  }

  /** The count of one buffer that lives by reference. */
  static final class Watch extends PhantomReference<Buffer> {
    final long bytes;
    final @Nullable Throwable birth;

    Watch(Buffer buffer, ReferenceQueue<Buffer> queue, @Nullable Throwable birth) {
      super(buffer, queue);
      this.bytes = Memory.bytes(buffer.storage());
      this.birth = birth;
    }
  }
}
