package dev.gradus.io;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file whose content breaks the rules of its format. The text names the file, the tensor, the
 * rule, and the way out.
 */
public final class MalformedFileException extends IOException {
  private static final long serialVersionUID = 1L;

  MalformedFileException(Path file, String what) {
    super(text(file, what));
  }

  MalformedFileException(Path file, String what, Throwable cause) {
    super(text(file, what), cause);
  }

  private static String text(Path file, String what) {
    return file
        + ": "
        + what
        + "; the file is damaged or is no safetensors file: copy, download or save it again";
  }
}
