package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.SgdHyper;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.spi.Storage;
import dev.gradus.testing.Golden;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Trajectories of SGD, Adam and AdamW recorded from PyTorch 2.13. The other kinds are programs: the
 * tests of {@code optim} follow theirs.
 */
final class GoldenPlansTest {
  private static final List<String> KNOWN = List.of("SGD", "Adam", "AdamW");

  /** One optimizer on one parameter, stepped by hand. */
  private static final class Run implements AutoCloseable {
    private final Map<String, Object> options;
    private final boolean sgd;
    private final boolean decoupled;
    private final Storage param;
    private final Storage grad;
    private final AdamPlan adam;
    private final SgdPlan plain;
    private int step;

    Run(Backend backend, DType dtype, Map<String, Object> golden, double[] initial) {
      this.options = Golden.map(Golden.get(golden, "kwargs"));
      String kind = Golden.text(Golden.get(golden, "opt"));
      sgd = kind.equals("SGD");
      decoupled = kind.equals("AdamW");
      double[] zeros = new double[initial.length];
      param = store(backend, dtype, initial);
      grad = store(backend, dtype, zeros);
      Storage first = store(backend, dtype, zeros);
      Storage second = store(backend, dtype, zeros);
      Storage third = store(backend, dtype, zeros);
      boolean momentum = number("momentum", 0) != 0;
      Gradient dense = new Gradient.Dense(grad);
      adam =
          backend.planAdam(
              List.of(new AdamSlot(param, dense, first, second, flag("amsgrad") ? third : null)));
      plain = backend.planSgd(List.of(new SgdSlot(param, dense, momentum ? first : null)));
    }

    private double number(String name, double other) {
      Object value = options.get(name);
      return value == null ? other : Golden.number(value);
    }

    private boolean flag(String name) {
      return Boolean.TRUE.equals(options.get(name));
    }

    void step(double[] gradient) {
      write(gradient, grad);
      step++;
      int[] all = {0};
      if (sgd) {
        plain.step(all, List.of(sgdHyper()));
      } else {
        adam.step(all, List.of(adamHyper()));
      }
    }

    private SgdHyper sgdHyper() {
      return new SgdHyper(
          number("lr", 1e-3),
          number("momentum", 0),
          number("dampening", 0),
          number("weight_decay", 0),
          flag("nesterov"),
          flag("maximize"),
          step == 1);
    }

    private AdamHyper adamHyper() {
      double[] betas = {0.9, 0.999};
      Object given = options.get("betas");
      if (given != null) {
        betas = Golden.doubles(given);
      }
      return new AdamHyper(
          number("lr", 1e-3),
          betas[0],
          betas[1],
          number("eps", 1e-8),
          number("weight_decay", decoupled ? 1e-2 : 0),
          decoupled,
          flag("maximize"),
          1 - Math.pow(betas[0], step),
          1 - Math.pow(betas[1], step));
    }

    double[] values() {
      return read(param);
    }

    @Override
    public void close() {
      adam.close();
      plain.close();
    }
  }

  private static Storage store(Backend b, DType dtype, double[] values) {
    Storage s = b.allocate(dtype, values.length);
    write(values, s);
    return s;
  }

  private static void write(double[] values, Storage s) {
    for (int i = 0; i < values.length; i++) {
      if (s.dtype() == DType.F32) {
        CpuStorage.f32(s)[i] = (float) values[i];
      } else {
        CpuStorage.f64(s)[i] = values[i];
      }
    }
  }

  private static double[] read(Storage s) {
    double[] values = new double[(int) s.numel()];
    for (int i = 0; i < values.length; i++) {
      values[i] = s.dtype() == DType.F32 ? CpuStorage.f32(s)[i] : CpuStorage.f64(s)[i];
    }
    return values;
  }

  private static List<Map<String, Object>> cases(Map<String, Object> file) {
    List<Map<String, Object>> cases = new ArrayList<>();
    for (Object c : Golden.list(Golden.get(file, "cases"))) {
      Map<String, Object> golden = Golden.map(c);
      if (KNOWN.contains(Golden.text(Golden.get(golden, "opt")))) {
        cases.add(golden);
      }
    }
    return cases;
  }

  @Test
  void float32TrajectoriesAgreeBitForBit() {
    assumeTrue(HardwareFma.PRESENT, "bit equality needs a hardware FMA");
    Map<String, Object> file = Golden.load("optim_f32_hex.json");
    List<Object> grads = Golden.list(Golden.get(file, "grads_hex"));
    int checked = 0;
    try (Backend b = new CpuBackend(CpuSettings.ofProcess().withThreads(2))) {
      for (Map<String, Object> golden : cases(file)) {
        double[] initial = Golden.doubles(Golden.get(file, "p0_hex"));
        List<Object> expected = Golden.list(Golden.get(golden, "p_hex"));
        try (Run run = new Run(b, DType.F32, golden, initial)) {
          for (int t = 0; t < grads.size(); t++) {
            run.step(Golden.doubles(grads.get(t)));
            double[] e = Golden.doubles(expected.get(t));
            double[] p = run.values();
            for (int i = 0; i < e.length; i++) {
              assertEquals(e[i], p[i], golden.get("opt") + " " + run.options + " step " + t);
              checked++;
            }
          }
        }
      }
    }
    assertEquals(12 * 10 * 32, checked);
  }

  @Test
  void float64TrajectoriesAgreeToTheLastDigits() {
    Map<String, Object> file = Golden.load("optim_f64.json");
    int checked = 0;
    try (Backend b = new CpuBackend(CpuSettings.ofProcess().withThreads(1))) {
      for (Map<String, Object> golden : cases(file)) {
        checked += float64(b, file, golden);
      }
    }
    assertTrue(checked >= 19 * 6 * 3, checked + " values");
  }

  /** The file's gradient: {@code 0.5 p + [0.1, -0.2, 0.3] t - [0.05, 0, 0.7]}, t from 1. */
  private static int float64(Backend b, Map<String, Object> file, Map<String, Object> golden) {
    double[] slope = {0.1, -0.2, 0.3};
    double[] offset = {0.05, 0, 0.7};
    List<Object> expected = Golden.list(Golden.get(golden, "p"));
    Object none = golden.get("none_grad_at");
    double[] absent = none == null ? new double[0] : Golden.doubles(none);
    int checked = 0;
    try (Run run = new Run(b, DType.F64, golden, Golden.doubles(Golden.get(file, "p0")))) {
      for (int t = 1; t <= expected.size(); t++) {
        double[] p = run.values();
        double[] g = new double[3];
        for (int i = 0; i < 3; i++) {
          g[i] = 0.5 * p[i] + slope[i] * t - offset[i];
        }
        if (!contains(absent, t)) {
          run.step(g);
        }
        double[] e = Golden.doubles(expected.get(t - 1));
        double[] q = run.values();
        for (int i = 0; i < 3; i++) {
          // The bound: a few roundings of each of 8 steps.
          double allowed = 1e-14 * Math.max(1, Math.abs(e[i]));
          assertEquals(e[i], q[i], allowed, golden.get("opt") + " " + run.options + " step " + t);
          checked++;
        }
      }
    }
    return checked;
  }

  private static boolean contains(double[] values, int t) {
    for (double v : values) {
      if (v == t) {
        return true;
      }
    }
    return false;
  }
}
