package dev.gradus.examples;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Profiler;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option of every command that computes: where. */
final class DeviceOptions {
  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "Where to compute, as cpu; default: the best that works here.")
  private @Nullable String backend;

  Device open() {
    return open(Profiler.off());
  }

  /** The device, measured by a profiler. */
  Device open(Profiler profiler) {
    return backend == null ? profiler.open() : profiler.open(backend);
  }
}
