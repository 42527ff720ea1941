package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.testing.DeviceUnderTest;
import dev.gradus.testing.PrimitivesOnly;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.function.Executable;

/** What the tests of optimizers share. */
final class Fixture {
  private Fixture() {}

  /**
   * Where optimizers are tested: a backend, here the CPU, the same without its batched plans, and
   * the reference.
   */
  enum Where {
    BACKEND,
    COMPOSED,
    REFERENCE;

    Device open() {
      return switch (this) {
        case BACKEND -> DeviceUnderTest.open(() -> Device.open("cpu"));
        case COMPOSED -> Device.over(new PrimitivesOnly(BACKEND.open().backend()));
        case REFERENCE -> Device.over(new ReferenceBackend("reference"));
      };
    }
  }

  /**
   * Whether a backend's own sum over many tensors has the bits of its primitives' sum. Not on a
   * GPU: a kernel's order is that of its threads, and one takes two elements at a time.
   */
  static boolean sumsAlike(Device device) {
    return !device.name().startsWith("cuda");
  }

  static Parameter parameter(Device device, DType dtype, double... values) {
    return new Parameter(device.tensor(values).to(dtype));
  }

  /** Parameters of these shapes under these names, drawn from a seed. */
  static NamedParameters random(Device device, DType dtype, long seed, String... names) {
    device.manualSeed(seed);
    List<Map.Entry<String, Parameter>> all = new ArrayList<>();
    for (int i = 0; i < names.length; i++) {
      long[] shape = i % 2 == 0 ? new long[] {3, 2 + i} : new long[] {3 + i};
      all.add(Map.entry(names[i], new Parameter(device.normal(dtype, 0, 1, shape))));
    }
    return NamedParameters.of(all);
  }

  /** Gives a parameter this gradient, as backward would. */
  @SuppressWarnings("try") // the scope is open for its effect
  static void gradient(Parameter p, double... values) {
    p.zeroGrad();
    try (Scope scope = Scope.open()) {
      p.mul(p.device().tensor(values).to(p.dtype()).reshape(p.shape().toArray())).sum().backward();
    }
  }

  /** Gives a parameter this gradient, as a lookup of all its rows would. */
  @SuppressWarnings("try") // the scope is open for its effect
  static void gradientOfRows(Parameter p, double... values) {
    p.zeroGrad();
    try (Scope scope = Scope.open()) {
      p.indexSelect(0, p.device().arange(p.shape().dim(0)))
          .mul(p.device().tensor(values).to(p.dtype()).reshape(p.shape().toArray()))
          .sum()
          .backward();
    }
  }

  /** A gradient that depends on the values and on a seed. */
  static void gradientOf(Parameter p, long seed) {
    gradient(p, slopes(p, seed));
  }

  static double[] slopes(Parameter p, long seed) {
    double[] g = values(p);
    for (int i = 0; i < g.length; i++) {
      g[i] = 0.5 * g[i] + Math.sin(seed + 3.0 * i);
    }
    return g;
  }

  static double[] values(dev.gradus.tensor.Tensor t) {
    return t.to(DType.F64).toDoubleArray();
  }

  /** The text of the error that this must raise. */
  static String refused(Class<? extends RuntimeException> type, Executable action) {
    String message = Assertions.assertThrows(type, action).getMessage();
    return message == null ? "" : message;
  }
}
