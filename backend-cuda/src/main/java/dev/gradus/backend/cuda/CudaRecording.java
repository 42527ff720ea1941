package dev.gradus.backend.cuda;

import dev.gradus.spi.Recording;
import dev.gradus.types.DType;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Work of the computing stream as one graph. Its launches have addresses and numbers in them; what
 * changes from replay to replay lies in memory at fixed places: the tables of batched steps, and
 * where the random stream stands. The memory that its work came by is nobody else's until it is
 * closed.
 */
final class CudaRecording implements Recording {
  /** What a thread replays just now. */
  private static final ThreadLocal<@Nullable CudaRecording> REPLAYED = new ThreadLocal<>();

  private final CudaDevice device;
  private final Transfers transfers;
  private final Cu.Graph graph = new Cu.Graph();
  private final Thread thread = Thread.currentThread();
  private final DeviceMemory.Kept memory;
  private final List<Runnable> afterwards = new ArrayList<>();
  private final CudaStorage random;
  private final long offset;
  private boolean drawsNumbers;
  private boolean made;
  private boolean launchable;
  private boolean closed;

  private CudaRecording(CudaDevice device, Transfers transfers, long offset) {
    this.device = device;
    this.transfers = transfers;
    this.offset = offset;
    this.random = device.allocate(DType.I64, 1);
    this.memory = device.memory().beginRecording();
  }

  /** Records what some work asks of the device, and does it. */
  static CudaRecording of(CudaDevice device, Transfers transfers, long offset, Runnable work) {
    device.enter();
    device.requireNoRecording("recording", "record one step at a time");
    CudaRecording recording = new CudaRecording(device, transfers, offset);
    boolean done = false;
    try {
      recording.record(work);
      recording.afterwards.forEach(Runnable::run);
      recording.afterwards.clear();
      recording.launch(offset);
      done = true;
    } finally {
      if (!done) {
        recording.release();
      }
    }
    return recording;
  }

  private void record(Runnable work) {
    Status status = device.status();
    int ended;
    try {
      status.check(Cu.beginCapture(device.compute()), "beginning a recording");
      device.recording(this);
      try {
        work.run();
      } finally {
        device.recording(null);
        made = true;
        ended = Cu.endCapture(device.compute(), graph);
        launchable = ended == Cu.SUCCESS;
      }
    } finally {
      device.memory().endRecording();
    }
    status.check(ended, "ending a recording");
  }

  /** What the calling thread replays on a device just now; null where it does not. */
  static @Nullable CudaRecording replayedOn(CudaDevice device) {
    CudaRecording r = REPLAYED.get();
    return r != null && r.device == device ? r : null;
  }

  boolean isMadeByThisThread() {
    return Thread.currentThread() == thread;
  }

  /** Whether it is made: then it is replayed, and the tables of batched steps are written. */
  boolean isMade() {
    return made;
  }

  /** Puts something off until the work is recorded, before it is done. */
  void afterwards(Runnable action) {
    afterwards.add(action);
  }

  /** Where the random stream stood when it was recorded. */
  long offset() {
    return offset;
  }

  /** Where a kernel finds where the random stream stands. */
  CudaStorage random() {
    drawsNumbers = true;
    return random;
  }

  @Override
  public void replay(long from, Runnable renew) {
    device.enter();
    device.requireNoRecording("a replay", "replay it by itself");
    REPLAYED.set(this);
    try {
      renew.run();
    } finally {
      REPLAYED.remove();
    }
    launch(from);
  }

  private void launch(long from) {
    if (drawsNumbers) {
      transfers.upload(LongBuffer.wrap(new long[] {from}), random);
    }
    device.status().check(Cu.launch(graph, device.compute()), "launch of a recorded step");
    device.settle("a recorded step");
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      device.enter();
      release();
    }
  }

  private void release() {
    if (launchable) {
      Status.ignore(Cu.destroy(graph));
    }
    device.memory().release(memory);
    device.free(random);
  }
}
