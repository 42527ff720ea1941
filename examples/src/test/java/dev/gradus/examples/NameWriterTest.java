package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.tensor.Device;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NameWriterTest {
  @ParameterizedTest
  @EnumSource
  void namesHaveLettersOnlyAndAnEnd(NamesKind kind) {
    try (Device device = Device.open("cpu")) {
      NamesModel model = kind.create(device, kind.sizes());
      NameWriter writer = new NameWriter(model, 0, 1);
      for (int i = 0; i < 20; i++) {
        String name = writer.write();
        assertTrue(name.matches("([A-Z][a-z]*)?"), name);
        assertTrue(name.length() <= model.longest(), name);
      }
    }
  }

  @Test
  void aLowTemperatureWritesTheLikeliestName() {
    try (Device device = Device.open("cpu")) {
      NamesModel model = NamesKind.MLP.create(device, NamesKind.MLP.sizes());
      long names =
          IntStream.range(0, 5)
              .mapToObj(seed -> new NameWriter(model, seed, 1e-6).write())
              .distinct()
              .count();
      assertEquals(1, names);
    }
  }
}
