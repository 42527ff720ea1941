package dev.gradus.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import dev.gradus.spi.Storage;
import dev.gradus.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * A file to be written: its first bytes, and the tensors whose data follows, in order.
 *
 * <p>Greater element types come first, so that all data is aligned, then the order is that of the
 * names. The same tensors and texts give the same bytes.
 */
final class FileLayout {
  private static final int ALIGNMENT = 8;

  private static final JsonFactory JSON =
      JsonFactory.builder().enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8).build();

  /** Short enough that the name can be an alias too. */
  private static final int MOST_OF_NAME = HeaderParser.MAX_NAME - Names.ALIAS.length();

  private static final Comparator<Map.Entry<String, ? extends Tensor>> ORDER =
      Comparator.comparing(
              (Map.Entry<String, ? extends Tensor> e) -> ElementType.of(e.getValue().dtype()))
          .reversed()
          .thenComparing(Map.Entry::getKey);

  private final byte[] head;
  private final Map<String, Tensor> tensors;

  private FileLayout(byte[] head, Map<String, Tensor> tensors) {
    this.head = head;
    this.tensors = tensors;
  }

  /** The length of the header and the header, padded with spaces to a multiple of 8. */
  ByteBuffer head() {
    return ByteBuffer.wrap(head).asReadOnlyBuffer();
  }

  /** The tensors by name, each once, in the order of their data. */
  Map<String, Tensor> tensors() {
    return tensors;
  }

  /**
   * The layout of a file with these tensors and texts.
   *
   * @param who the operation, in messages
   * @throws IllegalArgumentException if a name or a text cannot stand in a file
   * @throws IllegalStateException if a tensor was released
   */
  static FileLayout of(String who, Map<String, ? extends Tensor> given, Map<String, String> texts) {
    Map<String, String> metadata = new TreeMap<>(texts);
    checkTexts(who, metadata);
    Map<String, Tensor> distinct = new LinkedHashMap<>();
    IdentityHashMap<Storage, Map<String, Tensor>> byStorage = new IdentityHashMap<>();
    given.forEach(
        (name, tensor) -> {
          checkName(who, name);
          Map<String, Tensor> sharing =
              byStorage.computeIfAbsent(storage(who, name, tensor), s -> new LinkedHashMap<>());
          for (Map.Entry<String, Tensor> known : sharing.entrySet()) {
            if (known.getValue().shape().equals(tensor.shape())) {
              metadata.put(Names.ALIAS + name, known.getKey());
              return;
            }
          }
          sharing.put(name, tensor);
          distinct.put(name, tensor);
        });
    Map<String, Tensor> ordered = new LinkedHashMap<>();
    distinct.entrySet().stream().sorted(ORDER).forEach(e -> ordered.put(e.getKey(), e.getValue()));
    return new FileLayout(head(who, ordered, metadata), ordered);
  }

  private static void checkTexts(String who, Map<String, String> metadata) {
    metadata.forEach(
        (key, value) -> {
          if (key.startsWith(Names.ALIAS)) {
            throw new IllegalArgumentException(
                who
                    + ": the metadata key "
                    + Names.quote(key)
                    + " begins with '"
                    + Names.ALIAS
                    + "', which is kept for tied tensors; choose another");
          }
          if (key.length() > HeaderParser.MAX_NAME || !Names.isText(key) || !Names.isText(value)) {
            throw new IllegalArgumentException(
                who
                    + ": the metadata "
                    + Names.quote(key)
                    + " has a key of more than "
                    + HeaderParser.MAX_NAME
                    + " characters or half a surrogate pair; write binary data as Base64");
          }
        });
  }

  private static void checkName(String who, String name) {
    if (name.equals(Names.METADATA)) {
      throw new IllegalArgumentException(
          who
              + ": a tensor is named '"
              + Names.METADATA
              + "', which is kept for the metadata; choose another name");
    }
    if (name.length() > MOST_OF_NAME || !Names.isText(name)) {
      throw new IllegalArgumentException(
          who
              + ": the name "
              + Names.quote(name)
              + " has more than "
              + MOST_OF_NAME
              + " characters or half a surrogate pair; choose another");
    }
  }

  private static Storage storage(String who, String name, Tensor tensor) {
    try {
      return tensor.storage();
    } catch (IllegalStateException e) {
      throw new IllegalStateException(
          who + ": tensor " + Names.quote(name) + ": " + e.getMessage(), e);
    }
  }

  // ---- the header

  private static byte[] head(
      String who, Map<String, Tensor> tensors, Map<String, String> metadata) {
    byte[] json = json(tensors, metadata);
    int padded = (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (padded > HeaderParser.MAX_BYTES) {
      throw new IllegalArgumentException(
          who
              + ": names and metadata take "
              + padded
              + " bytes; the format allows "
              + HeaderParser.MAX_BYTES
              + "; save fewer tensors in a file, or large data as a tensor");
    }
    byte[] head = new byte[HeaderParser.PREFIX_BYTES + padded];
    Arrays.fill(head, (byte) ' ');
    ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(json);
    return head;
  }

  private static byte[] json(Map<String, Tensor> tensors, Map<String, String> metadata) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(Names.METADATA);
        for (Map.Entry<String, String> e : metadata.entrySet()) {
          json.writeStringField(e.getKey(), e.getValue());
        }
        json.writeEndObject();
      }
      long at = 0;
      for (Map.Entry<String, Tensor> e : tensors.entrySet()) {
        Tensor t = e.getValue();
        long end = at + t.numel() * t.dtype().bytes();
        writeEntry(json, e.getKey(), t, at, end);
        at = end;
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static void writeEntry(JsonGenerator json, String name, Tensor t, long begin, long end)
      throws IOException {
    json.writeObjectFieldStart(name);
    json.writeStringField("dtype", ElementType.of(t.dtype()).name());
    long[] dims = t.shape().toArray();
    json.writeFieldName("shape");
    json.writeArray(dims, 0, dims.length);
    json.writeFieldName("data_offsets");
    json.writeArray(new long[] {begin, end}, 0, 2);
    json.writeEndObject();
  }
}
