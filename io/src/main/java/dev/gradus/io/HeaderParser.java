package dev.gradus.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import dev.gradus.types.Shape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the header of a file and checks every rule, before any memory for a tensor is taken. */
final class HeaderParser {
  /* What it takes is bounded by the size of the file: no table is sized by a number that the file gives, a
   * shape has at most MAX_RANK sizes, names are not kept in a symbol table, and keys that come twice are
   * found by the maps that are built anyway. */

  /** The format's own limit, in bytes. */
  static final int MAX_BYTES = 100_000_000;

  /** The length of the header, which comes first. */
  static final int PREFIX_BYTES = Long.BYTES;

  private static final int MAX_RANK = 64;

  /** The longest name of a tensor or a text, in characters. */
  static final int MAX_NAME = 10_000;

  /** An object of tensors, a tensor, its shape. */
  private static final int MAX_DEPTH = 3;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .configure(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES, false)
          .configure(JsonFactory.Feature.INTERN_FIELD_NAMES, false)
          .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNameLength(MAX_NAME)
                  .maxStringLength(MAX_BYTES)
                  .build())
          .build();

  private final Path file;
  private final long size;
  private final Map<String, TensorEntry> entries = new LinkedHashMap<>();
  private final Map<String, String> aliases = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private boolean metadataSeen;
  private long dataBytes;

  private HeaderParser(Path file, long size) {
    this.file = file;
    this.size = size;
  }

  /**
   * Reads and checks the header of an open file.
   *
   * @throws MalformedFileException if it breaks a rule of the format
   */
  static Header parse(Path file, FileChannel channel) throws IOException {
    return new HeaderParser(file, channel.size()).parse(channel);
  }

  private Header parse(FileChannel channel) throws IOException {
    int length = length(channel);
    dataBytes = size - PREFIX_BYTES - length;
    byte[] json = new byte[length];
    readFully(channel, ByteBuffer.wrap(json), PREFIX_BYTES);
    if (length == 0 || json[0] != '{') {
      throw malformed("the header does not begin with '{'");
    }
    try (JsonParser p =
        JSON.createParser(
            new InputStreamReader(
                new ByteArrayInputStream(json), StandardCharsets.UTF_8.newDecoder()))) {
      readObject(p);
    } catch (JsonProcessingException e) {
      throw new MalformedFileException(
          file, "the header is not JSON: " + Names.quote(e.getOriginalMessage()), e);
    } catch (CharacterCodingException e) {
      throw new MalformedFileException(file, "the header is not UTF-8", e);
    }
    checkCoverage();
    checkAliases();
    return new Header(
        Collections.unmodifiableMap(entries),
        Collections.unmodifiableMap(aliases),
        Collections.unmodifiableMap(metadata),
        (long) PREFIX_BYTES + length);
  }

  private int length(FileChannel channel) throws IOException {
    if (size < PREFIX_BYTES) {
      throw malformed(
          "the file has " + size + " bytes; the length of the header alone takes " + PREFIX_BYTES);
    }
    ByteBuffer prefix = ByteBuffer.allocate(PREFIX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    readFully(channel, prefix, 0);
    long length = prefix.getLong(0);
    if (length < 0 || length > MAX_BYTES) {
      throw malformed(
          "the length of the header is "
              + Long.toUnsignedString(length)
              + " bytes; at most "
              + MAX_BYTES
              + " are allowed");
    }
    if (length > size - PREFIX_BYTES) {
      throw malformed(
          "the header should have "
              + length
              + " bytes but the file ends after "
              + (size - PREFIX_BYTES)
              + " of them: it is truncated");
    }
    return (int) length;
  }

  private void readFully(FileChannel channel, ByteBuffer into, long from) throws IOException {
    while (into.hasRemaining()) {
      if (channel.read(into, from + into.position()) < 0) {
        throw malformed("the file became shorter while it was read");
      }
    }
  }

  // ---- the JSON

  private void readObject(JsonParser p) throws IOException {
    p.nextToken();
    while (p.nextToken() == JsonToken.FIELD_NAME) {
      String name = p.currentName();
      p.nextToken();
      if (name.equals(Names.METADATA)) {
        readMetadata(p);
      } else {
        readTensor(p, name);
      }
    }
    if (p.nextToken() != null) {
      throw malformed("the header goes on after its JSON object");
    }
  }

  private void readMetadata(JsonParser p) throws IOException {
    if (metadataSeen) {
      throw malformed("'" + Names.METADATA + "' comes twice");
    }
    metadataSeen = true;
    if (p.currentToken() != JsonToken.START_OBJECT) {
      throw malformed("'" + Names.METADATA + "' is no JSON object of texts");
    }
    while (p.nextToken() == JsonToken.FIELD_NAME) {
      String key = p.currentName();
      if (p.nextToken() != JsonToken.VALUE_STRING) {
        throw malformed("the metadata " + Names.quote(key) + " is no text");
      }
      String value = p.getText();
      if (!Names.isText(key) || !Names.isText(value)) {
        throw malformed("the metadata " + Names.quote(key) + " has half a surrogate pair");
      }
      boolean alias = key.startsWith(Names.ALIAS);
      String name = alias ? key.substring(Names.ALIAS.length()) : key;
      if ((alias ? aliases : metadata).putIfAbsent(name, value) != null) {
        throw malformed("the metadata " + Names.quote(key) + " comes twice");
      }
    }
  }

  private void readTensor(JsonParser p, String name) throws IOException {
    if (!Names.isText(name)) {
      throw malformed(name, "the name has half a surrogate pair");
    }
    if (p.currentToken() != JsonToken.START_OBJECT) {
      throw malformed(name, "its entry is no JSON object");
    }
    ElementType type = null;
    Shape shape = null;
    long[] offsets = null;
    while (p.nextToken() == JsonToken.FIELD_NAME) {
      String field = p.currentName();
      p.nextToken();
      switch (field) {
        case "dtype" -> type = once(name, field, type, readType(p, name));
        case "shape" -> shape = once(name, field, shape, readShape(p, name));
        case "data_offsets" -> offsets = once(name, field, offsets, readOffsets(p, name));
        default ->
            throw malformed(
                name, "unknown field " + Names.quote(field) + " beside dtype, shape, data_offsets");
      }
    }
    if (type == null || shape == null || offsets == null) {
      String lacks = type == null ? "dtype" : shape == null ? "shape" : "data_offsets";
      throw malformed(name, "'" + lacks + "' is missing");
    }
    TensorEntry entry = new TensorEntry(name, type, shape, offsets[0], offsets[1]);
    checkBytes(entry);
    if (entries.putIfAbsent(name, entry) != null) {
      throw malformed(name, "it comes twice");
    }
  }

  private <T> T once(String name, String field, @Nullable T before, T now)
      throws MalformedFileException {
    if (before != null) {
      throw malformed(name, "'" + field + "' comes twice");
    }
    return now;
  }

  private ElementType readType(JsonParser p, String name) throws IOException {
    if (p.currentToken() != JsonToken.VALUE_STRING) {
      throw malformed(name, "'dtype' is no text");
    }
    ElementType type = ElementType.named(p.getText());
    if (type == null) {
      throw malformed(
          name,
          "unknown dtype "
              + Names.quote(p.getText())
              + "; known are "
              + Arrays.toString(ElementType.values()));
    }
    return type;
  }

  private Shape readShape(JsonParser p, String name) throws IOException {
    long[] dims = readNumbers(p, name, "shape", MAX_RANK);
    long product = 1;
    for (long d : dims) {
      // Without the zeros: their order must not decide whether the others overflow.
      long factor = Math.max(d, 1);
      if (product > Long.MAX_VALUE / factor) {
        throw malformed(name, "the shape " + Arrays.toString(dims) + " passes 2^63 - 1 elements");
      }
      product *= factor;
    }
    return Shape.of(dims);
  }

  private long[] readOffsets(JsonParser p, String name) throws IOException {
    long[] offsets = readNumbers(p, name, "data_offsets", 2);
    if (offsets.length != 2) {
      throw malformed(name, "'data_offsets' has " + offsets.length + " numbers; it takes 2");
    }
    return offsets;
  }

  private long[] readNumbers(JsonParser p, String name, String field, int most) throws IOException {
    if (p.currentToken() != JsonToken.START_ARRAY) {
      throw malformed(name, "'" + field + "' is no JSON array");
    }
    long[] numbers = new long[4];
    int n = 0;
    while (p.nextToken() != JsonToken.END_ARRAY) {
      if (n == most) {
        throw malformed(name, "'" + field + "' has more than " + most + " numbers");
      }
      if (n == numbers.length) {
        numbers = Arrays.copyOf(numbers, 2 * n);
      }
      numbers[n++] = readNumber(p, name, field);
    }
    return Arrays.copyOf(numbers, n);
  }

  private long readNumber(JsonParser p, String name, String field) throws IOException {
    if (p.currentToken() != JsonToken.VALUE_NUMBER_INT) {
      throw malformed(name, "'" + field + "' holds something that is no whole number");
    }
    if (p.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
      throw malformed(name, "'" + field + "' holds a number outside [0, 2^63 - 1]");
    }
    long number = p.getLongValue();
    if (number < 0) {
      throw malformed(name, "'" + field + "' holds " + number + "; it must be >= 0");
    }
    return number;
  }

  // ---- the rules

  private void checkBytes(TensorEntry e) throws MalformedFileException {
    String offsets = "data_offsets [" + e.begin() + ", " + e.end() + "]";
    if (e.begin() > e.end()) {
      throw malformed(e.name(), offsets + " end before they begin");
    }
    if (e.end() > dataBytes) {
      throw malformed(
          e.name(), offsets + " pass the " + dataBytes + " bytes of data: the file is truncated");
    }
    long numel = e.shape().numel();
    int bits = e.type().bits();
    boolean fits =
        numel <= Long.MAX_VALUE / bits
            && numel * bits % Byte.SIZE == 0
            && numel * bits / Byte.SIZE == e.end() - e.begin();
    if (!fits) {
      throw malformed(
          e.name(),
          offsets
              + " hold "
              + (e.end() - e.begin())
              + " bytes, which is not what "
              + e.type()
              + " "
              + e.shape()
              + " takes");
    }
  }

  /** The tensors fill the data: no byte belongs to two, or to none. */
  private void checkCoverage() throws MalformedFileException {
    List<TensorEntry> byPlace = new ArrayList<>(entries.values());
    byPlace.sort(Comparator.comparingLong(TensorEntry::begin).thenComparingLong(TensorEntry::end));
    long covered = 0;
    String before = "";
    for (TensorEntry e : byPlace) {
      if (e.begin() < covered) {
        throw malformed(e.name(), "its bytes overlap those of " + Names.quote(before));
      }
      if (e.begin() > covered) {
        throw malformed(
            e.name(),
            "a hole of " + (e.begin() - covered) + " bytes before it belongs to no tensor");
      }
      covered = e.end();
      before = e.name();
    }
    if (covered != dataBytes) {
      throw malformed((dataBytes - covered) + " trailing bytes belong to no tensor");
    }
  }

  private void checkAliases() throws MalformedFileException {
    for (Map.Entry<String, String> alias : aliases.entrySet()) {
      String name = alias.getKey();
      if (name.equals(Names.METADATA) || entries.containsKey(name)) {
        throw malformed(name, "it is an alias and has an entry of its own too");
      }
      if (!entries.containsKey(alias.getValue())) {
        throw malformed(
            name, "it is an alias of " + Names.quote(alias.getValue()) + ", which is not there");
      }
    }
  }

  private MalformedFileException malformed(String name, String what) {
    return malformed("tensor " + Names.quote(name) + ": " + what);
  }

  private MalformedFileException malformed(String what) {
    return new MalformedFileException(file, what);
  }
}
