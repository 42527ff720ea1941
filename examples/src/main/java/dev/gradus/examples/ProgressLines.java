package dev.gradus.examples;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Progress as plain lines, one every few seconds: for files and pipes. */
final class ProgressLines implements Progress {
  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final double NANOS_PER_SECOND = 1e9;

  private final PrintWriter err;
  private final LongSupplier clock;
  private final long all;
  private int epoch;
  private long begun;
  private long told;

  /**
   * Lines.
   *
   * @param clock nanoseconds from any origin
   * @param all the names of an epoch
   */
  ProgressLines(PrintWriter err, LongSupplier clock, long all) {
    this.err = err;
    this.clock = clock;
    this.all = all;
    this.told = clock.getAsLong();
  }

  @Override
  public void begin(int number) {
    epoch = number;
    begun = clock.getAsLong();
  }

  @Override
  public void step(long names, double loss, String rates) {
    long now = clock.getAsLong();
    if (now - told >= PAUSE_NANOS) {
      told = now;
      err.printf(
          Locale.ROOT,
          "epoch %d: %,d of %,d names, loss %.4f, lr %s, %,.0f names per second%n",
          epoch,
          names,
          all,
          loss,
          rates,
          names * NANOS_PER_SECOND / Math.max(1, now - begun));
    }
  }

  @Override
  public void close() {}
}
