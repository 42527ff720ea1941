package dev.gradus.spi;

/** A device or a backend that cannot do what was asked: absent, unusable, closed, or failed. */
public final class BackendException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An error with its text: who, what was given, the way out. */
  public BackendException(String message) {
    super(message);
  }

  /** An error with its text and the first cause. */
  public BackendException(String message, Throwable cause) {
    super(message, cause);
  }
}
