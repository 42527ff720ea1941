package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.tensor.GeneratorState;
import dev.gradus.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class DropoutTest extends Fixture {

  @Test
  void inTrainingElementsAreZeroedOrScaledUp() {
    Tensor x = device.ones(4097);
    float[] y = new Dropout(0.25).forward(x).toFloatArray();
    int zeros = 0;
    for (float v : y) {
      assertTrue(v == 0 || v == 1 / 0.75f);
      zeros += v == 0 ? 1 : 0;
    }
    // 4097 draws at 0.25: mean 1024, standard deviation 28; five of them
    assertEquals(1024, zeros, 140);
  }

  @Test
  void inEvaluationItDoesNothing() {
    Dropout dropout = new Dropout();
    dropout.eval();
    Tensor x = device.ones(5);
    assertSame(x, dropout.forward(x));
  }

  @Test
  void withProbabilityZeroItDoesNothingAndWithOneAllIsZero() {
    Tensor x = device.ones(5);
    assertSame(x, new Dropout(0).forward(x));
    assertArrayEquals(new float[5], new Dropout(1).forward(x).toFloatArray());
  }

  @Test
  void oneSeedGivesOneMask() {
    Dropout dropout = new Dropout(0.5);
    Tensor x = device.ones(64);
    device.manualSeed(3);
    float[] first = dropout.forward(x).toFloatArray();
    float[] second = dropout.forward(x).toFloatArray();
    device.manualSeed(3);
    assertArrayEquals(first, dropout.forward(x).toFloatArray());
    assertFalse(Arrays.equals(first, second));
  }

  @Test
  void aRestoredGeneratorGivesTheMaskAgain() {
    Dropout dropout = new Dropout(0.5);
    Tensor x = device.ones(64);
    dropout.forward(x);
    GeneratorState state = device.generator().state();
    float[] first = dropout.forward(x).toFloatArray();
    float[] second = dropout.forward(x).toFloatArray();
    assertFalse(Arrays.equals(first, second));
    device.generator().setState(state);
    assertArrayEquals(first, dropout.forward(x).toFloatArray());
    device.generator().setState(GeneratorState.fromBytes(state.toBytes()));
    assertArrayEquals(first, dropout.forward(x).toFloatArray());
    assertArrayEquals(second, dropout.forward(x).toFloatArray());
  }

  @Test
  void aWrongProbabilityIsRefused() {
    refuses("Dropout p must be in [0, 1] but is 1.5", () -> new Dropout(1.5));
    refuses("Dropout p must be in [0, 1] but is -0.1", () -> new Dropout(-0.1));
    refuses("Dropout p must be in [0, 1] but is NaN", () -> new Dropout(Double.NaN));
  }
}
