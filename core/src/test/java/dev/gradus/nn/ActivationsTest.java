package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.tensor.Tensor;
import dev.gradus.testing.TensorAssert;
import org.junit.jupiter.api.Test;

/** Each module against its formula. */
final class ActivationsTest extends Fixture {
  private interface Formula {
    double of(double x);
  }

  private void computes(Formula formula, Module module) {
    double[] x = {-3, -1, -0.5, 0, 0.25, 1, 2.5, 30};
    double[] expected = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      expected[i] = formula.of(x[i]);
    }
    // a few units in the last place: two implementations of exp
    TensorAssert.assertClose(
        expected, module.forward(device.tensor(x)).toDoubleArray(), 1e-15, 1e-14);
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  @Test
  void everyActivationComputesItsFormula() {
    computes(ActivationsTest::sigmoid, new Sigmoid());
    computes(Math::tanh, new Tanh());
    computes(x -> Math.max(x, 0), new ReLU());
    computes(x -> x > 0 ? x : 0.01 * x, new LeakyReLU());
    computes(x -> x > 0 ? x : 0.2 * x, new LeakyReLU(0.2));
    computes(x -> x * sigmoid(x), new SiLU());
    computes(x -> x > 20 ? x : Math.log1p(Math.exp(x)), new Softplus());
    computes(x -> 2 * x > 4 ? x : Math.log1p(Math.exp(2 * x)) / 2, new Softplus(2, 4));
    double c = Math.sqrt(2 / Math.PI);
    computes(
        x -> x * (1 + Math.tanh(c * (x + 0.044715 * x * x * x))) / 2, new GELU(GELU.Form.TANH));
  }

  /** Phi(1) = 0.8413447460685429, Phi(-0.5) = 0.3085375387259869. */
  @Test
  void geluUsesTheNormalDistribution() {
    Tensor x = f64(new double[] {1, -0.5, 0});
    TensorAssert.assertClose(
        new double[] {0.8413447460685429, -0.15426876936299344, 0},
        new GELU().forward(x).toDoubleArray(),
        1e-15,
        0);
  }

  @Test
  void softmaxGoesAlongItsDimension() {
    Tensor x = f64(new double[] {0, Math.log(3), 0, 0}, 2, 2);
    TensorAssert.assertClose(
        new double[] {.25, .75, .5, .5}, new Softmax(1).forward(x).toDoubleArray(), 1e-15, 0);
    TensorAssert.assertClose(
        new double[] {.5, .75, .5, .25}, new Softmax(0).forward(x).toDoubleArray(), 1e-15, 0);
  }

  @Test
  void flattenKeepsTheBatch() {
    Tensor x = device.zeros(2, 3, 4);
    assertEquals("[2, 12]", new Flatten().forward(x).shape().toString());
    assertEquals("[6, 4]", new Flatten(0, 1).forward(x).shape().toString());
  }

  @Test
  void wrongOptionsAreRefused() {
    refuses("LeakyReLU slope must be a number but is NaN", () -> new LeakyReLU(Double.NaN));
    refuses("Softplus beta must be > 0 but is 0.0", () -> new Softplus(0, 20));
    refuses("Softplus threshold must be a number but is NaN", () -> new Softplus(1, Double.NaN));
  }
}
