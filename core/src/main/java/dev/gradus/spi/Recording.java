package dev.gradus.spi;

/**
 * Work that a device recorded once and does as a whole as often as it is asked to, on the same
 * memory. {@link Backend#record} makes one.
 */
public interface Recording extends AutoCloseable {
  /**
   * Does the work once more.
   *
   * @param offset where the recorded dropouts begin in their stream
   * @param renew steps the plans that were stepped in the recording, each once: now they take new
   *     numbers for the recorded work and do none of their own
   * @throws IllegalStateException if a plan would work in another way than was recorded
   */
  void replay(long offset, Runnable renew);

  /** Gives the memory back that was kept for the work. */
  @Override
  void close();
}
