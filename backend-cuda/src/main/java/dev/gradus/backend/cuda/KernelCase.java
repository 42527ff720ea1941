package dev.gradus.backend.cuda;

import java.util.ArrayList;
import java.util.List;

/**
 * Work for some kernels, the same on every device.
 *
 * @param name what it does, as {@code exp float32}
 * @param atomics whether it wants a device that may add by atomic operations
 * @param body asks a device for it
 */
record KernelCase(String name, boolean atomics, Body body) {
  /** A case for a device as it is by default. */
  KernelCase(String name, Body body) {
    this(name, false, body);
  }

  /** What a case does. */
  @FunctionalInterface
  interface Body {
    /** Makes inputs, calls the device and hands over the results. */
    void run(CaseRun run);
  }

  /** All cases: together they start every kernel. */
  static List<KernelCase> all() {
    List<KernelCase> all = new ArrayList<>();
    ElementwiseCases.addTo(all);
    AxisCases.addTo(all);
    StepCases.addTo(all);
    return all;
  }
}
