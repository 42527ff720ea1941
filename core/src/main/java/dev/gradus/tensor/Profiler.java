package dev.gradus.tensor;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Backends;
import dev.gradus.tensor.Profile.Phase;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Measures what the operations of training steps cost: time, calls and bytes, forward, backward and
 * update apart. A device that a profiler opens tells it what it computes.
 *
 * <pre>{@code
 * Profiler profiler = Profiler.afterSteps(20);      // the first steps compile
 * try (Device device = profiler.open()) {
 *   …
 *   for (…) {
 *     try (Scope scope = Scope.open(); Profiler.Span step = profiler.step()) {
 *       …
 *     }
 *   }
 *   System.err.print(profiler.profile());
 * }
 * }</pre>
 *
 * <p>Only what the thread that began a step computes before the step ends is counted. Each call of
 * the backend is timed, and waited for where the device works asynchronously: small operations look
 * slower than they are, by less than a tenth of a microsecond.
 */
public final class Profiler {
  /*
   * A backend knows kernels, not operations. In the forward pass the kernels since the last birth of
   * a tensor wait until the operation is recorded, which names them; what is born or ends before
   * that was not recorded, and keeps the kernels' own names. Backward names the function that it
   * runs, an optimizer itself.
   */

  private static final Profiler OFF = new Profiler(Long.MAX_VALUE);
  private static final Span NOTHING = () -> {};

  private final long warmUp;
  private final Map<Key, Sum> sums = new LinkedHashMap<>();
  private final List<Kernel> waiting = new ArrayList<>();
  private final Span end = this::endStep;
  private long seen;
  private long steps;
  private long nanos;
  private long begun;

  /** Set while a step is measured; read by every thread, which then asks for the owner. */
  private boolean active;

  private @Nullable Thread owner;
  private Phase phase = Phase.FORWARD;

  /** The operation that kernels belong to; null while it will be named, or not, afterwards. */
  private @Nullable String operation;

  /** The sum of the operation at hand, once it ran a kernel. */
  private @Nullable Sum named;

  /** Something that is measured or named until it is closed. */
  public interface Span extends AutoCloseable {
    @Override
    void close();
  }

  private record Key(Phase phase, String operation) {}

  private record Kernel(String name, long nanos, long bytes, long flops) {}

  private static final class Sum {
    long calls;
    long nanos;
    long bytes;
    long flops;

    void add(Kernel kernel) {
      nanos += kernel.nanos;
      bytes += kernel.bytes;
      flops += kernel.flops;
    }
  }

  private Profiler(long warmUp) {
    this.warmUp = warmUp;
  }

  /** A profiler that measures nothing and costs nothing. */
  public static Profiler off() {
    return OFF;
  }

  /**
   * A profiler that leaves the first steps out, in which the JVM still compiles.
   *
   * @param warmUp how many, at least 0
   */
  public static Profiler afterSteps(int warmUp) {
    if (warmUp < 0) {
      throw new IllegalArgumentException("Profiler warmUp must be >= 0 but is " + warmUp);
    }
    return new Profiler(warmUp);
  }

  /** Opens the device that {@link Device#open()} opens, measured by this. */
  public Device open() {
    return over(Backends.open(null));
  }

  /** Opens the device that {@link Device#open(String)} opens, measured by this. */
  public Device open(String name) {
    return over(Backends.open(name));
  }

  /** A device over a backend, as {@link Device#over}, measured by this. */
  public Device over(Backend backend) {
    return this == OFF
        ? Device.over(backend)
        : new Device(new ProfiledBackend(this, backend), this);
  }

  /**
   * Begins a step, which ends when the result is closed.
   *
   * @throws IllegalStateException if the step before is still open
   */
  public Span step() {
    if (this == OFF || seen++ < warmUp) {
      return NOTHING;
    }
    if (active) {
      throw new IllegalStateException(
          "Profiler.step: the step before is still open; close it first");
    }
    owner = Thread.currentThread();
    active = true;
    begun = System.nanoTime();
    return end;
  }

  private void endStep() {
    if (measures()) {
      nanos += System.nanoTime() - begun;
      steps++;
      settle();
      active = false;
    }
  }

  /** What was measured so far. */
  public Profile profile() {
    List<Profile.Entry> entries = new ArrayList<>();
    sums.forEach(
        (k, s) ->
            entries.add(
                new Profile.Entry(k.phase, k.operation, s.calls, s.nanos, s.bytes, s.flops)));
    return new Profile(steps, nanos, entries);
  }

  /**
   * Until the result is closed, counts what this thread computes as part of the update: for
   * optimizers, and what else changes parameters or gradients.
   *
   * @param name whose work it is: {@code Adam}
   */
  public Span update(String name) {
    return enter(Phase.UPDATE, name);
  }

  // ---- told by the engine

  /** Until the result is closed, this thread computes an operation of that name. */
  Span enter(Phase next, String name) {
    if (!measures()) {
      return NOTHING;
    }
    settle();
    Phase outer = phase;
    String outerOperation = operation;
    phase = next;
    name(name);
    return () -> {
      phase = outer;
      operation = outerOperation;
      named = null;
    };
  }

  /** What follows in the open phase belongs to another operation. */
  void next(String name) {
    if (measures()) {
      name(name);
    }
  }

  private void name(String name) {
    operation = name;
    named = null;
  }

  /** A tensor is born: kernels from here on are those that compute it. */
  void born() {
    if (measures()) {
      settle();
    }
  }

  /** The kernels since the last birth were this operation. */
  void recorded(String name) {
    if (measures() && !waiting.isEmpty()) {
      Sum sum = sum(name);
      sum.calls++;
      waiting.forEach(sum::add);
      waiting.clear();
    }
  }

  /** A kernel ran. */
  void ran(String name, long time, long bytes, long flops) {
    if (!measures()) {
      return;
    }
    Kernel kernel = new Kernel(name, time, bytes, flops);
    if (operation == null) {
      waiting.add(kernel);
      return;
    }
    if (named == null) {
      named = sum(operation);
      named.calls++;
    }
    named.add(kernel);
  }

  private boolean measures() {
    return active && Thread.currentThread() == owner;
  }

  /** Kernels that nobody named keep their own names. */
  private void settle() {
    for (Kernel kernel : waiting) {
      Sum sum = sum(kernel.name);
      sum.calls++;
      sum.add(kernel);
    }
    waiting.clear();
  }

  private Sum sum(String name) {
    return sums.computeIfAbsent(new Key(phase, name), k -> new Sum());
  }
}
