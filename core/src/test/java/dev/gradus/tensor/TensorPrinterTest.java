package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gradus.tensor.TensorPrinter.Traits;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class TensorPrinterTest {

  /** The file's note says what its figures are and where they come from. */
  @TestFactory
  List<DynamicTest> everyGoldenTextIsPrintedToTheCharacter() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (InputStream file = TensorPrinterTest.class.getResourceAsStream("/golden/printing.json")) {
      for (JsonNode c : new ObjectMapper().readTree(file).get("cases")) {
        tests.add(
            DynamicTest.dynamicTest(
                c.get("name").asText(), () -> assertEquals(c.get("expected").asText(), print(c))));
      }
    }
    assertEquals(128, tests.size());
    return tests;
  }

  private static String print(JsonNode c) {
    String dtype = c.get("dtype").asText();
    long[] dims = new long[c.get("dims").size()];
    int n = 1;
    for (int d = 0; d < dims.length; d++) {
      dims[d] = c.get("dims").get(d).asLong();
      n *= (int) dims[d];
    }
    Traits traits =
        new Traits(
            dtype,
            c.path("device").textValue(),
            c.path("requiresGrad").asBoolean(),
            c.path("gradFn").textValue());
    return switch (dtype) {
      case "bool" -> TensorPrinter.format("tensor(", booleans(c, n), dims, traits);
      case "int64" -> TensorPrinter.format("tensor(", longs(c, n), dims, traits);
      default -> TensorPrinter.format("tensor(", doubles(c, n, dtype), dims, traits);
    };
  }

  private static long step(JsonNode ramp, int i) {
    return (i * ramp.get(0).asLong()) % ramp.get(1).asLong() - ramp.get(2).asLong();
  }

  private static boolean[] booleans(JsonNode c, int n) {
    boolean[] values = new boolean[n];
    for (int i = 0; i < n; i++) {
      values[i] = c.has("ramp") ? step(c.get("ramp"), i) >= 0 : c.get("values").get(i).asBoolean();
    }
    return values;
  }

  private static long[] longs(JsonNode c, int n) {
    long[] values = new long[n];
    for (int i = 0; i < n; i++) {
      values[i] =
          c.has("ramp")
              ? step(c.get("ramp"), i) * c.get("ramp").get(3).asLong()
              : c.get("values").get(i).asLong();
    }
    return values;
  }

  private static double[] doubles(JsonNode c, int n, String dtype) {
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      double value =
          c.has("ramp")
              ? step(c.get("ramp"), i) * c.get("ramp").get(3).asDouble()
              : parse(c.get("values").get(i).asText());
      values[i] = dtype.equals("float32") ? (float) value : value;
    }
    return values;
  }

  private static double parse(String text) {
    return switch (text) {
      case "nan" -> Double.NaN;
      case "inf" -> Double.POSITIVE_INFINITY;
      case "-inf" -> Double.NEGATIVE_INFINITY;
      default -> Double.parseDouble(text);
    };
  }

  @Test
  void furtherLinesAreIndentedByThePrefix() {
    String text =
        TensorPrinter.format(
            "Buffer(",
            new long[] {1, -2, 3, 4},
            new long[] {2, 2},
            new Traits("int64", null, false, null));
    assertEquals("Buffer([[ 1, -2],\n        [ 3,  4]])", text);
    String wider =
        TensorPrinter.format(
            "a longer prefix(",
            new boolean[] {true, false},
            new long[] {2, 1},
            new Traits("bool", "cuda:0", false, null));
    assertEquals("a longer prefix([[ True],\n                 [False]], device='cuda:0')", wider);
  }

  @Test
  void aFunctionIsNamedInsteadOfRequiresGrad() {
    String text =
        TensorPrinter.format(
            "tensor(",
            new double[] {2},
            new long[0],
            new Traits("float32", null, true, "MulBackward0"));
    assertEquals("tensor(2., grad_fn=<MulBackward0>)", text);
  }
}
