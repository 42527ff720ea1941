package dev.gradus.backend.cpu;

/**
 * Whether {@link Math#fma(float, float, float)} is one instruction here. Where it is not, it goes
 * through BigDecimal and costs some 500 times as much.
 */
final class HardwareFma {
  /** What was found, once a process. */
  static final boolean PRESENT = detect();

  private static final int PROBE_CALLS = 2000;

  /** Far above an instruction's time even when interpreted, far below BigDecimal's. */
  private static final long NANOS_PER_CALL = 300;

  private HardwareFma() {}

  private static boolean detect() {
    try {
      return "true".equals(VmOptions.get("UseFMA"));
    } catch (ReflectiveOperationException | LinkageError e) {
      return timed();
    }
  }

  /** The best of a few timings. */
  static boolean timed() {
    long best = Long.MAX_VALUE;
    double sum = 0;
    for (int round = 0; round < 5; round++) {
      long start = System.nanoTime();
      for (int i = 0; i < PROBE_CALLS; i++) {
        sum = Math.fma(0.999, sum, i * 0.1);
      }
      best = Math.min(best, System.nanoTime() - start);
    }
    return best < NANOS_PER_CALL * PROBE_CALLS && sum != 0;
  }
}
