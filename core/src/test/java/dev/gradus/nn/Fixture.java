package dev.gradus.nn;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.DeviceUnderTest;
import dev.gradus.testing.ReferenceBackend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;

/** A device, the reference where these tests stand, and a scope for each test. */
abstract class Fixture {
  Device device = DeviceUnderTest.open(() -> Device.over(new ReferenceBackend("cpu")));
  private Scope scope = Scope.open();

  @BeforeEach
  void seed() {
    device.manualSeed(0);
  }

  @AfterEach
  void close() {
    scope.close();
    device.close();
  }

  Tensor f64(double[] values, long... dims) {
    return device.tensor(values, dims);
  }

  Tensor ids(long... values) {
    return device.tensor(values);
  }

  /** Numbers in (-1, 1) without ties, float64, that ask for a gradient. */
  Tensor point(long... dims) {
    long n = 1;
    for (long d : dims) {
      n *= d;
    }
    double[] v = new double[(int) n];
    for (int i = 0; i < v.length; i++) {
      v[i] = Math.sin(1.7 * i + 0.3) * 0.97;
    }
    return device.tensor(v, dims).requiresGrad(true);
  }

  /** What PyTorch prints behind the values: the device, if it is not the CPU, and this. */
  String printed(String requiresGrad) {
    return device.name().equals("cpu")
        ? requiresGrad
        : ", device='" + device.name() + "'" + requiresGrad;
  }

  static void refuses(String text, Executable action) {
    IllegalArgumentException e = Assertions.assertThrows(IllegalArgumentException.class, action);
    Assertions.assertEquals(text, e.getMessage());
  }

  static void refuses(Class<? extends RuntimeException> type, String text, Executable action) {
    Assertions.assertEquals(text, Assertions.assertThrows(type, action).getMessage());
  }
}
