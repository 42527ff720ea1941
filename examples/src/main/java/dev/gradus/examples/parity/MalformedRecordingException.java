package dev.gradus.examples.parity;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A recording that breaks a rule of its format. The text names the file, the place and the rule.
 */
public final class MalformedRecordingException extends IOException {
  private static final long serialVersionUID = 1L;

  MalformedRecordingException(Path file, String what) {
    super(file + ": " + what);
  }

  MalformedRecordingException(Path file, String what, Throwable cause) {
    super(file + ": " + what, cause);
  }
}
