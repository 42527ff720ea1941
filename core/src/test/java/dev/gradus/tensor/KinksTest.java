package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gradus.testing.ReferenceBackend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Values and gradients where differences cannot decide: at kinks, ties, poles and far out. The
 * figures are PyTorch 2.13's in float64, but where a comment says otherwise.
 */
class KinksTest {
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  /** A few roundings of values of about 1; the rest is exact. */
  private static final double TIGHT = 1e-15;

  private Device device;
  private Scope scope;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
    device.close();
  }

  private Tensor x(double... values) {
    return device.tensor(values).requiresGrad(true);
  }

  private static double[] a(double... values) {
    return values;
  }

  private static void check(Tensor out, double[] values, Tensor x, double[] grad) {
    assertArrayEquals(values, out.toDoubleArray(), TIGHT);
    out.sum().backward();
    assertArrayEquals(grad, x.grad().toDoubleArray(), TIGHT);
  }

  @Test
  void kinksOfOneOperand() {
    Tensor x = x(-2, 0, 3, NAN);
    check(x.abs(), a(2, 0, 3, NAN), x, a(-1, 0, 1, 0));
    x = x(-1, 0, 2, NAN);
    Tensor relu = x.relu();
    assertArrayEquals(a(0, 0, 2, NAN), relu.toDoubleArray());
    relu.sum().backward();
    assertArrayEquals(a(0, 0, 1, 1), x.grad().toDoubleArray());
    x = x(-1, 0, 2);
    check(x.leakyRelu(0.1), a(-0.1, 0, 2), x, a(0.1, 0.1, 1));
    x = x(-1, 1, 2, NAN);
    check(x.clamp(-1, 1), a(-1, 1, 1, NAN), x, a(1, 1, 0, 0));
    x = x(0, 4);
    check(x.sqrt(), a(0, 2), x, a(INF, 0.25));
    x = x(0, 1);
    check(x.pow(0), a(1, 1), x, a(0, 0));
    x = x(0, 1);
    check(x.rpow(0), a(1, 0), x, a(0, 0));
  }

  @Test
  void equalOperandsAndEqualElementsShare() {
    Tensor x = x(1, 2, 3);
    Tensor y = x(2, 2, 2);
    check(x.maximum(y), a(2, 2, 3), x, a(0, 0.5, 1));
    assertArrayEquals(a(1, 0.5, 0), y.grad().toDoubleArray());
    x.zeroGrad();
    check(x.minimum(y), a(1, 2, 2), x, a(1, 0.5, 0));
    x = x(1, 3, 3, 2);
    check(x.max(), a(3), x, a(0, 0.5, 0.5, 0));
    x = x(1, 3, 1, 1, 2);
    check(x.min(), a(1), x, a(1 / 3.0, 0, 1 / 3.0, 1 / 3.0, 0));
    x = x(1, 3, 3, 2);
    check(x.max(0, false), a(3), x, a(0, 1, 0, 0));
  }

  @Test
  void theGradientReachesNaNWhereItDecides() {
    Tensor x = x(NAN, 1, NAN);
    Tensor y = x(1, NAN, NAN);
    check(x.maximum(y), a(NAN, NAN, NAN), x, a(1, 1, 1));
    assertArrayEquals(a(1, 1, 1), y.grad().toDoubleArray());
    x.zeroGrad();
    y.zeroGrad();
    check(x.minimum(y), a(NAN, NAN, NAN), x, a(1, 1, 1));
    assertArrayEquals(a(1, 1, 1), y.grad().toDoubleArray());
    x = x(NAN, 1, NAN, 1, 3);
    check(x.max(), a(NAN), x, a(0.5, 0, 0.5, 0, 0));
    x.zeroGrad();
    check(x.min(), a(NAN), x, a(0.5, 0, 0.5, 0, 0));
    x = x(1, NAN, NAN, 1, 3);
    check(x.max(0, false), a(NAN), x, a(0, 1, 0, 0, 0));
    x.zeroGrad();
    check(x.min(0, true), a(NAN), x, a(0, 1, 0, 0, 0));
  }

  @Test
  void powersOfZeroAndOfNegativeBases() {
    Tensor x = x(0, 0, 2, -2, 0);
    Tensor y = x(0, 2, 0, 2, 1);
    check(x.pow(y), a(1, 0, 1, 4, 0), x, a(0, 0, 0, -4, 1));
    assertArrayEquals(a(0, 0, Math.log(2), NAN, 0), y.grad().toDoubleArray(), TIGHT);
    x = x(0);
    y = x(-1);
    check(x.pow(y), a(INF), x, a(-INF));
    assertArrayEquals(a(-INF), y.grad().toDoubleArray());
  }

  @Test
  void farOutNothingOverflows() {
    Tensor x = x(-800, 800, 0);
    check(x.sigmoid(), a(0, 1, 0.5), x, a(0, 0, 0.25));
    x = x(20, 20.5, -800, 800);
    double tail = Math.log1p(Math.exp(-20));
    check(x.softplus(1, 20), a(20 + tail, 20.5, 0, 800), x, a(1 / (1 + Math.exp(-20)), 1, 0, 1));
    x = x(1000, 0, -1000);
    check(x.logSoftmax(0), a(0, -1000, -2000), x, a(-2, 1, 1));
  }

  @Test
  void crossEntropyOfCertaintyIsClampedAtAHundred() {
    Tensor x = x(0, 1, 1);
    Tensor y = x(1, 1, 0);
    Tensor loss = x.binaryCrossEntropy(y);
    assertArrayEquals(a(100, 0, 100), loss.toDoubleArray(), TIGHT);
    loss.sum().backward();
    assertArrayEquals(a(-1e12, 0, 1e12), x.grad().toDoubleArray(), TIGHT);
    // the slope of the clamped loss itself; PyTorch forgets the clamp here and says infinity
    assertArrayEquals(a(100, -100, -100), y.grad().toDoubleArray());
  }
}
