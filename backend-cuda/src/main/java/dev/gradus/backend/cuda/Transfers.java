package dev.gradus.backend.cuda;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.lang.ref.Reference;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Copies between host and device, through pinned memory.
 *
 * <p>An upload is written into a ring of pinned slots, and may be overwritten when the slot comes
 * round again: an event tells that the device has read it. A small one goes to its place on the
 * computing stream. A large one goes to a slot on the device by the copying stream, while the
 * device computes, and from there to its place when its turn comes. A download waits.
 */
final class Transfers {
  private static final int SLOTS = 4;
  private static final int SLOT = 4 << 20;

  /** Up to here an upload waits for its turn on the computing stream: a detour would cost more. */
  private static final int SMALL = 64 << 10;

  private static final int ALIGNMENT = 64;

  private final CudaDevice device;
  private final Status status;
  private final Cu.Stream copying = new Cu.Stream();
  private final Cu.Event[] read = new Cu.Event[SLOTS];
  private final Cu.Event arrived = new Cu.Event();
  private final Cu.Event downloaded = new Cu.Event();
  private final Object downloads = new Object();
  private @Nullable Pinned ring;
  private @Nullable Pinned landing;
  private long stage;
  private int slot;
  private int end;

  Transfers(CudaDevice device) {
    this.device = device;
    this.status = device.status();
    status.check(Cu.create(copying), "making a stream for copies");
    status.check(Cu.create(arrived), "making an event");
    status.check(Cu.create(downloaded), "making an event");
    for (int i = 0; i < SLOTS; i++) {
      read[i] = new Cu.Event();
      status.check(Cu.create(read[i]), "making an event");
    }
  }

  /** Pinned memory, seen as each type. */
  private static final class Pinned {
    final long address;
    final ByteBuffer bytes;
    final FloatBuffer floats;
    final DoubleBuffer doubles;
    final LongBuffer longs;

    Pinned(Cu.Host host) {
      address = host.address();
      bytes = host.buffer();
      floats = bytes.asFloatBuffer();
      doubles = bytes.asDoubleBuffer();
      longs = bytes.asLongBuffer();
    }

    /** Takes elements of a buffer. */
    void write(DType dtype, int at, Buffer src, int from, int count) {
      int to = at / dtype.bytes();
      switch (dtype) {
        case F32 -> floats.put(to, (FloatBuffer) src, from, count);
        case F64 -> doubles.put(to, (DoubleBuffer) src, from, count);
        case I64 -> longs.put(to, (LongBuffer) src, from, count);
        case BOOL -> bytes.put(to, (ByteBuffer) src, from, count);
      }
    }

    /** Gives its first elements to a buffer. */
    void read(DType dtype, Buffer dst, int to, int count) {
      switch (dtype) {
        case F32 -> ((FloatBuffer) dst).put(to, floats, 0, count);
        case F64 -> ((DoubleBuffer) dst).put(to, doubles, 0, count);
        case I64 -> ((LongBuffer) dst).put(to, longs, 0, count);
        case BOOL -> ((ByteBuffer) dst).put(to, bytes, 0, count);
      }
    }
  }

  /** Copies a buffer's remaining elements to the start of a storage. */
  void upload(Buffer src, Storage dst) {
    device.enter();
    device.requireNoRecording(
        "values of the host", "make the tensor before, or bring them by one of the inputs");
    try {
      DType dtype = dst.dtype();
      int most = SLOT / dtype.bytes();
      int from = src.position();
      long to = CudaStorage.of(dst).address();
      for (int left = src.remaining(); left > 0; ) {
        int count = Math.min(left, most);
        upload(dtype, src, from, count, to);
        from += count;
        left -= count;
        to += (long) count * dtype.bytes();
      }
    } finally {
      Reference.reachabilityFence(dst);
    }
  }

  private synchronized void upload(DType dtype, Buffer src, int from, int count, long to) {
    Pinned pinned = ring;
    if (pinned == null) {
      pinned = new Pinned(device.pin(SLOTS * SLOT));
      ring = pinned;
    }
    int bytes = count * dtype.bytes();
    int at = take(bytes);
    pinned.write(dtype, at, src, from, count);
    send(pinned.address + at, at, bytes, to);
    device.settle("upload of " + bytes + " bytes");
  }

  private void send(long host, int at, int bytes, long to) {
    if (bytes <= SMALL) {
      status.check(Cu.toDevice(to, host, bytes, device.compute()), "upload of " + bytes + " bytes");
      return;
    }
    if (stage == 0) {
      stage = device.memory().allocate((long) SLOTS * SLOT).address();
    }
    status.check(Cu.toDevice(stage + at, host, bytes, copying), "upload of " + bytes + " bytes");
    status.check(Cu.record(arrived, copying), "marking an upload");
    status.check(Cu.await(device.compute(), arrived), "waiting for an upload");
    status.check(Cu.copy(to, stage + at, bytes, device.compute()), "placing an upload");
  }

  /** The place of so many bytes in the ring, when the device has read what was there. */
  private int take(int bytes) {
    if (end + bytes > SLOT) {
      status.check(Cu.record(read[slot], device.compute()), "marking a slot");
      slot = (slot + 1) % SLOTS;
      // Never recorded is as good as done.
      status.check(Cu.synchronize(read[slot]), "waiting for a slot");
      end = 0;
    }
    int at = slot * SLOT + end;
    end += (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    return at;
  }

  /** Waits for the device and fills a buffer with a storage's first elements. */
  void download(Storage src, Buffer dst) {
    device.enter();
    device.requireNoRecording("reading of values", "read them after the run");
    DType dtype = src.dtype();
    int most = SLOT / dtype.bytes();
    int to = dst.position();
    synchronized (downloads) {
      try {
        long from = CudaStorage.of(src).address();
        for (int left = dst.remaining(); left > 0; ) {
          int count = Math.min(left, most);
          download(dtype, from, dst, to, count);
          to += count;
          left -= count;
          from += (long) count * dtype.bytes();
        }
      } finally {
        Reference.reachabilityFence(src);
      }
    }
  }

  private void download(DType dtype, long from, Buffer dst, int to, int count) {
    Pinned pinned = landing;
    if (pinned == null) {
      pinned = new Pinned(device.pin(SLOT));
      landing = pinned;
    }
    int bytes = count * dtype.bytes();
    String call = "download of " + bytes + " bytes";
    status.check(Cu.toHost(pinned.address, from, bytes, device.compute()), call);
    status.check(Cu.record(downloaded, device.compute()), call);
    status.check(Cu.synchronize(downloaded), call);
    pinned.read(dtype, dst, to, count);
  }

  void close() {
    Status.ignore(Cu.destroy(copying));
    Status.ignore(Cu.destroy(arrived));
    Status.ignore(Cu.destroy(downloaded));
    for (Cu.Event event : read) {
      Status.ignore(Cu.destroy(event));
    }
  }
}
