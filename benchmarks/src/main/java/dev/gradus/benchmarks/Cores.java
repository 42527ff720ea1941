package dev.gradus.benchmarks;

/** The number of threads that every engine gets: Gradus's own property, for all alike. */
final class Cores {
  static final String PROPERTY = "gradus.threads";

  private Cores() {}

  /** What the property says, else one for each processor. */
  static int count() {
    return Integer.getInteger(PROPERTY, Runtime.getRuntime().availableProcessors());
  }
}
