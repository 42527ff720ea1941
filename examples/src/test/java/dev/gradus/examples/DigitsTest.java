package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.tensor.Device;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DigitsTest {
  @Test
  void thereAre1797WithAllLabels() throws Exception {
    Digits digits = Digits.load();
    assertEquals(1797, digits.count());
    int[] counts = new int[Digits.CLASSES];
    for (int i = 0; i < digits.count(); i++) {
      counts[digits.label(i)]++;
    }
    assertArrayEquals(new int[] {178, 182, 177, 183, 181, 182, 181, 179, 174, 180}, counts);
  }

  @Test
  void pixelsGoFromZeroToOne() throws Exception {
    try (Device device = Device.open("cpu")) {
      float[] pixels = Digits.load().all(device).pixels().toFloatArray();
      float[] first = Arrays.copyOf(pixels, 8);
      assertArrayEquals(new float[] {0, 0, 5 / 16f, 13 / 16f, 9 / 16f, 1 / 16f, 0, 0}, first);
      Arrays.sort(pixels);
      assertEquals(0, pixels[0]);
      assertEquals(1, pixels[pixels.length - 1]);
    }
  }

  @Test
  void aFifthIsSetAside() throws Exception {
    Digits.Split split = Digits.load().split(0);
    assertEquals(359, split.heldOut().count());
    assertEquals(1438, split.training().count());
  }
}
