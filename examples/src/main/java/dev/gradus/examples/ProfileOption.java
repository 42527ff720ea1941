package dev.gradus.examples;

import dev.gradus.tensor.Profiler;
import picocli.CommandLine.Option;

/** The option of every command that trains: whether to tell what its operations cost. */
final class ProfileOption {
  /** The JVM compiles what a step runs in its first few hundred; a short training has no more. */
  private static final int WARM_UP = 100;

  @Option(
      names = "--profile",
      description =
          "Prints what each operation of a step costs to standard error, the first steps left out.")
  private boolean profile;

  /** What opens the device and measures the steps. */
  Profiler profiler() {
    return profile ? Profiler.afterSteps(WARM_UP) : Profiler.off();
  }

  /** Prints what was measured, if that was asked for. */
  void report(Context context, Profiler profiler) {
    if (profile) {
      context.err().print(profiler.profile());
      context.err().flush();
    }
  }
}
