package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.tensor.GradCheck;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.TensorAssert;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The numbers are those of PyTorch 2.13 in float64. */
final class FunctionalTest extends Fixture {
  /** Weighted means of three values below 2. */
  private static final double ROUNDING = 1e-14;

  private Tensor wave(double factor, boolean nested) {
    return f64(waveValues(factor, nested, 6), 1, 2, 3, 2);
  }

  /** As {@link #wave(double, boolean)}, one sequence of this length. */
  private Tensor wave(double factor, boolean nested, int time) {
    return f64(waveValues(factor, nested, time), 1, time, 2);
  }

  private static double[] waveValues(double factor, boolean nested, int pairs) {
    double[] v = new double[2 * pairs];
    for (int i = 0; i < v.length; i++) {
      double s = Math.sin(i);
      v[i] = factor * (nested ? Math.cos(s) : s);
    }
    return v;
  }

  @Test
  void attentionOverAllPositions() {
    TensorAssert.assertClose(
        new double[] {
          0.24432400953366748, 0.06628584127931274, 0.07863812575703032,
          0.11981302084464249, -0.021565822609392986, -0.1245168351248471,
          0.23774151208575492, 0.14532795350528976, 0.015160772566086795,
          0.08647857767668021, 0.06351677509642673, -0.0873944581147832
        },
        Functional.scaledDotProductAttention(
                wave(1, false), wave(1, true), wave(2, false), AttentionMask.NONE)
            .toDoubleArray(),
        ROUNDING,
        0);
  }

  @Test
  void causalAttentionSeesNothingLater() {
    TensorAssert.assertClose(
        new double[] {
          0.0, 1.682941969615793, 0.811611208620602,
          1.0578300030270487, -0.021565822609392986, -0.1245168351248471,
          -0.5588309963978517, 1.3139731974375781, 0.550943901845994,
          1.0997912072867695, 0.06351677509642673, -0.0873944581147832
        },
        Functional.scaledDotProductAttention(
                wave(1, false), wave(1, true), wave(2, false), AttentionMask.CAUSAL)
            .toDoubleArray(),
        ROUNDING,
        0);
  }

  @Test
  void causalAttentionOverASourceOfAnotherLengthCountsFromItsStart() {
    TensorAssert.assertClose(
        new double[] {0.0, 1.682941969615793, 0.8116112086206019, 1.0578300030270482},
        Functional.scaledDotProductAttention(
                wave(1, false, 2), wave(1, true, 4), wave(2, false, 4), AttentionMask.CAUSAL)
            .toDoubleArray(),
        ROUNDING,
        0);
    TensorAssert.assertClose(
        new double[] {
          0.0, 1.682941969615793, 0.8116112086206019, 1.0578300030270482,
          0.9033506998889599, 0.9871712279984471, 1.011873107735353, 0.9035860642313004
        },
        Functional.scaledDotProductAttention(
                wave(1, false, 4), wave(1, true, 2), wave(2, false, 2), AttentionMask.CAUSAL)
            .toDoubleArray(),
        ROUNDING,
        0);
  }

  /** Checks of gradients by the name of the function. */
  private Map<String, Runnable> gradients() {
    Map<String, Runnable> checks = new LinkedHashMap<>();
    checks.put(
        "scaledDotProductAttention",
        () -> {
          for (AttentionMask mask : AttentionMask.values()) {
            checkAttention(mask);
          }
        });
    checks.put(
        "layerNorm",
        () ->
            GradCheck.check(
                "layerNorm",
                in -> Functional.layerNorm(in.get(0), in.get(1), in.get(2), 1e-5),
                point(2, 3),
                point(3),
                point(3)));
    return checks;
  }

  private void checkAttention(AttentionMask mask) {
    GradCheck.check(
        "scaledDotProductAttention " + mask,
        in -> Functional.scaledDotProductAttention(in.get(0), in.get(1), in.get(2), mask),
        wave(1, false).requiresGrad(true),
        wave(1, true).requiresGrad(true),
        wave(2, false).requiresGrad(true));
  }

  @Test
  void gradientsOfEveryFunctionAgreeWithDifferences() {
    gradients().values().forEach(Runnable::run);
  }

  @Test
  void noFunctionIsWithoutAGradientCheck() {
    assertEquals(
        Arrays.stream(Functional.class.getDeclaredMethods())
            .filter(m -> Modifier.isPublic(m.getModifiers()))
            .map(Method::getName)
            .collect(Collectors.toCollection(TreeSet::new)),
        new TreeSet<>(gradients().keySet()));
  }

  @Test
  void vectorsAreRefused() {
    Tensor x = device.zeros(3);
    refuses(
        "attention: q is [3] and k [3]; they must be [..., time, d] and [..., source, d]",
        () -> Functional.scaledDotProductAttention(x, x, x, AttentionMask.NONE));
  }
}
