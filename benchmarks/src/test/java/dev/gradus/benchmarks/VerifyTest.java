package dev.gradus.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class VerifyTest {
  @Test
  void acceptsWhatIsClose() {
    Verify.close("x", new float[] {1, 2, 1000.001f}, i -> i == 2 ? 1000 : i + 1, 2e-6);
  }

  @Test
  void refusesOneWrongElementAndNotANumber() {
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class,
            () -> Verify.close("sum", new float[] {1, 2, 4}, i -> i + 1, 1e-6));
    assertEquals(
        "sum: element 2 is 4.0 but must be 3.0; a wrong result is not measured", e.getMessage());
    assertThrows(
        IllegalStateException.class,
        () -> Verify.close("sum", new float[] {Float.NaN}, i -> 1, 1e-6));
  }

  @Test
  void looksAtTheLastOfMany() {
    float[] many = new float[4_097_001];
    many[many.length - 1] = 1;
    assertThrows(IllegalStateException.class, () -> Verify.close("many", many, i -> 0, 0));
  }
}
