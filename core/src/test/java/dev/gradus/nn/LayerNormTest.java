package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.testing.TensorAssert;
import dev.gradus.types.DType;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LayerNormTest extends Fixture {
  private static final LayerNorm.Options PLAIN = LayerNorm.Options.defaults();

  /** The numbers of PyTorch 2.13 in float64; units in the last place for another order. */
  @Test
  void rowsAreNormalisedThenScaledAndShifted() {
    LayerNorm norm = new LayerNorm(device, 3);
    norm.to(DType.F64);
    NamedParameters all = norm.namedParameters();
    all.get("weight").assign(f64(new double[] {1, 2, 3}));
    all.get("bias").assign(f64(new double[] {.1, .2, .3}));
    double[] expected = {
      -0.9690415314502977,
      -0.33452076572514905,
      4.308905742938616,
      -0.8805789785364644,
      -0.5844631828291715,
      4.41843170985315
    };
    TensorAssert.assertClose(
        expected,
        norm.forward(f64(new double[] {1, 2, 4, -1, 0, 3}, 2, 3)).toDoubleArray(),
        1e-14,
        0);
    TensorAssert.assertClose(
        expected,
        Functional.layerNorm(
                f64(new double[] {1, 2, 4, -1, 0, 3}, 2, 3),
                all.get("weight"),
                all.get("bias"),
                1e-5)
            .toDoubleArray(),
        1e-14,
        0);
  }

  @Test
  void itStartsAsThePlainNormalisation() {
    LayerNorm affine = new LayerNorm(device, 2, 3);
    LayerNorm none = new LayerNorm(device, PLAIN.withAffine(LayerNorm.Affine.NONE), 2, 3);
    var x = device.rand(4, 2, 3);
    TensorAssert.assertBits(none.forward(x).toFloatArray(), affine.forward(x).toFloatArray());
  }

  @Test
  void theOptionsChooseTheParameters() {
    assertEquals(List.of("weight", "bias"), new LayerNorm(device, 3).namedParameters().names());
    assertEquals(
        List.of("weight"),
        new LayerNorm(device, PLAIN.withAffine(LayerNorm.Affine.WEIGHT), 3)
            .namedParameters()
            .names());
    assertEquals(
        0, new LayerNorm(device, PLAIN.withAffine(LayerNorm.Affine.NONE), 3).parameters().size());
    assertEquals(0.5, PLAIN.withEps(0.5).eps());
  }

  @Test
  void wrongInputsAreRefused() {
    refuses(
        "LayerNorm: the input is [2, 4]; its last dimensions must be [3]",
        () -> new LayerNorm(device, 3).forward(device.zeros(2, 4)));
    refuses(
        "LayerNorm: the input is [3]; its last dimensions must be [2, 3]",
        () -> new LayerNorm(device, 2, 3).forward(device.zeros(3)));
    refuses(
        "LayerNorm: no sizes are given; name those of the last dimensions",
        () -> new LayerNorm(device));
    refuses("LayerNorm eps must be >= 0 but is -1.0", () -> PLAIN.withEps(-1));
    refuses("LayerNorm eps must be >= 0 but is NaN", () -> PLAIN.withEps(Double.NaN));
  }
}
