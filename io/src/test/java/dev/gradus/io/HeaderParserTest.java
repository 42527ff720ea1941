package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class HeaderParserTest {
  @TempDir Path folder;

  private static Arguments header(String words, String header, int dataBytes) {
    return Arguments.of(words, RawFile.of(header.replace('\'', '"'), dataBytes));
  }

  /** A header with one tensor 'a' and four bytes of data. */
  private static Arguments tensor(String words, String entry) {
    return header(words, "{'a':" + entry + "}", 4);
  }

  private static Arguments shape(String words, String shape) {
    return tensor(words, "{'dtype':'F32','shape':" + shape + ",'data_offsets':[0,4]}");
  }

  private static Arguments offsets(String words, String offsets) {
    return tensor(words, "{'dtype':'F32','shape':[1],'data_offsets':" + offsets + "}");
  }

  private static String f32(String name, int begin, int end) {
    int n = (end - begin) / 4;
    return "'"
        + name
        + "':{'dtype':'F32','shape':["
        + n
        + "],'data_offsets':["
        + begin
        + ","
        + end
        + "]}";
  }

  private static Arguments length(String words, long length, int bytesAfter) {
    return Arguments.of(
        words,
        ByteBuffer.allocate(8 + bytesAfter).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array());
  }

  private static byte[] ascii(String s) {
    return s.replace('\'', '"').getBytes(StandardCharsets.US_ASCII);
  }

  static Stream<Arguments> malformed() {
    String good = "{'dtype':'F32','shape':[1],'data_offsets':[0,4]}";
    return Stream.of(
        // The length.
        Arguments.of("the file has 0 bytes; the length", new byte[0]),
        Arguments.of("the file has 7 bytes; the length", new byte[7]),
        length("is 100000001 bytes; at most 100000000", 100_000_001, 0),
        length("is 18446744073709551615 bytes", -1, 0),
        length("is 9223372036854775808 bytes", Long.MIN_VALUE, 0),
        length("should have 9 bytes but the file ends after 8 of them", 9, 8),
        length("should have 100000000 bytes but the file ends after 0", 100_000_000, 0),
        length("does not begin with '{'", 0, 0),
        // The JSON.
        header("does not begin with '{'", " {}", 0),
        header("does not begin with '{'", "[]", 0),
        header("does not begin with '{'", "null", 0),
        header("is not JSON", "{", 0),
        header("is not JSON", "{'a'", 0),
        header("is not JSON", "{'a':}", 0),
        header("is not JSON", "{,}", 0),
        header("is not JSON", "{'a':" + good + ",}", 4),
        header("is not JSON", "{a:1}", 0),
        header("is not JSON", "{/* */}", 0),
        header("is not JSON", "{}x", 0),
        header("is not JSON", "{'a\u0000':" + good + "}", 4),
        header("goes on after its JSON object", "{}{}", 0),
        header("goes on after its JSON object", "{} 1", 0),
        header("Name length", "{'" + "n".repeat(10_001) + "':1}", 0),
        Arguments.of("is not UTF-8", RawFile.of(new byte[] {'{', '"', (byte) 0xff, '"'}, 0)),
        Arguments.of(
            "is not UTF-8",
            RawFile.of(new byte[] {'{', '"', (byte) 0xc0, (byte) 0x80, '"', ':'}, 0)),
        Arguments.of("is not JSON", RawFile.of("{\"a\":1}".getBytes(StandardCharsets.UTF_16LE), 0)),
        Arguments.of(
            "does not begin with '{'", RawFile.of("\ufeff{}".getBytes(StandardCharsets.UTF_8), 0)),
        // The metadata.
        header("'__metadata__' is no JSON object of texts", "{'__metadata__':[]}", 0),
        header("'__metadata__' is no JSON object", "{'__metadata__':null}", 0),
        header("the metadata 'dtype' comes twice", "{'__metadata__':{'dtype':'','dtype':''}}", 0),
        header("the metadata 'shape' is no text", "{'__metadata__':" + good + "}", 4),
        header("the metadata 'k' is no text", "{'__metadata__':{'k':1}}", 0),
        header("the metadata 'k' is no text", "{'__metadata__':{'k':null}}", 0),
        header("the metadata 'k' is no text", "{'__metadata__':{'k':{}}}", 0),
        header("'__metadata__' comes twice", "{'__metadata__':{},'__metadata__':{}}", 0),
        header("'k' has half a surrogate pair", "{'__metadata__':{'k':'\\ud800'}}", 0),
        header(
            "tensor 'b': it is an alias of 'x', which is not there",
            "{'__metadata__':{'gradus.alias.b':'x'},'a':" + good + "}",
            4),
        header(
            "tensor 'a': it is an alias and has an entry of its own",
            "{'__metadata__':{'gradus.alias.a':'a'},'a':" + good + "}",
            4),
        header(
            "the metadata 'gradus.alias.b' comes twice",
            "{'__metadata__':{'gradus.alias.b':'a','gradus.alias.b':'a'},'a':" + good + "}",
            4),
        header(
            "tensor '__metadata__': it is an alias",
            "{'__metadata__':{'gradus.alias.__metadata__':'a'},'a':" + good + "}",
            4),
        // One tensor.
        header("tensor 'a': it comes twice", "{'a':" + good + ",'a':" + good + "}", 4),
        header("tensor 'a': it comes twice", "{'a':" + good + ",'\\u0061':" + good + "}", 4),
        header("'__metadata__' comes twice", "{'__metadata__':{},'\\u005f_metadata__':{}}", 0),
        header("surrogate", "{'\\udc00':" + good + "}", 4),
        tensor("tensor 'a': its entry is no JSON object", "[]"),
        tensor("tensor 'a': its entry is no JSON object", "'F32'"),
        tensor("tensor 'a': 'dtype' is missing", "{'shape':[1],'data_offsets':[0,4]}"),
        tensor("tensor 'a': 'shape' is missing", "{'dtype':'F32','data_offsets':[0,4]}"),
        tensor("tensor 'a': 'data_offsets' is missing", "{'dtype':'F32','shape':[1]}"),
        tensor("'dtype' comes twice", "{'dtype':'F32','dtype':'F32'}"),
        tensor("'shape' comes twice", "{'shape':[1],'shape':[1]}"),
        tensor("'data_offsets' comes twice", "{'data_offsets':[0,4],'data_offsets':[0,4]}"),
        tensor("unknown field 'order' beside", "{'order':1}"),
        tensor("'dtype' is no text", "{'dtype':32}"),
        tensor("unknown dtype 'f32'; known are [BOOL, U8,", "{'dtype':'f32'}"),
        shape("'shape' is no JSON array", "1"),
        shape("'shape' is no JSON array", "null"),
        shape("'shape' holds -1; it must be >= 0", "[-1]"),
        shape("'shape' holds something that is no whole number", "[1.0]"),
        shape("'shape' holds something that is no whole number", "['1']"),
        shape("nesting depth", "[[1]]"),
        shape("is not JSON", "[NaN]"),
        shape("is not JSON", "[01]"),
        shape("is not JSON", "[+1]"),
        shape("holds a number outside [0, 2^63 - 1]", "[9223372036854775808]"),
        shape("holds a number outside", "[1" + "0".repeat(300) + "]"),
        shape("passes 2^63 - 1 elements", "[4294967296,4294967296]"),
        shape("passes 2^63 - 1 elements", "[0,4294967296,4294967296]"),
        shape("has more than 64 numbers", "[1" + ",1".repeat(64) + "]"),
        shape("hold 4 bytes, which is not what F32 [2] takes", "[2]"),
        shape("hold 4 bytes, which is not what F32 [0] takes", "[0]"),
        shape("is not what F32 [4611686018427387905] takes", "[4611686018427387905]"),
        tensor("is not what F4 [7] takes", "{'dtype':'F4','shape':[7],'data_offsets':[0,4]}"),
        offsets("'data_offsets' is no JSON array", "{}"),
        offsets("'data_offsets' has 1 numbers; it takes 2", "[4]"),
        offsets("'data_offsets' has more than 2 numbers", "[0,4,4]"),
        offsets("'data_offsets' holds -4; it must be >= 0", "[-4,0]"),
        offsets("data_offsets [4, 0] end before they begin", "[4,0]"),
        offsets("data_offsets [0, 8] pass the 4 bytes of data: the file is truncated", "[0,8]"),
        offsets("pass the 4 bytes of data", "[9223372036854775803,9223372036854775807]"),
        // All of them.
        header(
            "tensor 'b': its bytes overlap those of 'a'",
            "{" + f32("a", 0, 8) + "," + f32("b", 4, 12) + "}",
            12),
        header(
            "tensor 'b': its bytes overlap those of 'a'",
            "{" + f32("a", 0, 4) + "," + f32("b", 0, 4) + "}",
            4),
        header(
            "tensor 'e': its bytes overlap those of 'a'",
            "{'e':{'dtype':'F32','shape':[0],'data_offsets':[2,2]}," + f32("a", 0, 4) + "}",
            4),
        header(
            "tensor 'b': a hole of 4 bytes before it",
            "{" + f32("b", 8, 12) + "," + f32("a", 0, 4) + "}",
            12),
        header("tensor 'a': a hole of 4 bytes before it", "{" + f32("a", 4, 8) + "}", 8),
        header("1 trailing bytes belong to no tensor", "{" + f32("a", 0, 4) + "}", 5),
        header("3 trailing bytes belong to no tensor", "{}", 3));
  }

  @ParameterizedTest(name = "[{index}] {0}")
  @MethodSource("malformed")
  void refusesWhatIsMalformed(String words, byte[] content) throws IOException {
    Path file = folder.resolve("bad.safetensors");
    Files.write(file, content);
    String text =
        assertThrows(MalformedFileException.class, () -> SafeTensors.open(file)).getMessage();
    assertTrue(text.contains(words), text);
    assertTrue(text.startsWith(file + ": "), text);
    assertTrue(text.endsWith("copy, download or save it again"), text);
    assertTrue(text.length() < 800, text);
  }

  static Stream<String> valid() {
    return Stream.of(
        "{}",
        "{} \n\t ",
        "{'__metadata__':{}}",
        "{'a':{'data_offsets':[0,4],'shape':[],'dtype':'F32'}}",
        "{'\\u0061':{'dtype':'BF16','shape':[2,1],'data_offsets':[0,4]}}",
        "{'a':{'dtype':'F4','shape':[8],'data_offsets':[0,4]}}",
        "{'e':{'dtype':'F32','shape':[0],'data_offsets':[4,4]}," + f32("a", 0, 4) + "}",
        "{'e':{'dtype':'F32','shape':[0],'data_offsets':[0,0]}," + f32("a", 0, 4) + "}",
        "{" + f32("", 4, 8) + "," + f32("shape", 0, 4) + "}");
  }

  @ParameterizedTest
  @MethodSource("valid")
  void acceptsWhatTheFormatAllows(String header) throws IOException {
    Path file = folder.resolve("good.safetensors");
    int data = header.contains("[4,8]") ? 8 : header.contains("[0,4]") ? 4 : 0;
    Files.write(file, RawFile.of(header.replace('\'', '"'), data));
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      assertEquals(data > 0, !reader.names().isEmpty());
    }
  }

  @Test
  void aHostileNameDoesNotReachTheTerminal() throws IOException {
    Path file = folder.resolve("bad.safetensors");
    String name = "\\u001b[31m" + "x".repeat(5_000);
    Files.write(file, RawFile.of(ascii("{'" + name + "':1}"), 0));
    String text =
        assertThrows(MalformedFileException.class, () -> SafeTensors.open(file)).getMessage();
    assertFalse(text.chars().anyMatch(Character::isISOControl), text);
    assertTrue(text.contains("tensor '?[31mxxx"), text);
    assertTrue(text.length() < 400, text);
  }

  // ---- what it costs

  static Stream<Arguments> costly() {
    StringBuilder tensors = new StringBuilder("{");
    StringBuilder texts = new StringBuilder("{'__metadata__':{");
    for (int i = 0; i < 60_000; i++) {
      String comma = i == 0 ? "" : ",";
      String name = Integer.toString(i, 36);
      tensors.append(comma).append("'").append(name);
      tensors.append("':{'dtype':'U8','shape':[0],'data_offsets':[0,0]}");
      texts.append(comma).append("'").append(name).append("':''");
    }
    return Stream.of(
        Arguments.of("many tensors", tensors + "}"),
        Arguments.of("many texts", texts + "}}"),
        Arguments.of("a long text", "{'__metadata__':{'k':'" + "v".repeat(4_000_000) + "'}}"),
        Arguments.of(
            "a text of escapes", "{'__metadata__':{'k':'" + "\\n".repeat(2_000_000) + "'}}"),
        Arguments.of(
            "a text of wide characters", "{'__metadata__':{'k':'" + "€".repeat(999_999) + "'}}"),
        Arguments.of("a long shape", "{'a':{'shape':[0" + ",0".repeat(2_000_000) + "]}}"),
        Arguments.of("a long number", "{'a':{'shape':[" + "1".repeat(2_000_000) + "]}}"),
        Arguments.of("a long name", "{'" + "n".repeat(2_000_000) + "':{}}"),
        Arguments.of("deep nesting", "{'a':" + "[".repeat(2_000_000)),
        Arguments.of("blanks", "{}" + " ".repeat(2_000_000)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("costly")
  void aHostileHeaderTakesLittleMemory(String what, String header) throws IOException {
    Path file = folder.resolve("costly.safetensors");
    Files.write(file, RawFile.of(header.replace('\'', '"'), 0));
    long limit = (1 << 20) + 16 * Files.size(file);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      assertFalse(
          reader.names().isEmpty() && reader.metadata().isEmpty() && !what.equals("blanks"));
    } catch (MalformedFileException e) {
      assertTrue(
          Arrays.asList("a long shape", "a long number", "a long name", "deep nesting")
              .contains(what),
          e.getMessage());
    }
    long taken = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(taken <= limit, what + ": " + taken + " bytes of at most " + limit);
  }
}
