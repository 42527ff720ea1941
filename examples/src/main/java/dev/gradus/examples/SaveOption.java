package dev.gradus.examples;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option of every command that trains: where the model goes. */
final class SaveOption {
  @Option(
      names = "--save",
      paramLabel = "FILE",
      description = "Writes the trained model to this file, in the safetensors format.")
  private @Nullable Path file;

  /** The file; null when the model is not to be saved. */
  @Nullable Path file() {
    return file;
  }

  /** Refuses a file that could not be written, before time is spent on the training. */
  void check(Context context) {
    if (file != null) {
      context.writable("--save", file);
    }
  }
}
