package dev.gradus.io;

import dev.gradus.optim.OptimizerState;
import dev.gradus.optim.StateBuffer;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Values of a state, of an optimizer or of averages, that are still in an open file.
 *
 * @param reader the file
 * @param name their tensor
 * @param dtype the type that they are read as
 * @param shape their shape
 */
record FileBuffer(SafeTensorsReader reader, String name, DType dtype, Shape shape)
    implements StateBuffer {
  @Override
  public void copyInto(Tensor target) {
    try {
      reader.readInto(name, target);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A tensor of an open file, of a type that can be read. */
  static FileBuffer of(SafeTensorsReader reader, String name) {
    return new FileBuffer(reader, name, reader.dtype(name), reader.shape(name));
  }

  /**
   * A parameter's part of a state, as JSON tells it.
   *
   * @param prefix what stands before the name of a buffer in that of its tensor
   */
  static OptimizerState.OfParameter parameter(
      String prefix, SafeTensorsReader reader, StrictJson json) throws IOException {
    json.begin();
    long steps = json.field("steps").count();
    List<String> names = json.field("buffers").list(json::text);
    Map<String, Double> scalars = json.field("scalars").map(json::number);
    json.end();
    Map<String, StateBuffer> buffers = new LinkedHashMap<>();
    for (String name : names) {
      String tensor = prefix + name;
      if (!reader.contains(tensor)) {
        throw json.malformed(
            "it names a tensor " + Names.quote(tensor) + ", which is not in the file");
      }
      if (reader.entry(tensor).type().readAs() == null) {
        throw json.malformed(
            "it names a tensor "
                + Names.quote(tensor)
                + " of "
                + reader.storedType(tensor)
                + ", which cannot be read");
      }
      buffers.put(name, of(reader, tensor));
    }
    return new OptimizerState.OfParameter(steps, buffers, scalars);
  }
}
