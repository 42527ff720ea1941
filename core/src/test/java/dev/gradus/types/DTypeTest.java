package dev.gradus.types;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class DTypeTest {

  @Test
  void labelsAreThoseOfMessagesAndFiles() {
    String[] labels = Arrays.stream(DType.values()).map(DType::label).toArray(String[]::new);
    assertArrayEquals(new String[] {"float32", "float64", "int64", "bool"}, labels);
  }

  @Test
  void bytesAreThoseOfOneElement() {
    int[] bytes = Arrays.stream(DType.values()).mapToInt(DType::bytes).toArray();
    assertArrayEquals(new int[] {4, 8, 8, 1}, bytes);
  }

  @Test
  void onlyFloatingTypesCarryGradients() {
    for (DType dtype : DType.values()) {
      assertEquals(dtype == DType.F32 || dtype == DType.F64, dtype.isFloating(), dtype.label());
    }
  }
}
