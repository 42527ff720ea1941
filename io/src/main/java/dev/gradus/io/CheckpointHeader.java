package dev.gradus.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.gradus.optim.OptimizerState;
import dev.gradus.tensor.GeneratorState;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a checkpoint says in its metadata, as JSON under one key: everything but the values of
 * tensors. Those of a model stand in the file as {@code model.NAME}, with the part's name before
 * the dot, averages of a model as {@code averages.module.NAME}, and an optimizer's buffers as
 * {@code optimizer.PARAMETER.BUFFER}.
 *
 * @param notes the user's notes
 * @param models the names of the models
 * @param averages the names of the averages of models
 * @param optimizers the optimizers' states by name, without the values of their buffers
 * @param generators the generators' states by name
 */
record CheckpointHeader(
    Notes notes,
    List<String> models,
    List<String> averages,
    Map<String, OptimizerState> optimizers,
    Map<String, GeneratorState> generators) {
  /** The key of the metadata. */
  static final String KEY = "gradus.checkpoint";

  private static final long FORMAT = 1;

  /** The name of a buffer's tensor. */
  static String tensorName(String optimizer, String parameter, String buffer) {
    return optimizer + "." + parameter + "." + buffer;
  }

  /** The version of this library, as its build names it. */
  static String version() {
    try (InputStream in =
        Objects.requireNonNull(CheckpointHeader.class.getResourceAsStream("version.txt"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ---- writing

  /** The header as JSON. */
  String toJson() {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.writeStartObject();
      json.writeStringField("version", version());
      json.writeNumberField("format", FORMAT);
      json.writeNumberField("step", notes.step());
      writeNumbers(json, "numbers", notes.numbers());
      json.writeObjectFieldStart("texts");
      for (Map.Entry<String, String> e : notes.texts().entrySet()) {
        json.writeStringField(e.getKey(), e.getValue());
      }
      json.writeEndObject();
      writeTexts(json, "models", models);
      writeTexts(json, "averages", averages);
      json.writeObjectFieldStart("optimizers");
      for (Map.Entry<String, OptimizerState> e : optimizers.entrySet()) {
        json.writeFieldName(e.getKey());
        write(json, e.getValue());
      }
      json.writeEndObject();
      json.writeObjectFieldStart("generators");
      for (Map.Entry<String, GeneratorState> e : generators.entrySet()) {
        json.writeStringField(
            e.getKey(), Base64.getEncoder().encodeToString(e.getValue().toBytes()));
      }
      json.writeEndObject();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toString();
  }

  private static void write(JsonGenerator json, OptimizerState state) throws IOException {
    json.writeStartObject();
    json.writeStringField("kind", state.kind());
    writeNumbers(json, "schedule", state.schedule());
    json.writeArrayFieldStart("groups");
    for (OptimizerState.Group g : state.groups()) {
      json.writeStartObject();
      json.writeStringField("name", g.name());
      writeTexts(json, "parameters", g.parameters());
      json.writeObjectFieldStart("options");
      for (Map.Entry<String, ?> e : g.options().entrySet()) {
        json.writeFieldName(e.getKey());
        writeOption(json, e.getValue());
      }
      json.writeEndObject();
      writeNumbers(json, "schedule", g.schedule());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeObjectFieldStart("parameters");
    for (Map.Entry<String, OptimizerState.OfParameter> e : state.parameters().entrySet()) {
      json.writeObjectFieldStart(e.getKey());
      json.writeNumberField("steps", e.getValue().steps());
      writeTexts(json, "buffers", e.getValue().buffers().keySet());
      writeNumbers(json, "scalars", e.getValue().scalars());
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void writeTexts(JsonGenerator json, String field, Iterable<String> texts)
      throws IOException {
    json.writeArrayFieldStart(field);
    for (String text : texts) {
      json.writeString(text);
    }
    json.writeEndArray();
  }

  private static void writeNumbers(JsonGenerator json, String field, Map<String, Double> numbers)
      throws IOException {
    json.writeObjectFieldStart(field);
    for (Map.Entry<String, Double> e : numbers.entrySet()) {
      json.writeNumberField(e.getKey(), e.getValue());
    }
    json.writeEndObject();
  }

  private static void writeOption(JsonGenerator json, Object value) throws IOException {
    if (value instanceof List<?> list) {
      json.writeStartArray();
      for (Object element : list) {
        writeOption(json, element);
      }
      json.writeEndArray();
    } else {
      json.writePOJO(value);
    }
  }

  // ---- reading

  /**
   * The header of an open file, checked. The buffers of its optimizers' states are read when they
   * are asked for.
   *
   * @throws IllegalArgumentException if the file is no checkpoint
   * @throws MalformedFileException if it is a damaged one
   */
  static CheckpointHeader read(Path file, SafeTensorsReader reader) throws IOException {
    String json = reader.metadata().get(KEY);
    if (json == null) {
      throw new IllegalArgumentException(
          "Checkpoint.load: "
              + file
              + " is no checkpoint: it has no metadata '"
              + KEY
              + "'; SafeTensors.loadInto(file, module) reads a file of tensors");
    }
    return StrictJson.read(file, "the checkpoint", json, j -> parse(file, reader, j));
  }

  private static CheckpointHeader parse(Path file, SafeTensorsReader reader, StrictJson json)
      throws IOException {
    json.begin();
    String version = json.field("version").text();
    checkFormat(file, version, json.field("format").count());
    long step = json.field("step").count();
    Map<String, Double> numbers = json.field("numbers").map(json::number);
    Map<String, String> texts = json.field("texts").map(json::text);
    List<String> models = json.field("models").list(json::text);
    List<String> averages = json.field("averages").list(json::text);
    Map<String, OptimizerState> optimizers =
        json.field("optimizers").entries(name -> optimizer(name, reader, json));
    Map<String, GeneratorState> generators = json.field("generators").map(() -> generator(json));
    json.end();
    Notes notes = json.legal(() -> new Notes(step, new TreeMap<>(numbers), new TreeMap<>(texts)));
    CheckpointHeader header = new CheckpointHeader(notes, models, averages, optimizers, generators);
    header.checkOwners(reader, json);
    return header;
  }

  /** A tensor that no part has was lost by one. */
  private void checkOwners(SafeTensorsReader reader, StrictJson json) throws IOException {
    Set<String> buffers = new HashSet<>();
    optimizers.forEach(
        (part, state) ->
            state
                .parameters()
                .forEach(
                    (parameter, kept) ->
                        kept.buffers()
                            .keySet()
                            .forEach(b -> buffers.add(tensorName(part, parameter, b)))));
    for (String name : reader.allNames()) {
      // The parts of a checkpoint have no dots.
      String part = name.substring(0, Math.max(0, name.indexOf('.')));
      if (!models.contains(part) && !averages.contains(part) && !buffers.contains(name)) {
        throw json.malformed("the tensor " + Names.quote(name) + " belongs to none of its parts");
      }
    }
  }

  private static void checkFormat(Path file, String version, long format) {
    if (format != FORMAT) {
      throw new IllegalArgumentException(
          "Checkpoint.load: "
              + file
              + " has format "
              + format
              + " of release "
              + Names.quote(version)
              + "; this one, '"
              + version()
              + "', reads format "
              + FORMAT
              + ": load it with the release that wrote it");
    }
  }

  private static OptimizerState optimizer(String name, SafeTensorsReader reader, StrictJson json)
      throws IOException {
    json.begin();
    String kind = json.field("kind").text();
    Map<String, Double> schedule = json.field("schedule").map(json::number);
    List<OptimizerState.Group> groups = json.field("groups").list(() -> group(json));
    Map<String, OptimizerState.OfParameter> parameters =
        json.field("parameters")
            .entries(parameter -> FileBuffer.parameter(name + "." + parameter + ".", reader, json));
    json.end();
    return json.legal(() -> new OptimizerState(kind, schedule, groups, parameters));
  }

  private static OptimizerState.Group group(StrictJson json) throws IOException {
    json.begin();
    String name = json.field("name").text();
    List<String> parameters = json.field("parameters").list(json::text);
    Map<String, Object> options = json.field("options").map(json::option);
    Map<String, Double> schedule = json.field("schedule").map(json::number);
    json.end();
    return new OptimizerState.Group(name, parameters, new TreeMap<>(options), schedule);
  }

  private static GeneratorState generator(StrictJson json) throws IOException {
    byte[] bytes = json.bytes();
    return json.legal(() -> GeneratorState.fromBytes(bytes));
  }
}
