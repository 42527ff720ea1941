package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.Golden;
import dev.gradus.testing.TensorAssert;
import dev.gradus.types.DType;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EmbeddingTest extends Fixture {
  private static final Embedding.Options PLAIN = Embedding.Options.defaults();

  private static final class Model extends Module {
    final Embedding table;

    Model(Device device) {
      table = register("tok", new Embedding(device, 50257, 2));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 42, 1234})
  void initialValuesAreThoseOfPyTorch(long seed) {
    Map<String, Object> golden = Golden.map(Golden.get(Golden.load("rng.json"), "v"));
    device.manualSeed(seed);
    TensorAssert.assertBits(
        Golden.floats(Golden.get(golden, "Emb5x5_" + seed)),
        new Embedding(device, 5, 5).weight().toFloatArray());
  }

  @Test
  void thePaddingRowIsDrawnAndThenZeroed() {
    device.manualSeed(5);
    Embedding e = new Embedding(device, 6, 3, PLAIN.withPaddingIndex(-2));
    TensorAssert.assertBits(
        new float[] {
          1.8423299f,
          0.51888716f,
          -0.33644935f,
          -0.9650602f,
          -0.12966268f,
          -0.60176563f,
          0.14499857f,
          -0.14982717f,
          2.614577f,
          -0.43402296f,
          -0.05833946f,
          -2.0304952f,
          0.0f,
          0.0f,
          0.0f,
          1.7470315f,
          0.74477696f,
          0.031656895f
        },
        e.weight().toFloatArray());
  }

  @Test
  void thePaddingRowTakesNoGradient() {
    Embedding e = Embedding.fromPretrained(device.ones(3, 2), false, PLAIN.withPaddingIndex(1));
    e.forward(ids(0, 1, 1, 2, 2)).sum().backward();
    assertArrayEquals(new float[] {1, 1, 0, 0, 2, 2}, e.weight().grad().toFloatArray());
    assertArrayEquals(new float[] {1, 1}, e.forward(ids(1)).toFloatArray());
  }

  @Test
  void theResultHasTheShapeOfTheIdsAndTheSizeOfAVector() {
    Embedding e = new Embedding(device, 4, 3);
    Tensor ids = device.tensor(new long[] {0, 1, 2, 3, 3, 0}, 2, 3);
    assertEquals("[2, 3, 3]", e.forward(ids).shape().toString());
    assertEquals("[0, 3]", e.forward(device.tensor(new long[0], 0)).shape().toString());
  }

  @Test
  void anIdOutOfRangeNamesTheEmbeddingAndThePosition() {
    Model model = new Model(device);
    long[] ids = new long[4 * 20];
    ids[3 * 20 + 17] = 50257;
    Tensor x = device.tensor(ids, 4, 20);
    refuses(
        "Embedding 'tok': id 50257 at position [3, 17] is outside [0, 50257)",
        () -> model.table.forward(x));
    refuses(
        "Embedding: id -1 at position [1] is outside [0, 2)",
        () -> new Embedding(device, 2, 2).forward(ids(0, -1)));
  }

  @Test
  void idsMustBeIntegers() {
    refuses(
        "Embedding: ids must be int64 but is float32; convert it with to(dtype)",
        () -> new Embedding(device, 2, 2).forward(device.zeros(1)));
  }

  // ---- max norm

  private float[] shortened(Embedding.Options options) {
    Tensor table = device.tensor(new float[] {3, 4, .1f, .2f, 6, 8, 30, 40}, 4, 2);
    Embedding e = Embedding.fromPretrained(table, false, options);
    e.forward(device.tensor(new long[] {0, 2, 0, 1}, 2, 2));
    return e.weight().toFloatArray();
  }

  /** Numbers of PyTorch 2.13; two units in the last place for another order of the same sum. */
  @Test
  void longVectorsThatAreUsedAreShortened() {
    double ulps = 2.4e-7;
    TensorAssert.assertClose(
        new float[] {0.6f, 0.8f, 0.1f, 0.2f, 0.6f, 0.8f, 30.0f, 40.0f},
        shortened(PLAIN.withMaxNorm(1)),
        0,
        ulps);
    TensorAssert.assertClose(
        new float[] {0.4285714f, 0.57142854f, 0.1f, 0.2f, 0.42857146f, 0.5714286f, 30.0f, 40.0f},
        shortened(PLAIN.withMaxNorm(1).withNormType(1)),
        0,
        ulps);
    TensorAssert.assertClose(
        new float[] {0.75f, 1.0f, 0.1f, 0.2f, 0.75f, 1.0f, 30.0f, 40.0f},
        shortened(PLAIN.withMaxNorm(1).withNormType(Double.POSITIVE_INFINITY)),
        0,
        ulps);
    TensorAssert.assertClose(
        new float[] {0.6669718f, 0.8892957f, 0.1f, 0.2f, 0.6669717f, 0.8892956f, 30.0f, 40.0f},
        shortened(PLAIN.withMaxNorm(1).withNormType(3)),
        0,
        ulps);
  }

  @Test
  void shorteningLeavesTheGradientAloneAndIsNoticedByBackward() {
    Embedding e = Embedding.fromPretrained(device.ones(2, 2), false, PLAIN.withMaxNorm(1));
    Tensor before = e.weight().mul(e.weight()).sum();
    e.forward(ids(0)).sum().backward();
    assertArrayEquals(new float[] {1, 1, 0, 0}, e.weight().grad().toFloatArray());
    refuses(
        IllegalStateException.class,
        "backward: 'Mul' needs a tensor [2, 2] that was changed in place after it was used;"
            + " change it after backward, or use a copy()",
        before::backward);
  }

  @Test
  void aWrongIdShortensNothing() {
    Embedding e = Embedding.fromPretrained(device.ones(2, 2), false, PLAIN.withMaxNorm(1));
    refuses("Embedding: id 5 at position [1] is outside [0, 2)", () -> e.forward(ids(0, 5)));
    assertArrayEquals(new float[] {1, 1, 1, 1}, e.weight().toFloatArray());
  }

  @Test
  void shorteningWorksInFloat64() {
    Embedding e =
        Embedding.fromPretrained(f64(new double[] {3, 4}, 1, 2), true, PLAIN.withMaxNorm(1));
    e.forward(ids(0));
    TensorAssert.assertClose(
        new double[] {3 / (5 + 1e-7), 4 / (5 + 1e-7)}, e.weight().toDoubleArray(), 0, 1e-15);
  }

  // ---- pretrained, tied, options

  @Test
  void pretrainedVectorsAreCopiedAndFrozenOnWish() {
    Tensor table = device.ones(2, 3);
    Embedding frozen = Embedding.fromPretrained(table, true);
    assertFalse(frozen.weight().requiresGrad());
    assertTrue(Embedding.fromPretrained(table, false).weight().requiresGrad());
    assertNotSame(table, frozen.weight());
    assertEquals(DType.F32, frozen.weight().dtype());
    refuses(
        "Embedding: the table is [3]; it must be [num, dim]",
        () -> Embedding.fromPretrained(device.ones(3), true));
  }

  @Test
  void aTiedTableIsTheSameParameter() {
    Linear head = Linear.withoutBias(device, 3, 7);
    assertSame(head.weight(), Embedding.tied(head.weight()).weight());
  }

  @Test
  void wrongOptionsAreRefused() {
    refuses(
        "Embedding paddingIndex must be in [-4, 4) but is 4",
        () -> new Embedding(device, 4, 2, PLAIN.withPaddingIndex(4)));
    refuses(
        "Embedding paddingIndex must be in [-4, 4) but is -5",
        () -> new Embedding(device, 4, 2, PLAIN.withPaddingIndex(-5)));
    refuses("Embedding maxNorm must be > 0 but is 0.0", () -> PLAIN.withMaxNorm(0));
    refuses("Embedding maxNorm must be > 0 but is NaN", () -> PLAIN.withMaxNorm(Double.NaN));
    refuses("Embedding normType must be > 0 but is -1.0", () -> PLAIN.withNormType(-1));
    refuses("Embedding num must be >= 0 but is -1", () -> new Embedding(device, -1, 2));
    refuses("Embedding dim must be >= 0 but is -2", () -> new Embedding(device, 1, -2));
  }
}
