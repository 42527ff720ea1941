package dev.gradus.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class GoldenTest {

  @Test
  void decimalFilesAreRead() {
    Map<String, Object> file = Golden.load("optim_f64.json");
    assertEquals("float64", Golden.text(Golden.get(file, "dtype")));
    assertArrayEquals(new double[] {1, -2, 3}, Golden.doubles(Golden.get(file, "p0")));
    List<Object> cases = Golden.list(Golden.get(file, "cases"));
    assertEquals(41, cases.size());
    Map<String, Object> first = Golden.map(cases.get(0));
    assertEquals("SGD", Golden.text(Golden.get(first, "opt")));
    double[] p = Golden.doubles(Golden.list(Golden.get(first, "p")).get(0));
    assertArrayEquals(new double[] {0.99945, -1.9988, 2.9989}, p);
  }

  @Test
  void hexFilesAreReadExactly() {
    Map<String, Object> file = Golden.load("optim_f32_hex.json");
    float[] p0 = Golden.floats(Golden.get(file, "p0_hex"));
    assertEquals(32, p0.length);
    assertEquals(-0x1.0234c4p-1f, p0[0]);
    assertEquals(14, Golden.list(Golden.get(file, "cases")).size());
  }

  @Test
  void theRandomStreamsAreRead() {
    assertEquals("2.13.0+cpu", Golden.get(Golden.load("rng.json"), "torch"));
  }

  @Test
  void aMissingFileOrMemberIsNamed() {
    assertRefused(
        "golden file 'none.json' is not on the class path; put it in src/test/resources/golden",
        () -> Golden.load("none.json"));
    Map<String, Object> object = Golden.map(Golden.parse("{\"a\": 1, \"b\": 2}"));
    assertRefused("golden object has no 'c'; it has [a, b]", () -> Golden.get(object, "c"));
    assertRefused("golden value is a Double, not a String", () -> Golden.text(1.0));
  }

  @Test
  void jsonOfEveryKindIsRead() {
    Object value =
        Golden.parse(
            " {\"n\": [-1.5e-3, 0, NaN, -Infinity], \"s\": \"a\\n\\u00e9\\\"\", \"t\": true, \"e\":"
                + " {}, \"l\": []} ");
    Map<String, Object> object = Golden.map(value);
    assertEquals("[n, s, t, e, l]", object.keySet().toString());
    double[] numbers = {-0.0015, 0, Double.NaN, Double.NEGATIVE_INFINITY};
    assertArrayEquals(numbers, Golden.doubles(object.get("n")));
    assertEquals("a\n\u00e9\"", object.get("s"));
    assertEquals(true, object.get("t"));
    assertTrue(Golden.map(object.get("e")).isEmpty());
    assertTrue(Golden.list(object.get("l")).isEmpty());
  }

  @Test
  void malformedJsonIsRefusedWithItsPosition() {
    assertRefused("JSON: '' is not a value at position 3", () -> Golden.parse("[1,]"));
    assertRefused("JSON: ',' is missing at position 3", () -> Golden.parse("[1 2]"));
    assertRefused("JSON: text after the value at position 2", () -> Golden.parse("1 2"));
    assertRefused("JSON: ':' is missing at position 5", () -> Golden.parse("{\"a\" 1}"));
    assertRefused("JSON: a key is missing at position 1", () -> Golden.parse("{1: 2}"));
    assertRefused(
        "JSON: key 'a' is there twice at position 15", () -> Golden.parse("{\"a\": 1, \"a\": 2}"));
    assertRefused("JSON: 'null' is not a value at position 4", () -> Golden.parse("null"));
    assertRefused("JSON: a value is missing at position 0", () -> Golden.parse(""));
    assertRefused("JSON: '\"' is missing at position 2", () -> Golden.parse("\"a"));
  }

  @Test
  void hexFloatsAreThoseOfPython() {
    assertEquals(0.5, Golden.hex("0x1.0000000000000p-1"));
    assertEquals(-0x1.fffffffffffffp1023, Golden.hex("-0x1.fffffffffffffp+1023"));
    assertTrue(Double.isNaN(Golden.hex("nan")));
    assertEquals(Double.NEGATIVE_INFINITY, Golden.hex("-inf"));
  }

  @Test
  void aHexDoubleIsNoFloat() {
    assertRefused(
        "golden value 0x1.0000000000001p+0 is not a float",
        () -> Golden.floats(List.of("0x1.0000000000001p+0")));
  }

  private static void assertRefused(String message, org.junit.jupiter.api.function.Executable e) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, e).getMessage());
  }
}
