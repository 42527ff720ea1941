package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.testing.Golden;
import dev.gradus.types.DType;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Trajectories against PyTorch's. */
class GoldenOptimizerTest {
  /** Both sides round once per operation; they differ by the order of a few operations. */
  private static final double F64 = 1e-14;

  private static final int F64_CASES = 41;
  private static final int F32_CASES = 14;

  @ParameterizedTest
  @EnumSource
  void float64TrajectoriesAreThoseOfTheGoldenFile(Fixture.Where where) {
    try (Device device = where.open()) {
      Map<String, Object> file = Golden.load("optim_f64.json");
      double[] p0 = Golden.doubles(Golden.get(file, "p0"));
      int cases = 0;
      for (Object c : Golden.list(Golden.get(file, "cases"))) {
        Map<String, Object> golden = Golden.map(c);
        followFloat64(device, golden, p0);
        cases++;
      }
      assertEquals(F64_CASES, cases);
    }
  }

  private static void followFloat64(Device device, Map<String, Object> golden, double[] p0) {
    Parameter p = Fixture.parameter(device, DType.F64, p0);
    Optimizer<?> optimizer = build(golden, p);
    List<Object> steps = Golden.list(Golden.get(golden, "p"));
    List<Object> absent =
        golden.containsKey("none_grad_at")
            ? Golden.list(Golden.get(golden, "none_grad_at"))
            : List.of();
    double[] slope = {0.1, -0.2, 0.3};
    double[] offset = {0.05, 0, 0.7};
    for (int t = 1; t <= steps.size(); t++) {
      double[] g = p.toDoubleArray();
      for (int i = 0; i < g.length; i++) {
        g[i] = 0.5 * g[i] + slope[i] * t - offset[i];
      }
      optimizer.zeroGrad();
      if (!absent.contains((double) t)) {
        Fixture.gradient(p, g);
      }
      optimizer.step();
      close(golden + " step " + t, Golden.doubles(steps.get(t - 1)), p.toDoubleArray());
    }
    Map<String, Object> state = Golden.map(Golden.get(golden, "final_state"));
    assertEquals(steps.size() - absent.size(), optimizer.stepsOf(p));
    state.forEach(
        (name, value) -> {
          if (!name.equals("step")) {
            double[] expected =
                value instanceof Double number ? new double[] {number} : Golden.doubles(value);
            close(golden + " " + name, expected, state(optimizer, name));
          }
        });
  }

  private static void close(String what, double[] expected, double[] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs(expected[i] - actual[i]) / Math.max(1, Math.abs(expected[i]));
      assertTrue(error <= F64, what + " [" + i + "]: " + expected[i] + " but " + actual[i]);
    }
  }

  @ParameterizedTest
  @EnumSource
  void float32TrajectoriesHaveTheBitsOfTheGoldenFile(Fixture.Where where) {
    try (Device device = where.open()) {
      String fma = device.backend().details().getOrDefault("hardware FMA", "yes");
      assumeTrue(fma.equals("yes"), "bit equality needs a hardware FMA, and it is: " + fma);
      Map<String, Object> file = Golden.load("optim_f32_hex.json");
      float[] p0 = Golden.floats(Golden.get(file, "p0_hex"));
      List<Object> gradients = Golden.list(Golden.get(file, "grads_hex"));
      int cases = 0;
      for (Object c : Golden.list(Golden.get(file, "cases"))) {
        followFloat32(device, Golden.map(c), p0, gradients);
        cases++;
      }
      assertEquals(F32_CASES, cases);
    }
  }

  private static void followFloat32(
      Device device, Map<String, Object> golden, float[] p0, List<Object> gradients) {
    Parameter p = new Parameter(device.tensor(p0));
    Optimizer<?> optimizer = build(golden, p);
    List<Object> steps = Golden.list(Golden.get(golden, "p_hex"));
    for (int t = 0; t < steps.size(); t++) {
      Fixture.gradient(p, Golden.doubles(gradients.get(t)));
      optimizer.step();
      assertArrayEquals(
          Golden.floats(steps.get(t)), p.toFloatArray(), golden.get("kwargs") + " " + t);
    }
    Golden.map(Golden.get(golden, "final_state_hex"))
        .forEach(
            (name, value) -> {
              if (!name.equals("step")) {
                assertArrayEquals(
                    Golden.doubles(value), state(optimizer, name), golden.get("kwargs") + name);
              }
            });
  }

  private static Member member(Optimizer<?> optimizer) {
    return optimizer.groups().get(0).members().get(0);
  }

  private static double[] state(Optimizer<?> optimizer, String name) {
    Member m = member(optimizer);
    StateTensor buffer = m.buffers.get(name);
    if (buffer != null) {
      return Fixture.values(buffer);
    }
    assertTrue(m.scalars != null && m.scalars.containsKey(name), name);
    return new double[] {m.scalars.get(name)};
  }

  private static Optimizer<?> build(Map<String, Object> golden, Parameter p) {
    return TorchOptimizers.of(
        Golden.text(Golden.get(golden, "opt")), Golden.map(Golden.get(golden, "kwargs")), p);
  }
}
