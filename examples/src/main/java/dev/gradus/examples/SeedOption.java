package dev.gradus.examples;

import picocli.CommandLine.Option;

/** The option of every command with chance in it: where the random numbers start. */
final class SeedOption {
  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Start of the random numbers; default: ${DEFAULT-VALUE}.")
  private long seed;

  long value() {
    return seed;
  }
}
