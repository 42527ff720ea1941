package dev.gradus.spi;

/**
 * A device's refusal of memory, thrown by {@link PrimitiveOps#allocate} and handled by the caller.
 */
public final class DeviceMemoryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** A refusal with the device's own words. */
  public DeviceMemoryException(String message) {
    super(message);
  }
}
