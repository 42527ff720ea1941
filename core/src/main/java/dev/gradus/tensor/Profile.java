package dev.gradus.tensor;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * What the operations of training steps cost, as a {@link Profiler} measured it.
 *
 * @param steps the number of steps measured
 * @param nanos the time from the beginning to the end of every step, together, in nanoseconds
 * @param entries the operations of each phase, the most expensive first
 */
public record Profile(long steps, long nanos, List<Entry> entries) {
  private static final double PERCENT = 100;
  private static final double NANOS_PER_MICRO = 1e3;
  private static final double BYTES_PER_KILOBYTE = 1e3;
  private static final String OUTSIDE = "(outside)";

  /** A profile with its entries in the order of their cost. */
  public Profile {
    List<Entry> sorted = new ArrayList<>(entries);
    sorted.sort(Comparator.comparingLong(Entry::nanos).reversed());
    entries = List.copyOf(sorted);
  }

  /** The parts of a training step. */
  public enum Phase {
    /** Whatever is neither of the others: the model and its loss, tensors made and read. */
    FORWARD,
    /** {@link Tensor#backward()}. */
    BACKWARD,
    /** What optimizers and clipping do with parameters and gradients. */
    UPDATE;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * One operation in one phase. Operations have the names that prints of tensors show: {@code
   * Addmm} is a linear layer. What is not recorded for a gradient has the name of what the backend
   * did: {@code Upload}, {@code Ne}.
   *
   * @param phase the part of the step
   * @param operation its name; in the update that of the optimizer
   * @param calls how often it ran
   * @param nanos the time in the backend, in nanoseconds
   * @param bytes the bytes that it must move: each operand read once, each result written once
   * @param flops additions and multiplications of matrix products; 0 for everything else
   */
  public record Entry(
      Phase phase, String operation, long calls, long nanos, long bytes, long flops) {

    /** Gigabytes (1e9 bytes) a second. */
    public double gigabytesPerSecond() {
      return nanos == 0 ? 0 : (double) bytes / nanos;
    }

    /** Billions of additions and multiplications a second, of matrix products. */
    public double gigaflops() {
      return nanos == 0 ? 0 : (double) flops / nanos;
    }
  }

  /** The time in operations of a phase, in nanoseconds. */
  public long nanos(Phase phase) {
    return entries.stream().filter(e -> e.phase == phase).mapToLong(Entry::nanos).sum();
  }

  /**
   * The time outside of operations, in nanoseconds: checks, records, memory, the profiler itself,
   * and the program's own code.
   */
  public long outside() {
    return nanos - entries.stream().mapToLong(Entry::nanos).sum();
  }

  /** The share of the steps' time that is spent in operations, in [0, 1]. */
  public double covered() {
    return nanos == 0 ? 0 : 1 - (double) outside() / nanos;
  }

  /** A table for people, everything for one step: a line an operation, then the phases. */
  @Override
  public String toString() {
    if (steps == 0) {
      return "profile: no step was measured; the program ended within the steps left out"
          + System.lineSeparator();
    }
    StringBuilder s = new StringBuilder();
    line(s, "profile of %d steps, each %.1f us%n", steps, (double) nanos / steps / NANOS_PER_MICRO);
    int width = "operation".length();
    for (Entry e : entries) {
      width = Math.max(width, e.operation.length());
    }
    String name = "%-9s  %-" + width + "s";
    line(
        s,
        name + "  %8s  %10s  %6s  %10s  %7s  %8s%n",
        "phase",
        "operation",
        "calls",
        "us",
        "%",
        "kB",
        "GB/s",
        "GFLOP/s");
    for (Entry e : entries) {
      line(s, name, e.phase.label(), e.operation);
      line(s, "  %8.1f", (double) e.calls / steps);
      time(s, e.nanos);
      line(s, "  %10.1f", (double) e.bytes / steps / BYTES_PER_KILOBYTE);
      line(s, "  %7.2f", e.gigabytesPerSecond());
      line(s, e.flops == 0 ? "%n" : "  %8.2f%n", e.gigaflops());
    }
    s.append(System.lineSeparator());
    for (Phase phase : Phase.values()) {
      line(s, name + "  %8s", phase.label(), "", "");
      time(s, nanos(phase));
      s.append(System.lineSeparator());
    }
    line(s, name + "  %8s", OUTSIDE, "", "");
    time(s, outside());
    return s.append(System.lineSeparator()).toString();
  }

  private void time(StringBuilder s, long part) {
    double share = PERCENT * part / nanos;
    line(s, "  %10.1f  %6.1f", (double) part / steps / NANOS_PER_MICRO, share);
  }

  @SuppressWarnings("AnnotateFormatMethod") // formats are put together here
  private static void line(StringBuilder s, String format, Object... values) {
    s.append(String.format(Locale.ROOT, format, values));
  }
}
