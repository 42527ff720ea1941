package dev.gradus.examples.parity;

import dev.gradus.io.SafeTensors;
import dev.gradus.io.SafeTensorsReader;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A recorded trajectory of an optimizer: where its parameters started, and for each step the
 * gradients, the groups with their options, and the values after it. All rules of the format hold;
 * values are read when they are asked for.
 */
public final class Recording implements Closeable {
  /** The text of a safetensors file's metadata that describes a recording. */
  static final String METADATA = "gradus.recording";

  private static final String SAFETENSORS = ".safetensors";

  private final Path file;
  private final String source;
  private final String optimizer;
  private final Optimizers.Kind<?> kind;
  private final Map<String, Start> parameters;
  private final List<Step> steps;
  private final @Nullable SafeTensorsReader tensors;

  Recording(
      Path file,
      String source,
      String optimizer,
      Optimizers.Kind<?> kind,
      Map<String, Start> parameters,
      List<Step> steps,
      @Nullable SafeTensorsReader tensors) {
    this.file = file;
    this.source = source;
    this.optimizer = optimizer;
    this.kind = kind;
    this.parameters = parameters;
    this.steps = steps;
    this.tensors = tensors;
  }

  /**
   * Opens a recording: a file that ends in {@code .safetensors}, or JSON.
   *
   * @throws MalformedRecordingException if it breaks a rule of the format, or names an optimizer or
   *     an option that this engine does not have
   * @throws IOException if it cannot be read
   */
  public static Recording open(Path file) throws IOException {
    if (!file.toString().endsWith(SAFETENSORS)) {
      return new RecordingParser(file, null).parse(text(file));
    }
    SafeTensorsReader tensors = SafeTensors.open(file);
    boolean opened = false;
    try {
      String json = tensors.metadata().get(METADATA);
      if (json == null) {
        throw new MalformedRecordingException(
            file,
            "its metadata has no text '" + METADATA + "'; it is no recording, see docs/parity.md");
      }
      Recording recording = new RecordingParser(file, tensors).parse(json);
      opened = true;
      return recording;
    } finally {
      if (!opened) {
        tensors.close();
      }
    }
  }

  private static String text(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException("parity: " + file + " is a folder; name the recording in it");
    }
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new IOException("parity: " + file + " does not exist; check the path", e);
    } catch (MalformedInputException e) {
      throw new MalformedRecordingException(file, "it is neither JSON nor *" + SAFETENSORS, e);
    }
  }

  /** The file that it stands in. */
  public Path file() {
    return file;
  }

  /** What recorded it, as {@code torch 2.13.0}; empty where the file does not say. */
  public String source() {
    return source;
  }

  /** The optimizer, by PyTorch's name of its class. */
  public String optimizer() {
    return optimizer;
  }

  Optimizers.Kind<?> kind() {
    return kind;
  }

  /** Every parameter by name, those of groups added later too. */
  Map<String, Start> parameters() {
    return parameters;
  }

  /** The steps, in order. */
  List<Step> steps() {
    return steps;
  }

  /** Recorded values, as a tensor of the recorded shape and type. */
  @FunctionalInterface
  interface Values {
    /** The values on a device, born into the scope that is open. */
    Tensor on(Device device) throws IOException;
  }

  /**
   * A parameter as it was before its first step.
   *
   * @param dtype float32 or float64
   * @param shape its shape
   * @param initial its values
   */
  record Start(DType dtype, Shape shape, Values initial) {}

  /**
   * One step.
   *
   * @param groups all groups as they are in this step
   * @param gradients by name; a parameter without a gradient in this step has none
   * @param values by name, of every parameter in a group, after the step
   */
  record Step(List<Group> groups, Map<String, Gradient> gradients, Map<String, Values> values) {
    /** The values of a parameter in a group, after the step. */
    Values after(String parameter) {
      return Objects.requireNonNull(values.get(parameter), parameter);
    }
  }

  /**
   * A group in one step.
   *
   * @param name its name
   * @param parameters the names of its parameters
   * @param options the options that differ from the optimizer's defaults, by PyTorch's names
   */
  record Group(String name, List<String> parameters, Map<String, Object> options) {}

  /**
   * A gradient.
   *
   * @param rows the rows of the table that it is for; null where it is for every element
   * @param values its values
   */
  record Gradient(@Nullable Values rows, Values values) {}

  /** What it is, in one line. */
  @Override
  public String toString() {
    int groups = steps.get(steps.size() - 1).groups().size();
    return optimizer
        + ": "
        + counted(steps.size(), "step")
        + " of "
        + counted(parameters.size(), "parameter")
        + " in "
        + counted(groups, "group")
        + (source.isEmpty() ? "" : ", recorded by " + source);
  }

  private static String counted(int n, String what) {
    return n + " " + what + (n == 1 ? "" : "s");
  }

  /** Closes the file. */
  @Override
  public void close() throws IOException {
    if (tensors != null) {
      tensors.close();
    }
  }
}
