package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.testing.Golden;
import dev.gradus.testing.TensorAssert;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LinearTest extends Fixture {

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 42, 1234})
  void initialValuesAreThoseOfPyTorch(long seed) {
    Map<String, Object> v = Golden.map(Golden.get(Golden.load("rng.json"), "v"));
    Map<String, Object> golden = Golden.map(Golden.get(v, "Linear5x3_" + seed));
    device.manualSeed(seed);
    Linear linear = new Linear(device, 5, 3);
    TensorAssert.assertBits(Golden.floats(Golden.get(golden, "w")), linear.weight().toFloatArray());
    TensorAssert.assertBits(Golden.floats(Golden.get(golden, "b")), linear.bias().toFloatArray());
  }

  /** The seed model's print of the reference, semantics 4.5. */
  @Test
  void modulesDrawInTheOrderOfConstruction() {
    device.manualSeed(0);
    Embedding emb = new Embedding(device, 5, 5);
    Linear linear = new Linear(device, 5, 1);
    assertTrue(emb.weight().toString().contains("[-1.1258, -1.1524, -0.2506, -0.4339,  0.8487]"));
    assertTrue(
        linear
            .weight()
            .toString()
            .startsWith(
                "Parameter containing:\n"
                    + "tensor([[-0.2293,  0.0757, -0.4176, -0.3231, -0.2306]], "));
    assertEquals(
        "Parameter containing:\ntensor([0.2822]" + printed(", requires_grad=True") + ")",
        linear.bias().toString());
  }

  @Test
  void withoutInputsTheBiasIsZeroAndStillDrawn() {
    device.manualSeed(0);
    Linear linear = new Linear(device, 0, 3);
    assertArrayEquals(new float[3], linear.bias().toFloatArray());
    assertEquals(0.13203048706054688, device.rand(1).item());
  }

  @Test
  void theBiasCanBeLeftOut() {
    Linear linear = Linear.withoutBias(device, 2, 3);
    assertFalse(linear.hasBias());
    assertEquals(1, linear.parameters().size());
    refuses(IllegalStateException.class, "Linear: has no bias; ask hasBias() before", linear::bias);
    Init.ones(linear.weight());
    assertArrayEquals(
        new float[] {3, 3, 3},
        linear.forward(device.tensor(new float[] {1, 2}, 1, 2)).toFloatArray());
  }

  @Test
  void parametersCanBeGiven() {
    Linear linear = new Linear(device, 2, 3);
    assertSame(linear.weight(), Linear.tied(linear.weight()).weight());
    assertSame(linear.bias(), Linear.of(linear.weight(), linear.bias()).bias());
    assertTrue(linear.hasBias());
    refuses(
        "Linear: weight is [3, 2] and bias [2]; they must be [out, in] and [out]",
        () -> Linear.of(linear.weight(), new Parameter(device.zeros(2))));
    refuses("Linear: weight is [3]; it must be [out, in]", () -> Linear.tied(linear.bias()));
  }

  @Test
  void negativeSizesAreRefused() {
    refuses("Linear in must be >= 0 but is -1", () -> new Linear(device, -1, 2));
    refuses("Linear out must be >= 0 but is -2", () -> new Linear(device, 1, -2));
  }

  @Test
  void allLeadingDimensionsAreBatches() {
    Linear linear = new Linear(device, 4, 3);
    assertEquals("[2, 5, 3]", linear.forward(device.zeros(2, 5, 4)).shape().toString());
    assertEquals("[3]", linear.forward(device.zeros(4)).shape().toString());
  }
}
