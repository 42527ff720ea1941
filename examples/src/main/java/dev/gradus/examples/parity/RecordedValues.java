package dev.gradus.examples.parity;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gradus.examples.parity.Recording.Values;
import dev.gradus.io.SafeTensorsReader;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Values as they stand in a description: a list of numbers, or the name of a tensor. */
final class RecordedValues {
  private final Path file;
  private final @Nullable SafeTensorsReader tensors;

  RecordedValues(Path file, @Nullable SafeTensorsReader tensors) {
    this.file = file;
    this.tensors = tensors;
  }

  /** How many rows a list, or a tensor, has. */
  long count(JsonNode node, String where) throws MalformedRecordingException {
    if (!node.isTextual()) {
      return node.size();
    }
    Shape shape = named(node, where).shape(node.textValue());
    return shape.rank() == 0 ? 1 : shape.dim(0);
  }

  /**
   * The values of a tensor that has this type and shape.
   *
   * @throws MalformedRecordingException if it has another, or its values are none
   */
  Values read(JsonNode node, DType dtype, Shape shape, String where)
      throws MalformedRecordingException {
    if (node.isTextual()) {
      return tensor(node, dtype, shape, where);
    }
    if (!node.isArray()) {
      throw malformed(where + ": a list of numbers is expected, row by row, or a tensor's name");
    }
    if (node.size() != shape.numel()) {
      throw malformed(
          where
              + ": there are "
              + node.size()
              + " numbers but the shape is "
              + shape
              + ", which has "
              + shape.numel()
              + " elements");
    }
    return dtype == DType.I64 ? whole(node, shape, where) : numbers(node, dtype, shape, where);
  }

  private Values tensor(JsonNode node, DType dtype, Shape shape, String where)
      throws MalformedRecordingException {
    SafeTensorsReader reader = named(node, where);
    String name = node.textValue();
    if (!reader.shape(name).equals(shape) || reader.dtype(name) != dtype) {
      throw malformed(
          where
              + ": tensor "
              + Quoted.of(name)
              + " is "
              + reader.dtype(name).label()
              + " "
              + reader.shape(name)
              + " but "
              + dtype.label()
              + " "
              + shape
              + " is expected");
    }
    return device -> reader.read(name, device);
  }

  private SafeTensorsReader named(JsonNode node, String where) throws MalformedRecordingException {
    String name = node.textValue();
    if (tensors == null) {
      throw malformed(
          where
              + ": "
              + Quoted.of(name)
              + " names a tensor, and a JSON file has none; write a list of numbers");
    }
    if (!tensors.contains(name)) {
      throw malformed(where + ": there is no tensor " + Quoted.of(name) + " in the file");
    }
    return tensors;
  }

  private Values numbers(JsonNode node, DType dtype, Shape shape, String where)
      throws MalformedRecordingException {
    double[] numbers = new double[node.size()];
    for (int i = 0; i < numbers.length; i++) {
      if (!node.path(i).isNumber()) {
        throw malformed(where + ": element " + i + " is no number");
      }
      numbers[i] = node.path(i).doubleValue();
    }
    return device -> device.tensor(numbers, shape).to(dtype);
  }

  private Values whole(JsonNode node, Shape shape, String where)
      throws MalformedRecordingException {
    long[] numbers = new long[node.size()];
    for (int i = 0; i < numbers.length; i++) {
      if (!node.path(i).isIntegralNumber() || !node.path(i).canConvertToLong()) {
        throw malformed(where + ": row " + i + " is no whole number");
      }
      numbers[i] = node.path(i).longValue();
    }
    return device -> device.tensor(numbers, shape);
  }

  private MalformedRecordingException malformed(String what) {
    return new MalformedRecordingException(file, what);
  }
}
