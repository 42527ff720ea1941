package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.management.ThreadMXBean;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files with random damage: refused with the documented exception, or read as what they are. */
class MutationFuzzTest {
  private static final List<String> TOKENS =
      List.of(
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "\"",
          "\"dtype\"",
          "\"shape\"",
          "\"F16\"",
          "\"I64\"",
          "\"BOOL\"",
          "\"__metadata__\"",
          "\"a\":",
          "null",
          "-1",
          "0",
          "1e9",
          "1.5",
          "\\u0000",
          "9223372036854775807",
          "4294967296",
          "gradus.alias.");

  private static final Pattern PLACES =
      Pattern.compile("(?<=data_offsets\": ?\\[)(\\d{1,8}), ?(\\d{1,8})");

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  @TempDir Path folder;
  private int opened;
  private int refused;
  private int misplaced;

  @Test
  void damagedFilesAreRefusedOrReadAsTheyAre() throws IOException {
    fuzz(2_000);
  }

  @Test
  @Tag("long")
  void aHundredThousandDamagedFiles() throws IOException {
    fuzz(100_000);
  }

  private void fuzz(int files) throws IOException {
    List<byte[]> originals = originals();
    Path file = folder.resolve("fuzzed.safetensors");
    for (int seed = 0; seed < files; seed++) {
      // Not Random: the first numbers of its neighbouring seeds are nearly the same.
      SplittableRandom random = new SplittableRandom(seed);
      byte[] damaged = originals.get(random.nextInt(originals.size()));
      for (int n = 1 + random.nextInt(3); n > 0; n--) {
        damaged = damage(damaged, random);
      }
      Files.write(file, damaged);
      try {
        check(file, damaged);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ": " + e, e);
      }
    }
    // All must happen often, or the damage is of the wrong kind.
    assertTrue(opened > files / 50 && refused > files / 4, opened + " opened, " + refused);
    assertTrue(misplaced > files / 100, misplaced + " with overlaps or holes");
  }

  private List<byte[]> originals() throws IOException {
    List<byte[]> originals = new ArrayList<>();
    try (InputStream in = MutationFuzzTest.class.getResourceAsStream("fixture.safetensors")) {
      originals.add(in.readAllBytes());
    }
    try (Device device = Device.over(new ReferenceBackend("ref"))) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      tensors.put("a", device.rand(2, 3));
      tensors.put("tied", tensors.get("a"));
      tensors.put("m", device.tensor(new boolean[] {true, false}));
      tensors.put("i", device.arange(3));
      tensors.put("j", device.arange(3).mul(5));
      tensors.put("empty", device.zeros(0, 4));
      Path file = folder.resolve("original");
      SafeTensors.save(file, tensors, Map.of("k", "v", "🙂", "é"));
      originals.add(Files.readAllBytes(file));
      SafeTensors.save(file, Map.of("w", device.rand(5)));
      originals.add(Files.readAllBytes(file));
    }
    originals.add(RawFile.of("{}", 0));
    return originals;
  }

  // ---- damage

  static byte[] damage(byte[] original, SplittableRandom random) {
    int at = random.nextInt(original.length + 1);
    int header = Math.min(original.length, 8 + random.nextInt(400));
    return switch (random.nextInt(12)) {
      case 0 -> withByte(original, at, 1 << random.nextInt(8), random);
      case 1 -> withByte(original, header - 1, random.nextInt(256), random);
      case 2 -> withByte(original, random.nextInt(8), random.nextInt(256), random);
      case 3 -> Arrays.copyOf(original, at);
      case 4 -> Arrays.copyOf(original, original.length + 1 + random.nextInt(20));
      case 5 -> splice(original, at, Math.min(original.length, at + random.nextInt(40)), "");
      case 6 -> splice(original, header, header, TOKENS.get(random.nextInt(TOKENS.size())));
      case 7 -> withDigit(original, random);
      // The last data is that of bools, of which few bytes are allowed.
      case 8 -> withByte(original, original.length - 1 - random.nextInt(8), 0, random);
      case 9, 10 -> withMovedData(original, random);
      default -> withSplicedHeader(original, random);
    };
  }

  private static byte[] withByte(byte[] original, int at, int xor, SplittableRandom random) {
    byte[] b = original.clone();
    if (at >= 0 && at < b.length) {
      b[at] ^= (byte) (xor == 0 ? 1 + random.nextInt(255) : xor);
    }
    return b;
  }

  private static byte[] splice(byte[] original, int from, int to, String middle) {
    byte[] text = middle.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(from + text.length + original.length - to)
        .put(original, 0, from)
        .put(text)
        .put(original, to, original.length - to)
        .array();
  }

  /** Another digit somewhere in the header: what is wrong is then a number, not the JSON. */
  private static byte[] withDigit(byte[] original, SplittableRandom random) {
    byte[] b = original.clone();
    int start = 8 + random.nextInt(400);
    for (int i = start; i < b.length; i++) {
      if (b[i] >= '0' && b[i] <= '9') {
        b[i] = (byte) ('0' + random.nextInt(10));
        break;
      }
    }
    return b;
  }

  /** A token put into the header, whose length is then right again. */
  private static byte[] withSplicedHeader(byte[] original, SplittableRandom random) {
    if (original.length < 9) {
      return original;
    }
    int at = 8 + random.nextInt(Math.min(400, original.length - 8));
    String token = random.nextInt(4) == 0 ? " " : TOKENS.get(random.nextInt(TOKENS.size()));
    return withHeader(original, at, at, token);
  }

  /** A piece of the header replaced, whose length is then right again. */
  private static byte[] withHeader(byte[] original, int from, int to, String middle) {
    byte[] b = splice(original, from, to, middle);
    ByteBuffer prefix = ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN);
    prefix.putLong(0, prefix.getLong(0) + b.length - original.length);
    return b;
  }

  /** A tensor whose data is said to lie some bytes away, where another's lies, or in its stead. */
  private static byte[] withMovedData(byte[] original, SplittableRandom random) {
    String content = new String(original, StandardCharsets.ISO_8859_1);
    List<MatchResult> places = PLACES.matcher(content).results().toList();
    if (original.length < 9 || places.isEmpty()) {
      return original;
    }
    MatchResult one = places.get(random.nextInt(places.size()));
    MatchResult other = places.get(random.nextInt(places.size()));
    if (random.nextInt(3) == 0) {
      int by = random.nextInt(-8, 9);
      String moved =
          (Integer.parseInt(one.group(1)) + by) + "," + (Integer.parseInt(one.group(2)) + by);
      return withHeader(original, one.start(), one.end(), moved);
    }
    byte[] b = withHeader(original, one.start(), one.end(), other.group());
    if (random.nextBoolean() || one.start() == other.start()) {
      return b;
    }
    // What comes later in the header was moved by the first replacement.
    int shift = one.start() < other.start() ? b.length - original.length : 0;
    return withHeader(b, other.start() + shift, other.end() + shift, one.group());
  }

  // ---- what must hold

  private void check(Path file, byte[] content) throws IOException {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Map<String, Tensor> read = new LinkedHashMap<>();
    Map<String, String> stored = new LinkedHashMap<>();
    try (Device device = Device.over(new ReferenceBackend("ref"));
        Scope scope = Scope.open()) {
      long before = threads.getCurrentThreadAllocatedBytes();
      boolean whole = readAll(file, device, read, stored);
      long taken = threads.getCurrentThreadAllocatedBytes() - before;
      assertTrue(taken <= (1 << 20) + 16L * content.length, "took " + taken + " bytes");
      assertEquals(read.size(), scope.size());
      if (whole) {
        opened++;
        compare(content, read, stored);
      } else {
        refused++;
      }
    }
  }

  private boolean readAll(
      Path file, Device device, Map<String, Tensor> read, Map<String, String> stored)
      throws IOException {
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      for (String name : reader.names()) {
        stored.put(name, reader.storedType(name));
        try {
          read.put(name, reader.read(name, device));
        } catch (UnsupportedOperationException e) {
          assertTrue(e.getMessage().contains("which cannot be read"), e.getMessage());
        }
      }
      return true;
    } catch (MalformedFileException e) {
      String text = e.getMessage();
      assertTrue(text.contains("fuzzed.safetensors: "), text);
      misplaced += text.contains("its bytes overlap") || text.contains("a hole of") ? 1 : 0;
      return false;
    }
  }

  /** Checks with another parser that the file is what was read, and that it was to be accepted. */
  private static void compare(byte[] content, Map<String, Tensor> read, Map<String, String> stored)
      throws IOException {
    ByteBuffer data = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    int length = (int) data.getLong();
    JsonNode header = JSON.readTree(new String(content, 8, length, StandardCharsets.UTF_8));
    int dataStart = 8 + length;
    int[] owners = new int[content.length - dataStart];
    int tensors = 0;
    for (Map.Entry<String, JsonNode> field : header.properties()) {
      if (field.getKey().equals("__metadata__")) {
        field.getValue().forEach(text -> assertTrue(text.isTextual()));
        continue;
      }
      tensors++;
      JsonNode e = field.getValue();
      int begin = e.get("data_offsets").get(0).intValue();
      int end = e.get("data_offsets").get(1).intValue();
      for (int i = begin; i < end; i++) {
        owners[i]++;
      }
      BigInteger numel = BigInteger.ONE;
      for (JsonNode d : e.get("shape")) {
        numel = numel.multiply(d.bigIntegerValue());
      }
      assertEquals(e.get("dtype").textValue(), stored.get(field.getKey()));
      Tensor t = read.get(field.getKey());
      if (t != null) {
        assertEquals(numel, BigInteger.valueOf(t.numel()));
        compare(data.position(dataStart + begin).slice().limit(end - begin), t, stored, field);
      }
    }
    assertEquals(tensors, stored.size());
    assertTrue(Arrays.stream(owners).allMatch(n -> n == 1), "bytes of no or of two tensors");
  }

  private static void compare(
      ByteBuffer slice, Tensor t, Map<String, String> stored, Map.Entry<String, JsonNode> field) {
    ByteBuffer bytes = slice.order(ByteOrder.LITTLE_ENDIAN);
    switch (stored.get(field.getKey())) {
      case "F32" -> {
        float[] expected = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(expected);
        assertArrayEquals(SafeTensorsTest.bits(expected), SafeTensorsTest.bits(t.toFloatArray()));
      }
      case "F64" -> {
        double[] expected = new double[bytes.remaining() / 8];
        bytes.asDoubleBuffer().get(expected);
        assertArrayEquals(SafeTensorsTest.bits(expected), SafeTensorsTest.bits(t.toDoubleArray()));
      }
      case "I64" -> {
        long[] expected = new long[bytes.remaining() / 8];
        bytes.asLongBuffer().get(expected);
        assertArrayEquals(expected, t.toLongArray());
      }
      case "BOOL" -> {
        for (boolean b : t.toBooleanArray()) {
          assertEquals(b ? 1 : 0, bytes.get());
        }
      }
      default -> assertEquals(bytes.remaining(), 2 * t.numel());
    }
  }
}
