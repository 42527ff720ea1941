package dev.gradus.spi;

/**
 * The service through which a backend is found. Its constructor does nothing: no native code, no
 * log line, no choice.
 */
public interface BackendProvider {
  /** The name by which users ask for it: {@code cpu}, {@code cuda}. */
  String name();

  /** Its rank when nobody asks for one; the usable one with the highest wins, ties by name. */
  int priority();

  /** Finds out whether it can be used; cheap, and never throws. */
  Probe probe();

  /**
   * Opens one of its devices.
   *
   * @param ordinal the device's number, from 0
   * @throws BackendException if there is no such device, or it cannot be opened
   */
  Backend open(int ordinal);
}
