package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.tensor.GradCheck;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.TensorAssert;
import dev.gradus.types.DType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The numbers are those of PyTorch 2.13 in float64. */
final class LossesTest extends Fixture {
  /** Sums of a few float64 values near 1, in whatever order. */
  private static final double ROUNDING = 1e-14;

  private static final CrossEntropyOptions PLAIN = CrossEntropyOptions.defaults();

  private final Tensor a = f64(new double[] {.5, -1.2, 3, 2, .1, -.7}, 2, 3);
  private final Tensor b = f64(new double[] {1, -1, .5, 2, 1.5, -3}, 2, 3);
  private final Tensor y = f64(new double[] {1, 0, .3, 0, 1, 1}, 2, 3);

  private static void is(Tensor loss, double... expected) {
    TensorAssert.assertClose(expected, loss.toDoubleArray(), ROUNDING, ROUNDING);
  }

  private static void isReduced(
      Function<Reduction, Tensor> loss, double mean, double sum, double... each) {
    is(loss.apply(Reduction.MEAN), mean);
    is(loss.apply(Reduction.SUM), sum);
    is(loss.apply(Reduction.NONE), each);
    assertEquals(0, loss.apply(Reduction.MEAN).shape().rank());
    assertEquals(0, loss.apply(Reduction.SUM).shape().rank());
  }

  @Test
  void distances() {
    isReduced(
        r -> Losses.mse(a, b, r),
        2.2983333333333333,
        13.79,
        new double[] {.25, .04, 6.25, 0, 1.96, 5.29});
    isReduced(r -> Losses.l1(a, b, r), 1.15, 6.9, new double[] {.5, .2, 2.5, 0, 1.4, 2.3});
    isReduced(
        r -> Losses.smoothL1(a, b, .7, r),
        0.8928571428571427,
        5.357142857142856,
        new double[] {
          0.17857142857142858, 0.02857142857142856, 2.15, 0, 1.0499999999999998, 1.9499999999999997
        });
    is(Losses.mse(a, b), 2.2983333333333333);
    is(Losses.l1(a, b), 1.15);
    is(Losses.smoothL1(a, b), Losses.smoothL1(a, b, 1, Reduction.MEAN).item());
    is(Losses.smoothL1(a, b, 0, Reduction.SUM), 6.9);
  }

  @Test
  void binaryCrossEntropyHasLogarithmsAtLeastMinus100() {
    Tensor p = f64(new double[] {.1, .9, .5});
    Tensor t = f64(new double[] {0, 1, 1});
    isReduced(
        r -> Losses.binaryCrossEntropy(p, t, r),
        0.3012894039585326,
        0.9038682118755978,
        new double[] {0.10536051565782631, 0.10536051565782628, 0.6931471805599453});
    is(Losses.binaryCrossEntropy(p, t), 0.3012894039585326);
    is(
        Losses.binaryCrossEntropy(
            f64(new double[] {0, 1, 0, .3}), f64(new double[] {1, 0, 0, .25}), Reduction.NONE),
        100,
        100,
        0,
        0.5684994090355333);
  }

  @Test
  void binaryCrossEntropyWithLogits() {
    isReduced(
        r -> Losses.binaryCrossEntropyWithLogits(a, y, r),
        1.1267429205156467,
        6.76045752309388,
        new double[] {
          0.4740769841801067,
          0.2632824673380312,
          2.1485873515737417,
          2.1269280110429727,
          0.6443966600735709,
          1.103186048885458
        });
    Tensor w = f64(new double[] {1, 2, 3});
    isReduced(
        r -> Losses.binaryCrossEntropyWithLogits(a, y, w, r),
        1.6067297819804356,
        9.640378691882614,
        new double[] {
          0.4740769841801067,
          0.2632824673380312,
          2.177739762517987,
          2.1269280110429727,
          1.2887933201471418,
          3.3095581466563737
        });
    is(Losses.binaryCrossEntropyWithLogits(a, y), 1.1267429205156467);
  }

  @Test
  void largeLogitsDoNotOverflow() {
    Tensor big = f64(new double[] {1000, -1000, 45, -45});
    Tensor t = f64(new double[] {0, 1, 1, 0});
    double[] loss = Losses.binaryCrossEntropyWithLogits(big, t, Reduction.NONE).toDoubleArray();
    TensorAssert.assertClose(
        new double[] {1000, 1000, 2.8625185805493937e-20, 0}, loss, 3e-20, 1e-15);
  }

  @Test
  void crossEntropy() {
    isReduced(
        r -> Losses.crossEntropy(a, ids(2, 0), PLAIN.withReduction(r)),
        0.14442791599290328,
        0.28885583198580655,
        new double[] {0.09265262931985614, 0.1962032026659504});
    isReduced(
        r -> Losses.crossEntropy(a, ids(2, 0), PLAIN.withReduction(r).withLabelSmoothing(.1)),
        0.33276124932623663,
        0.6655224986524733,
        new double[] {0.31598596265318946, 0.3495365359992837});
    is(Losses.crossEntropy(a, ids(2, 0)), 0.14442791599290328);
    is(
        Losses.crossEntropy(f64(new double[] {1, 2, 3, 1, 2, 3}, 2, 3), ids(0, 2)),
        1.4076059644443806);
    is(
        Losses.crossEntropy(
            f64(new double[] {1, 2, 3}), device.tensor(new long[] {1}, 1).reshape()),
        1.4076059644443804);
  }

  @Test
  void crossEntropyOfIgnoredAndWeightedClasses() {
    CrossEntropyOptions weighted = PLAIN.withClassWeights(f64(new double[] {1, 2, 3}));
    isReduced(
        r -> Losses.crossEntropy(a, ids(2, 0), weighted.withReduction(r)),
        0.1185402726563797,
        0.4741610906255188,
        new double[] {0.27795788795956844, 0.1962032026659504});
    isReduced(
        r -> Losses.crossEntropy(a, ids(2, -100), weighted.withReduction(r).withLabelSmoothing(.2)),
        0.3286980095874213,
        0.9860940287622638,
        new double[] {0.9860940287622638, 0});
    isReduced(
        r -> Losses.crossEntropy(a, ids(1, 0), PLAIN.withReduction(r).withIgnoreIndex(0)),
        4.292652629319856,
        4.292652629319856,
        new double[] {4.292652629319856, 0});
    is(Losses.crossEntropy(a, ids(-100, -100)), Double.NaN);
  }

  @Test
  void crossEntropyOfMoreDimensionsHasItsClassesInTheSecond() {
    double[] s = new double[24];
    for (int i = 0; i < s.length; i++) {
      s[i] = Math.sin(i);
    }
    Tensor scores = f64(s, 2, 3, 2, 2);
    Tensor t = device.tensor(new long[] {0, 1, 2, -100, 1, 1, 0, 2}, 2, 2, 2);
    isReduced(
        r -> Losses.crossEntropy(scores, t, PLAIN.withReduction(r).withLabelSmoothing(.1)),
        1.7100683098378724,
        11.970478168865107,
        new double[] {
          1.4174439590456238,
          2.291407243968557,
          1.8268013576029798,
          0,
          1.5980448282893804,
          2.2936343800943857,
          0.525303980272829,
          2.0178424195913514
        });
    CrossEntropyOptions each = PLAIN.withReduction(Reduction.NONE);
    assertEquals("[2, 2, 2]", Losses.crossEntropy(scores, t, each).shape().toString());
  }

  @Test
  void negativeLogLikelihood() {
    isReduced(
        r -> Losses.nll(a, ids(2, 0), PLAIN.withReduction(r)), -2.5, -5, new double[] {-3, -2});
    is(Losses.nll(a, ids(2, 0)), -2.5);
  }

  // ---- refusals

  @Test
  void differentShapesAreRefused() {
    Tensor x = device.zeros(4, 1);
    Tensor t = device.zeros(4);
    String rest =
        ": the input is [4, 1] and the target [4]; they must be equal: reshape or expand one";
    refuses("mse" + rest, () -> Losses.mse(x, t));
    refuses("l1" + rest, () -> Losses.l1(x, t));
    refuses("smoothL1" + rest, () -> Losses.smoothL1(x, t));
    refuses("binaryCrossEntropy" + rest, () -> Losses.binaryCrossEntropy(x, t));
    refuses("binaryCrossEntropyWithLogits" + rest, () -> Losses.binaryCrossEntropyWithLogits(x, t));
  }

  @Test
  void probabilitiesAndTargetsAreInTheUnitInterval() {
    Tensor good = f64(new double[] {0, 1, .5, .25}, 2, 2);
    refuses(
        "binaryCrossEntropy: probability 1.5 at position [1, 0] is outside [0, 1]",
        () -> Losses.binaryCrossEntropy(f64(new double[] {0, 1, 1.5, 0}, 2, 2), good));
    refuses(
        "binaryCrossEntropy: target -0.5 at position [0, 1] is outside [0, 1]",
        () -> Losses.binaryCrossEntropy(good, f64(new double[] {0, -.5, 1.5, 0}, 2, 2)));
    refuses(
        "binaryCrossEntropy: probability NaN at position [1] is outside [0, 1]",
        () ->
            Losses.binaryCrossEntropy(device.tensor(new float[] {0, Float.NaN}), device.zeros(2)));
    refuses(
        UnsupportedOperationException.class,
        "binaryCrossEntropy: each target must be float32 or float64 but is int64;"
            + " convert with to(dtype)",
        () -> Losses.binaryCrossEntropy(device.zeros(2), ids(0, 1)));
  }

  @Test
  void wrongOptionsAreRefused() {
    refuses(
        "crossEntropy labelSmoothing must be in [0, 1] but is 1.5",
        () -> PLAIN.withLabelSmoothing(1.5));
    refuses(
        "smoothL1 beta must be >= 0 and finite but is -1.0",
        () -> Losses.smoothL1(a, b, -1, Reduction.MEAN));
    refuses(
        "smoothL1 beta must be >= 0 and finite but is NaN",
        () -> Losses.smoothL1(a, b, Double.NaN, Reduction.MEAN));
    refuses(
        "nll: labelSmoothing is 0.1; only crossEntropy has it",
        () -> Losses.nll(a, ids(0, 1), PLAIN.withLabelSmoothing(.1)));
    refuses(
        "crossEntropy: classWeights are [2]; they must be [3]",
        () -> Losses.crossEntropy(a, ids(0, 1), PLAIN.withClassWeights(f64(new double[] {1, 2}))));
    refuses(
        "binaryCrossEntropyWithLogits: posWeight is [2, 2, 3] but the logits are [2, 3];"
            + " it must broadcast to their shape",
        () ->
            Losses.binaryCrossEntropyWithLogits(
                a, y, device.zeros(DType.F64, 2, 2, 3), Reduction.MEAN));
  }

  @Test
  void targetsAreClasses() {
    refuses(
        "crossEntropy: id 3 at position [1] is outside [0, 3)",
        () -> Losses.crossEntropy(a, ids(0, 3)));
    refuses("nll: id -1 at position [0] is outside [0, 3)", () -> Losses.nll(a, ids(-1, 0)));
    refuses(
        "crossEntropy: targets must be int64 but is float64; convert it with to(dtype)",
        () -> Losses.crossEntropy(a, f64(new double[] {0, 1})));
    refuses(
        "crossEntropy: scores are [2, 3] and targets [3]; they must be [batch, classes] and"
            + " [batch], or [batch, classes, d1, …] and [batch, d1, …]",
        () -> Losses.crossEntropy(a, ids(0, 1, 2)));
  }

  // ---- gradients

  /** Checks of gradients by the name of the loss; each for every reduction. */
  private Map<String, Function<Reduction, Runnable>> gradients() {
    Tensor x = point(2, 3);
    Tensor t = f64(new double[] {.3, -.4, .5, -.6, .7, .25}, 2, 3).requiresGrad(true);
    Tensor p = f64(new double[] {.1, .9, .5, .3, .2, .7}, 2, 3).requiresGrad(true);
    Tensor wide = point(2, 3, 2);
    Tensor ids = device.tensor(new long[] {0, 2, -100, 1}, 2, 2);
    CrossEntropyOptions rich =
        PLAIN.withLabelSmoothing(.1).withClassWeights(f64(new double[] {1, 2, 3}));
    Map<String, Function<Reduction, Runnable>> checks = new LinkedHashMap<>();
    checks.put("mse", r -> check("mse", in -> Losses.mse(in[0], in[1], r), x, t));
    checks.put("l1", r -> check("l1", in -> Losses.l1(in[0], in[1], r), x, t));
    checks.put(
        "smoothL1", r -> check("smoothL1", in -> Losses.smoothL1(in[0], in[1], .5, r), x, t));
    checks.put(
        "binaryCrossEntropy",
        r -> check("binaryCrossEntropy", in -> Losses.binaryCrossEntropy(in[0], y, r), p));
    Tensor pos = f64(new double[] {1, 2, 3});
    checks.put(
        "binaryCrossEntropyWithLogits",
        r ->
            check(
                "binaryCrossEntropyWithLogits",
                in ->
                    Losses.binaryCrossEntropyWithLogits(in[0], in[1], r)
                        .add(Losses.binaryCrossEntropyWithLogits(in[0], in[1], pos, r)),
                x,
                p));
    checks.put(
        "crossEntropy",
        r ->
            check(
                "crossEntropy",
                in -> Losses.crossEntropy(in[0], ids, rich.withReduction(r)),
                wide));
    checks.put(
        "nll", r -> check("nll", in -> Losses.nll(in[0], ids, PLAIN.withReduction(r)), wide));
    return checks;
  }

  private static Runnable check(String what, Function<Tensor[], Tensor> loss, Tensor... inputs) {
    return () -> GradCheck.check(what, in -> loss.apply(in.toArray(new Tensor[0])), inputs);
  }

  @Test
  void gradientsOfEveryLossAgreeWithDifferences() {
    for (Function<Reduction, Runnable> check : gradients().values()) {
      for (Reduction reduction : Reduction.values()) {
        check.apply(reduction).run();
      }
    }
  }

  @Test
  void noLossIsWithoutAGradientCheck() {
    assertEquals(
        Arrays.stream(Losses.class.getDeclaredMethods())
            .filter(m -> Modifier.isPublic(m.getModifiers()))
            .map(Method::getName)
            .collect(Collectors.toCollection(TreeSet::new)),
        new TreeSet<>(gradients().keySet()));
  }

  @Test
  void theGradientOfBinaryCrossEntropyIsBoundedAtTheEnds() {
    Tensor p = f64(new double[] {0, 1}).requiresGrad(true);
    Losses.binaryCrossEntropy(p, f64(new double[] {1, 0}), Reduction.SUM).backward();
    TensorAssert.assertClose(new double[] {-1e12, 1e12}, p.grad().toDoubleArray(), 0, 1e-15);
  }
}
