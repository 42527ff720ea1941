package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.nn.Parameter;
import dev.gradus.optim.OptimizerFamiliesTest.Config;
import dev.gradus.tensor.Device;
import dev.gradus.types.DType;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Under a constant gradient what the optimizers keep has a closed form, and so have their steps. An
 * LBFGS on a parabola is in {@link LBFGSTest}.
 */
class OptimizerClosedFormsTest {
  private static final int STEPS = 9;
  private static final double LR = 0.125;

  /** A step rounds a value below 4 and an update about ten times, each to a part of 2^-53. */
  private static final double TOLERANCE = STEPS * 10 * 4 * 0x1p-53;

  /** Nine products of float32 roundings, and PyTorch keeps NAdam's product so. */
  private static final double PRODUCT_IN_FLOAT32 = STEPS * 4 * 0x1p-24;

  /** A value after t steps, from x under the gradient g. */
  private interface Closed {
    double at(int t, double x, double g);
  }

  private record Form(Config config, Closed closed, double tolerance) {
    @Override
    public String toString() {
      return config.toString();
    }
  }

  private static Form form(String kind, Map<String, Object> options, Closed closed) {
    return new Form(new Config(kind, options), closed, TOLERANCE);
  }

  private static double sum(int t, IntToDoubleFunction term) {
    double sum = 0;
    for (int k = 1; k <= t; k++) {
      sum += term.applyAsDouble(k);
    }
    return sum;
  }

  /** {@code 1 + q + … + q^(t - 1)}. */
  private static double geometric(double q, int t) {
    return (1 - Math.pow(q, t)) / (1 - q);
  }

  /** The decay q, and a step of that length against the gradient. */
  private static Closed decayed(double q, double step) {
    return (t, x, g) -> Math.pow(q, t) * x - step * Math.signum(g) * geometric(q, t);
  }

  static Stream<Form> forms() {
    double eps = 1e-8;
    double m = 0.9;
    return Stream.of(
        form(
            "SGD",
            Map.of("lr", LR, "momentum", m),
            (t, x, g) -> x - LR * g * (t - m * geometric(m, t)) / (1 - m)),
        form("Adam", Map.of("lr", LR), (t, x, g) -> x - t * LR * g / (Math.abs(g) + eps)),
        form("AdamW", Map.of("lr", LR, "weight_decay", 0.5, "eps", 0.0), decayed(1 - LR * 0.5, LR)),
        form("Adamax", Map.of("lr", LR), (t, x, g) -> x - t * LR * g / (Math.abs(g) + eps)),
        new Form(
            new Config("NAdam", Map.of("lr", LR, "momentum_decay", 0.0, "eps", 0.0)),
            OptimizerClosedFormsTest::nAdam,
            PRODUCT_IN_FLOAT32),
        form("RAdam", Map.of("lr", LR), OptimizerClosedFormsTest::rAdam),
        form(
            "SparseAdam",
            Map.of("lr", LR, "eps", 0.25),
            (t, x, g) -> {
              IntToDoubleFunction root = k -> Math.sqrt(1 - Math.pow(0.999, k));
              return x
                  - sum(
                      t,
                      k ->
                          LR
                              * root.applyAsDouble(k)
                              * g
                              / (root.applyAsDouble(k) * Math.abs(g) + 0.25));
            }),
        form(
            "Adagrad",
            Map.of("lr", LR, "lr_decay", 0.5),
            (t, x, g) ->
                x
                    - sum(
                        t,
                        k -> LR / (1 + 0.5 * (k - 1)) * g / (Math.sqrt(k) * Math.abs(g) + 1e-10))),
        // Without a memory of gradients the steps' squares grow to the gradient's.
        form(
            "Adadelta",
            Map.of("lr", LR, "rho", 0.0, "eps", 0.5),
            (t, x, g) ->
                x - sum(t, k -> LR * g * Math.sqrt(1 - Math.pow(g * g / (g * g + 0.5), k)))),
        form(
            "RMSprop",
            Map.of("lr", LR, "alpha", m),
            (t, x, g) ->
                x - sum(t, k -> LR * g / (Math.sqrt(1 - Math.pow(m, k)) * Math.abs(g) + eps))),
        form(
            "Rprop",
            Map.of("lr", LR),
            (t, x, g) -> x - LR * Math.signum(g) * (Math.pow(1.2, t) - 1) / 0.2),
        // The rate 1/8 is a float32, so that rounding it changes nothing.
        form(
            "ASGD",
            Map.of("lr", LR, "lambd", 0.5, "alpha", 0.0),
            (t, x, g) -> {
              double q = 1 - 0.5 * LR;
              return Math.pow(q, t) * x - LR * g * geometric(q, t);
            }),
        // Of one element: steps are relative to its size.
        form(
            "Adafactor",
            Map.of("lr", LR),
            (t, x, g) -> x * Math.pow(1 - LR * Math.signum(x * g), t)),
        // An iteration that leaves the update as it is, of norm 1.
        form(
            "Muon",
            Map.of("lr", LR, "weight_decay", 0.5, "ns_coefficients", List.of(1.0, 0.0, 0.0)),
            decayed(1 - LR * 0.5, LR)),
        form("Lion", Map.of("lr", LR, "weight_decay", 0.5), decayed(1 - LR * 0.5, LR)));
  }

  /** Of a momentum that does not change, beta1 / 2 in each step. */
  private static double nAdam(int t, double x, double g) {
    double mu = 0.45;
    return x
        - LR
            * Math.signum(g)
            * sum(
                t,
                k ->
                    (1 - mu) / (1 - Math.pow(mu, k))
                        + mu * (1 - Math.pow(0.9, k)) / (1 - Math.pow(mu, k + 1)));
  }

  /** The bare gradient in five steps, then by its size and the rectification. */
  private static double rAdam(int t, double x, double g) {
    double most = 2 / (1 - 0.999) - 1;
    return x
        - sum(
            t,
            k -> {
              double power = Math.pow(0.999, k);
              double length = most - 2 * k * power / (1 - power);
              double root = Math.sqrt(1 - power);
              double rectification =
                  Math.sqrt(
                      (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length));
              return LR * g * (k <= 5 ? 1 : rectification * root / (root * Math.abs(g) + 1e-8));
            });
  }

  @ParameterizedTest
  @MethodSource("forms")
  void underAConstantGradientEachStepIsItsClosedForm(Form form) {
    double[] starts = {2, -3, 0.5};
    double[] gradients = {0.5, 1, -0.75};
    try (Device device = Fixture.Where.BACKEND.open()) {
      for (int i = 0; i < starts.length; i++) {
        Parameter p = form.config.parameter(device, DType.F64, starts[i]);
        Optimizer<?> optimizer = form.config.of(p);
        for (int t = 1; t <= STEPS; t++) {
          OptimizerFamiliesTest.give(optimizer, p, gradients[i]);
          optimizer.step();
          double expected = form.closed.at(t, starts[i], gradients[i]);
          assertEquals(expected, p.item(), form.tolerance, "step " + t + " from " + starts[i]);
        }
      }
    }
  }

  @Test
  void everyKindHasAClosedForm() {
    Set<String> kinds =
        OptimizerFamiliesTest.configs().map(Config::kind).collect(Collectors.toSet());
    assertEquals(kinds, forms().map(f -> f.config.kind()).collect(Collectors.toSet()));
  }
}
