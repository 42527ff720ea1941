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

  private static final int F64_CASES = 19;
  private static final int F32_CASES = 12;

  @ParameterizedTest
  @EnumSource
  void float64TrajectoriesAreThoseOfTheGoldenFile(Fixture.Where where) {
    try (Device device = where.open()) {
      Map<String, Object> file = Golden.load("optim_f64.json");
      double[] p0 = Golden.doubles(Golden.get(file, "p0"));
      int cases = 0;
      for (Object c : Golden.list(Golden.get(file, "cases"))) {
        Map<String, Object> golden = Golden.map(c);
        if (isBuilt(golden)) {
          followFloat64(device, golden, p0);
          cases++;
        }
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
            close(
                golden + " " + name,
                Golden.doubles(value),
                Fixture.values(buffer(optimizer, name)));
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
        Map<String, Object> golden = Golden.map(c);
        if (isBuilt(golden)) {
          followFloat32(device, golden, p0, gradients);
          cases++;
        }
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
                    Golden.floats(value), buffer(optimizer, name).toFloatArray(), name);
              }
            });
  }

  private static boolean isBuilt(Map<String, Object> golden) {
    return List.of("Adam", "AdamW", "SGD").contains(Golden.text(golden.get("opt")));
  }

  private static StateTensor buffer(Optimizer<?> optimizer, String name) {
    StateTensor buffer = optimizer.groups().get(0).members().get(0).buffers.get(name);
    assertTrue(buffer != null, name);
    return buffer;
  }

  private static Optimizer<?> build(Map<String, Object> golden, Parameter p) {
    Map<String, Object> options = Golden.map(Golden.get(golden, "kwargs"));
    return switch (Golden.text(golden.get("opt"))) {
      case "Adam" -> Adam.withDefaults(o -> adam(o, options)).group("all", List.of(p)).build();
      case "AdamW" -> AdamW.withDefaults(o -> adam(o, options)).group("all", List.of(p)).build();
      default -> SGD.withDefaults(o -> sgd(o, options)).group("all", List.of(p)).build();
    };
  }

  private static Adam.Options adam(Adam.Options start, Map<String, Object> options) {
    Adam.Options o = start;
    for (Map.Entry<String, Object> e : options.entrySet()) {
      Object v = e.getValue();
      o =
          switch (e.getKey()) {
            case "lr" -> o.withLr(Golden.number(v));
            case "betas" -> o.withBetas(Golden.doubles(v)[0], Golden.doubles(v)[1]);
            case "eps" -> o.withEps(Golden.number(v));
            case "weight_decay" -> o.withWeightDecay(Golden.number(v));
            case "amsgrad" -> o.withAmsgrad((Boolean) v);
            case "maximize" -> o.withMaximize((Boolean) v);
            default -> throw new IllegalArgumentException(e.getKey());
          };
    }
    return o;
  }

  private static SGD.Options sgd(SGD.Options start, Map<String, Object> options) {
    SGD.Options o = start;
    for (Map.Entry<String, Object> e : options.entrySet()) {
      Object v = e.getValue();
      o =
          switch (e.getKey()) {
            case "lr" -> o.withLr(Golden.number(v));
            case "momentum" -> o.withMomentum(Golden.number(v));
            case "dampening" -> o.withDampening(Golden.number(v));
            case "weight_decay" -> o.withWeightDecay(Golden.number(v));
            case "nesterov" -> o.withNesterov((Boolean) v);
            case "maximize" -> o.withMaximize((Boolean) v);
            default -> throw new IllegalArgumentException(e.getKey());
          };
    }
    return o;
  }
}
