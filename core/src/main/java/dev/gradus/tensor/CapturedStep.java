package dev.gradus.tensor;

import dev.gradus.spi.Recording;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A step of fixed shapes that is recorded and replayed as a whole; {@link Device#capture} makes
 * one.
 *
 * <pre>{@code
 * CapturedStep step = device.capture(List.of(x, y), () -> {
 *   adam.zeroGrad();
 *   Tensor loss = Losses.crossEntropy(model.forward(x), y);
 *   loss.backward();
 *   adam.step();
 *   return loss;
 * });
 * for (Batch batch : batches) {
 *   x.copyFrom(batch.x());
 *   y.copyFrom(batch.y());
 *   Tensor loss = step.run();
 * }
 * }</pre>
 *
 * <p>The first runs are plain ones, in which gradients and optimizer state are made. Then the body
 * runs once while the device records it; from then on the host does not run the body any more. Each
 * run is one step, and has the results that the body by itself would have.
 *
 * <p>In a replay these stay live: the values of inputs and parameters, the optimizers' rates,
 * counts and other numbers, and the place in the stream that dropout draws from. Everything else
 * that the host does in the body happens only when the body runs: schedules, and numbers that it
 * computes, belong outside. The body may not read values, nor make tensors from values of the host.
 *
 * <p>The ids of an input are checked as the body checks them: where a batch has a greater or a
 * lesser one than was seen so far, the body runs plainly and is recorded again. Targets that leave
 * places out cannot be checked without being read, so they cannot be part of a recorded step.
 *
 * <p>The body runs plainly and is recorded again when a parameter or an optimizer's group was
 * added, {@code requiresGrad} or {@code train} was changed anywhere, the seed was set, an input has
 * other memory, an optimizer needs other buffers or computes by another formula, or a gradient that
 * the body adds to is there where there was none, or the other way round.
 *
 * <p>Any thread may run it, one at a time. While the body is recorded no other may use the device.
 */
public final class CapturedStep implements AutoCloseable {
  /** The first makes gradients and state, the second finds all as it stays. */
  private static final int PLAIN_RUNS = 2;

  private static final AtomicLong STRUCTURE = new AtomicLong();

  private final Device device;
  private final List<Tensor> inputs;
  private final Supplier<Tensor> body;
  private @Nullable Recorded recorded;

  /** Of each input of ids the range that the body took: what is outside it has not checked. */
  private final Map<Integer, IdRange> taken = new HashMap<>();

  private int plainRuns;
  private boolean closed;

  CapturedStep(Device device, List<Tensor> inputs, Supplier<Tensor> body) {
    this.device = device;
    this.inputs = List.copyOf(inputs);
    this.body = body;
    for (Tensor x : inputs) {
      if (x.device() != device) {
        throw new IllegalArgumentException(
            "capture: input " + x.shape() + " is on '" + x.device() + "', not on '" + device + "'");
      }
    }
  }

  /** A part of a step whose numbers the host renews at each replay. */
  public interface Live {
    /** Whether it would do now what was recorded. */
    boolean fits();

    /** Gives the recorded work its numbers, and counts the step. */
    void renew();
  }

  /**
   * Says, inside a body that is recorded, what is to be renewed at each replay; elsewhere does
   * nothing.
   */
  public static void onReplay(Live live) {
    List<Live> recording = ThreadState.current().recording;
    if (recording != null) {
      recording.add(live);
    }
  }

  /** Whether the calling thread is recording a step. */
  public static boolean isRecording() {
    return ThreadState.current().recording != null;
  }

  /**
   * Says that what steps do may have changed: every one is recorded anew before its next replay.
   */
  public static void recordAnew() {
    STRUCTURE.incrementAndGet();
  }

  /** What was recorded, and for what. */
  private final class Recorded {
    final long structure = STRUCTURE.get();
    final long seed = device.generator().seed();
    final long offset = device.generator().philoxOffset();
    final List<Storage> memory = memory();

    final List<Live> live = new ArrayList<>();
    long drawn;
    @Nullable Recording recording;
    @Nullable Storage result;
    Shape shape = Shape.of();
    DType dtype = DType.F32;

    boolean fits() {
      return structure == STRUCTURE.get()
          && seed == device.generator().seed()
          && memory.equals(memory())
          && live.stream().allMatch(Live::fits);
    }

    /** Runs the body while the device records; whether it does. */
    boolean record() {
      ThreadState state = ThreadState.current();
      state.recording = live;
      device.memory().recording(true);
      try {
        recording = device.backend().record(offset, this::run);
      } finally {
        device.memory().recording(false);
        state.recording = null;
      }
      drawn = device.generator().philoxOffset() - offset;
      return recording != null;
    }

    private void run() {
      Scope scope = Scope.open();
      try {
        Tensor tensor = body.get();
        result = tensor.storage();
        shape = tensor.shape();
        dtype = tensor.dtype();
      } finally {
        scope.close();
      }
    }

    void replay(Recording what) {
      long from = device.generator().philoxOffset();
      device.generator().skipPhilox(drawn);
      what.replay(from, () -> live.forEach(Live::renew));
    }

    /** The result, as a tensor that the next run does not overwrite. */
    Tensor result() {
      Tensor out = Tensor.born(device, shape, dtype);
      Storage from = result;
      if (from != null) {
        Kernels.copy(device.backend(), from, out.storage());
      }
      return out;
    }
  }

  private List<Storage> memory() {
    return inputs.stream().map(Tensor::storage).toList();
  }

  /** Whether no id of an input is outside what the body was seen to take. */
  private boolean takesIds() {
    for (int i = 0; i < inputs.size(); i++) {
      IdRange before = taken.get(i);
      if (before != null && !before.equals(before.with(inputs.get(i).idRange()))) {
        return false;
      }
    }
    return true;
  }

  /** The body ran with the inputs as they are. */
  private void tookIds() {
    for (int i = 0; i < inputs.size(); i++) {
      if (inputs.get(i).dtype() == DType.I64) {
        taken.merge(i, inputs.get(i).idRange(), IdRange::with);
      }
    }
  }

  /**
   * Makes one step.
   *
   * @return what the body returned, as a tensor of the scope that is open here
   * @throws IllegalStateException if it is closed, or the body cannot be recorded
   */
  public Tensor run() {
    if (closed) {
      throw new IllegalStateException("CapturedStep.run: this step is closed");
    }
    Recorded r = recorded;
    Recording what = r == null ? null : r.recording;
    if (r != null && what != null) {
      boolean fits = r.fits();
      if (fits && takesIds()) {
        r.replay(what);
        return r.result();
      }
      forget();
      // New ids are seen by a plain run, which may read them to tell which one is wrong.
      plainRuns = fits ? PLAIN_RUNS - 1 : 0;
      if (!fits) {
        taken.clear();
      }
    }
    if (plainRuns < PLAIN_RUNS) {
      Tensor result = body.get();
      plainRuns++;
      tookIds();
      return result;
    }
    Recorded fresh = new Recorded();
    if (!fresh.record()) {
      return body.get();
    }
    recorded = fresh;
    tookIds();
    return fresh.result();
  }

  private void forget() {
    Recorded r = recorded;
    recorded = null;
    Recording what = r == null ? null : r.recording;
    if (what != null && device.isOpen()) {
      what.close();
    }
  }

  /** Gives the memory back that is kept for replays; a second call does nothing. */
  @Override
  public void close() {
    closed = true;
    forget();
  }
}
