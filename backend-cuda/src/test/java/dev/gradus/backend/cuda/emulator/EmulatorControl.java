package dev.gradus.backend.cuda.emulator;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a test tells the emulated driver of its process, and asks of it. */
public final class EmulatorControl {
  static {
    System.load(Emulator.build().resolve(Emulator.DRIVER).toString());
  }

  private EmulatorControl() {}

  /**
   * Sets all modes anew; counting to the next injected failure begins here.
   *
   * @param modes words with commas between, such as {@code race,order=3}; docs/emulator.md has them
   */
  public static native void configure(String modes);

  /** Forgets everything that was handed out, as a new process would. */
  public static native void reset();

  /** Sets all counters to 0; live objects and watched ranges stay. */
  public static native void clearCounters();

  /** The text of the last failure, empty if there was none. */
  public static native String lastError();

  /** The value of a counter that docs/emulator.md lists. */
  public static long counter(String name) {
    long value = count(name);
    if (value < 0) {
      throw new IllegalArgumentException("emulator: no counter '" + name + "'");
    }
    return value;
  }

  /** How often each function of the driver and of cuBLAS was called. */
  public static Map<String, Long> calls() {
    Map<String, Long> calls = new TreeMap<>();
    for (String name : calledNames()) {
      calls.put(name, countCalls(name));
    }
    return calls;
  }

  /** The kernels that ran, with cuBLAS's products under the names of their functions. */
  public static List<String> kernels() {
    return List.of(kernelNames());
  }

  /** What the launches of a kernel did together. */
  public static KernelCounts kernel(String name) {
    long[] all = kernelCounts(name);
    return new KernelCounts(
        all[0], all[1], Traffic.at(all, 2), Traffic.at(all, 6), Traffic.at(all, 10));
  }

  /** Counts the traffic of a range of device memory apart, until {@link #clearWatches}. */
  public static Watch watch(long address, long bytes) {
    return new Watch(watchRange(address, bytes));
  }

  /** Forgets all watched ranges. */
  public static native void clearWatches();

  /**
   * What one kind of access moved.
   *
   * @param requests instructions of a warp
   * @param bytes what their lanes asked for
   * @param sectors the 32-byte pieces of memory that they touched
   * @param ideal the sectors that as many bytes need when they lie together
   */
  public record Traffic(long requests, long bytes, long sectors, long ideal) {
    static Traffic at(long[] all, int from) {
      return new Traffic(all[from], all[from + 1], all[from + 2], all[from + 3]);
    }
  }

  /** The launches of a kernel, their blocks, and their traffic in global memory. */
  public record KernelCounts(
      long launches, long blocks, Traffic loads, Traffic stores, Traffic atomics) {}

  /** A watched range. */
  public record Watch(int index) {
    /** What was read there. */
    public Traffic loads() {
      return Traffic.at(watchCounts(index), 0);
    }

    /** What was written there. */
    public Traffic stores() {
      return Traffic.at(watchCounts(index), 4);
    }
  }

  private static native long count(String name);

  private static native long countCalls(String name);

  private static native String[] calledNames();

  private static native String[] kernelNames();

  private static native long[] kernelCounts(String name);

  private static native int watchRange(long address, long bytes);

  private static native long[] watchCounts(int index);
}
