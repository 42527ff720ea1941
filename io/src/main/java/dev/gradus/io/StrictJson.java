package dev.gradus.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Reads JSON of a known form, value by value: what has another form is refused where it begins. */
final class StrictJson {
  private static final int MAX_DEPTH = 16;

  private static final Map<String, Double> NOT_FINITE =
      Map.of(
          "NaN", Double.NaN,
          "Infinity", Double.POSITIVE_INFINITY,
          "-Infinity", Double.NEGATIVE_INFINITY);

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .configure(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES, false)
          .configure(JsonFactory.Feature.INTERN_FIELD_NAMES, false)
          .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNameLength(HeaderParser.MAX_NAME)
                  .maxStringLength(HeaderParser.MAX_BYTES)
                  .build())
          .build();

  private final Path file;
  private final String document;
  private final JsonParser parser;

  /** Reads the value that the parser stands at. */
  @FunctionalInterface
  interface Value<T> {
    /** The value. */
    T read() throws IOException;
  }

  /** Reads the value of an entry. */
  @FunctionalInterface
  interface Entry<T> {
    /** The value of the entry with this name. */
    T read(String name) throws IOException;
  }

  private StrictJson(Path file, String document, JsonParser parser) {
    this.file = file;
    this.document = document;
    this.parser = parser;
  }

  /** What reads a document. */
  @FunctionalInterface
  interface Reader<T> {
    /** The document, which the parser stands before. */
    T read(StrictJson json) throws IOException;
  }

  /**
   * Reads a text that stands in a file.
   *
   * @param document what it is, in messages
   * @throws MalformedFileException if it is not JSON, or of another form
   */
  static <T> T read(Path file, String document, String text, Reader<T> reader) throws IOException {
    try (JsonParser parser = JSON.createParser(text)) {
      StrictJson json = new StrictJson(file, document, parser);
      parser.nextToken();
      T value = reader.read(json);
      if (parser.nextToken() != null) {
        throw json.malformed("goes on after its JSON object");
      }
      return value;
    } catch (JsonProcessingException e) {
      throw new MalformedFileException(
          file, document + " is not JSON: " + Names.quote(e.getOriginalMessage()), e);
    }
  }

  /** Steps into an object with fields in a fixed order. */
  void begin() throws IOException {
    expect(JsonToken.START_OBJECT, "an object");
  }

  /** Steps to the value of the field that comes next. */
  StrictJson field(String name) throws IOException {
    if (parser.nextToken() != JsonToken.FIELD_NAME || !parser.currentName().equals(name)) {
      throw malformed(at() + " stands where the field '" + name + "' belongs");
    }
    parser.nextToken();
    return this;
  }

  /** Steps out of an object, which has no more fields. */
  void end() throws IOException {
    if (parser.nextToken() != JsonToken.END_OBJECT) {
      throw malformed(at() + " is a field too many");
    }
  }

  /** An object with values of one form by name, in order. */
  <T> Map<String, T> map(Value<T> value) throws IOException {
    return entries(name -> value.read());
  }

  /** An object with values by name, in order. */
  <T> Map<String, T> entries(Entry<T> entry) throws IOException {
    Map<String, T> map = new LinkedHashMap<>();
    begin();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      if (map.containsKey(name)) {
        throw malformed(at() + " comes twice");
      }
      parser.nextToken();
      map.put(name, entry.read(name));
    }
    return map;
  }

  /** An array with values of one form. */
  <T> List<T> list(Value<T> value) throws IOException {
    List<T> list = new ArrayList<>();
    expect(JsonToken.START_ARRAY, "an array");
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      list.add(value.read());
    }
    return list;
  }

  /** A text. */
  String text() throws IOException {
    expect(JsonToken.VALUE_STRING, "a text");
    return parser.getText();
  }

  /** Bytes, which stand as Base64. */
  byte[] bytes() throws IOException {
    String text = text();
    try {
      byte[] bytes = Base64.getDecoder().decode(text);
      // The decoder passes over bits that no byte has.
      if (Base64.getEncoder().encodeToString(bytes).equals(text)) {
        return bytes;
      }
    } catch (IllegalArgumentException e) {
      // Refused as what decodes to fewer bits is.
    }
    throw malformed(at() + " is not Base64");
  }

  /** A whole number of at least 0. */
  long count() throws IOException {
    if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
        || parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
        || parser.getLongValue() < 0) {
      throw malformed(at() + " is no whole number in [0, 2^63 - 1]");
    }
    return parser.getLongValue();
  }

  /** A number; one that is not finite stands as a text. */
  double number() throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_STRING) {
      Double special = NOT_FINITE.get(parser.getText());
      if (special != null) {
        return special;
      }
    }
    if (!parser.currentToken().isNumeric()) {
      throw malformed(at() + " is no number");
    }
    return parser.getDoubleValue();
  }

  /** A number, a truth value, another text, or a list of them. */
  Object option() throws IOException {
    return switch (parser.currentToken()) {
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_STRING -> NOT_FINITE.containsKey(parser.getText()) ? number() : parser.getText();
      case START_ARRAY -> list(this::option);
      default -> number();
    };
  }

  private void expect(JsonToken token, String what) throws IOException {
    if (parser.currentToken() != token) {
      throw malformed(at() + " is not " + what);
    }
  }

  /** Where the parser stands, as a JSON pointer. */
  private String at() {
    String pointer = parser.getParsingContext().pathAsPointer().toString();
    return pointer.isEmpty() ? "it" : Names.quote(pointer);
  }

  /** A value made of what was read, which breaks a rule where that is damaged. */
  <T> T legal(Supplier<T> value) throws MalformedFileException {
    try {
      return value.get();
    } catch (IllegalArgumentException e) {
      throw malformed(String.valueOf(e.getMessage()));
    }
  }

  /** The error of a document that says something impossible. */
  MalformedFileException malformed(String what) {
    return new MalformedFileException(file, document + ": " + what);
  }
}
