package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gradus.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Sequential and ModuleList. */
final class ContainersTest extends Fixture {

  @Test
  void aSequenceRunsInOrder() {
    Sequential s = new Sequential(new ReLU(), new Flatten()).add(new LeakyReLU(0.5));
    Tensor x = device.tensor(new float[] {-1, 2}, 1, 1, 2);
    Tensor y = s.forward(x);
    assertEquals("[1, 2]", y.shape().toString());
    assertArrayEquals(new float[] {0, 2}, y.toFloatArray());
    assertEquals(3, s.size());
    assertSame(x, new Sequential().forward(x));
  }

  @Test
  void modulesOfASequenceAreNamedByPositionOrByHand() {
    Linear linear = new Linear(device, 1, 1);
    Sequential s = new Sequential(new Tanh()).add("head", linear);
    assertEquals(List.of("head.weight", "head.bias"), s.namedParameters().names());
    assertEquals(List.of("0", "head"), List.copyOf(s.children().keySet()));
    assertSame(linear, s.get(1));
    refuses(
        "Sequential: module 'head' cannot be registered; there is already a module of this name",
        () -> s.add("head", new Tanh()));
  }

  @Test
  void aListHoldsModulesOfOneType() {
    ModuleList<Linear> list =
        new ModuleList<>(List.of(new Linear(device, 1, 1), new Linear(device, 1, 2)));
    list.add(Linear.withoutBias(device, 2, 2));
    assertEquals(3, list.size());
    assertEquals(
        List.of("0.weight", "0.bias", "1.weight", "1.bias", "2.weight"),
        list.namedParameters().names());
    List<Linear> met = new ArrayList<>();
    for (Linear linear : list) {
      met.add(linear);
    }
    assertSame(list.get(2), met.get(2));
    assertThrows(UnsupportedOperationException.class, () -> list.iterator().remove());
  }
}
