package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.Dropout;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Module;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RateFinderTest {
  private Device device;
  private Model model;
  private Adam adam;

  /** A line with dropout, and a buffer that every forward pass changes. */
  private static final class Model extends Module {
    final Linear in;
    final Dropout dropout;
    final Linear out;
    final Tensor passes;

    Model(Device device) {
      in = register("in", new Linear(device, 3, 5));
      dropout = register("dropout", new Dropout(0.25));
      out = register("out", new Linear(device, 5, 1));
      passes = registerBuffer("passes", device.zeros(1));
    }

    @Override
    public Tensor forward(Tensor x) {
      passes.copyFrom(passes.add(1));
      return out.forward(dropout.forward(in.forward(x).tanh()));
    }
  }

  @BeforeEach
  void open() {
    device = Fixture.Where.BACKEND.open();
    device.manualSeed(5);
    model = new Model(device);
    adam =
        Adam.withDefaults(o -> o.withLr(0.01))
            .group("in", model.namedParameters().matching("in.**"), o -> o.withLr(0.001))
            .group("out", model.namedParameters().matching("out.**"))
            .build();
    adam.schedule(Schedules.exponential(0.9));
    adam.group("in").schedule(Schedules.step(2, 0.5));
    train(3);
  }

  @AfterEach
  void close() {
    device.close();
  }

  /** The loss on a batch drawn from the device's generator. */
  private Tensor loss() {
    Tensor x = device.randn(7, 3);
    return model.forward(x).sub(x.sum(1, true)).pow(2).mean();
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private void train(int steps) {
    for (int t = 0; t < steps; t++) {
      try (Scope scope = Scope.open()) {
        adam.zeroGrad();
        loss().backward();
        adam.step();
        adam.stepSchedules();
      }
    }
  }

  /** Everything that decides how training goes on. */
  private String everything() {
    StringBuilder s = new StringBuilder(adam.describe());
    model
        .stateDict()
        .forEach((n, t) -> s.append(n).append(Arrays.toString(Fixture.values(t))).append('\n'));
    OptimizerState state = adam.stateDict();
    s.append(state.groups()).append('\n');
    state
        .parameters()
        .forEach(
            (n, p) -> {
              s.append(n).append(p.steps()).append(p.scalars());
              p.buffers()
                  .forEach(
                      (b, v) -> s.append(b).append(Arrays.toString(Fixture.values(v.on(device)))));
            });
    return s.append(Arrays.toString(device.generator().state().toBytes())).toString();
  }

  private RateCurve find(IntFunction<Tensor> loss) {
    return RateFinder.between(1e-5, 10).withSteps(40).run(adam, model, loss);
  }

  @Test
  void everythingIsAsItWasToTheBit() {
    String before = everything();
    Schedule own = adam.group("in").schedule();
    RateCurve curve = find(step -> loss());
    assertTrue(curve.points().size() > 3, curve.toString());
    assertNotEquals(curve.points().get(0).loss(), curve.points().get(3).loss());
    assertEquals(before, everything());
    assertSame(own, adam.group("in").schedule());
    model.parameters().forEach(p -> assertFalse(p.hasGrad()));
  }

  @Test
  void gradientsOfParametersThatAreNotTheOptimizersAreForgotten() {
    SGD out =
        SGD.withDefaults(o -> o.withLr(0.01))
            .group("out", model.namedParameters().matching("out.**"))
            .allowUnused()
            .build();
    RateFinder.between(1e-4, 1e-2).withSteps(3).run(out, model, step -> loss());
    model.parameters().forEach(p -> assertFalse(p.hasGrad()));
  }

  @Test
  void schedulesWithRatesMomentaAndStateOfTheirOwnAreAsTheyWere() {
    adam.group("in").schedule(Schedules.oneCycle(0.1, 50));
    adam.schedule(Schedules.reduceOnPlateau());
    for (double metric : new double[] {3, 2, 2.5}) {
      adam.stepSchedules(metric);
    }
    String before = everything();
    List<Double> momenta = new ArrayList<>();
    adam.beforeStep(() -> momenta.add(adam.group("in").optionsNow().beta1()));
    find(step -> loss());
    assertEquals(before, everything());
    assertEquals(List.of(0.9), momenta.stream().distinct().toList(), "schedules wait");
    adam.stepSchedules(1);
    assertEquals(4, adam.group("in").scheduleStep());
  }

  @Test
  void trainingGoesOnAsIfThereHadBeenNoSearch() {
    Device first = device;
    find(step -> loss());
    train(3);
    String searched = everything();
    open();
    train(3);
    assertEquals(everything(), searched);
    first.close();
  }

  @Test
  void everythingIsAsItWasWhenTheLossThrows() {
    String before = everything();
    assertEquals(
        "no batch",
        Fixture.refused(
            IllegalStateException.class,
            () ->
                find(
                    step -> {
                      if (step == 4) {
                        throw new IllegalStateException("no batch");
                      }
                      return loss();
                    })));
    assertEquals(before, everything());
  }

  @Test
  void ratesGrowByAFactorAndGroupsKeepTheirRatio() {
    List<Double> rates = new ArrayList<>();
    adam.beforeStep(
        () -> {
          rates.add(adam.group("out").lrNow());
          rates.add(adam.group("in").lrNow());
        });
    RateCurve curve = RateFinder.between(1e-4, 1e-2).withSteps(3).run(adam, model, step -> loss());
    double[] expected = {1e-4, 1e-5, 1e-3, 1e-4, 1e-2, 1e-3};
    double[] actual = rates.stream().mapToDouble(r -> r).toArray();
    assertArrayEquals(expected, actual, 1e-17);
    assertEquals(1e-4, curve.points().get(0).rate());
    assertEquals(1e-2, curve.points().get(2).rate());
    assertFalse(curve.diverged());
  }

  @Test
  void hooksAfterAStepDoNotSeeTheSearch() {
    AveragedModel ema = AveragedModel.ema(model, 0.9);
    adam.afterStep(ema::update);
    find(step -> loss());
    assertEquals(0, ema.updates());
  }

  // ---- the curve

  /** {@code p^2} by SGD: each step multiplies p by {@code 1 - 2 rate}. */
  private RateCurve parabola(double smoothing) {
    return parabola(smoothing, 0);
  }

  private RateCurve parabola(double smoothing, double bottom) {
    Module one =
        new Module() {
          {
            registerParameter("p", new dev.gradus.nn.Parameter(device.ones(DType.F64, 1)));
          }
        };
    SGD sgd = SGD.of(one.namedParameters(), o -> o.withLr(1));
    return RateFinder.between(1e-3, 10)
        .withSteps(101)
        .withSmoothing(smoothing)
        .run(sgd, one, step -> one.parameters().get(0).pow(2).sum().add(bottom));
  }

  @Test
  void aParabolasLossesAreThoseOfItsClosedForm() {
    RateCurve curve = parabola(0.5);
    double p = 1;
    double mean = 0;
    double weight = 0;
    for (int i = 0; i < curve.points().size(); i++) {
      RateCurve.Point point = curve.points().get(i);
      double rate = 1e-3 * Math.pow(1e4, i / 100.0);
      mean = 0.5 * mean + 0.5 * p * p;
      weight = 0.5 * weight + 0.5;
      assertEquals(rate, point.rate(), 1e-12 * rate);
      assertEquals(p * p, point.loss(), 1e-12 * p * p);
      assertEquals(mean / weight, point.smoothed(), 1e-12 * mean / weight);
      p *= 1 - 2 * point.rate();
    }
    assertTrue(curve.diverged());
    int end = curve.points().size() - 1;
    double least = curve.points().stream().mapToDouble(RateCurve.Point::smoothed).min().orElse(0);
    assertTrue(curve.points().get(end).smoothed() > 4 * least);
    assertTrue(curve.points().get(end - 1).smoothed() <= 4 * least);
  }

  @Test
  void aNegativeLossDivergesWhereItRoseByThreeTimesTheSizeOfTheLeast() {
    RateCurve curve = parabola(0, -10);
    assertTrue(curve.diverged());
    int end = curve.points().size() - 1;
    double least = curve.points().stream().mapToDouble(RateCurve.Point::loss).min().orElse(0);
    assertEquals(-10, least, 0.1);
    assertTrue(curve.points().get(end).loss() > -2 * least);
    assertTrue(curve.points().get(end - 1).loss() <= -2 * least);
  }

  @Test
  void theSuggestionIsWhereTheLossFallsFastest() {
    List<RateCurve.Point> points = new ArrayList<>();
    double[] losses = {9, 5, 5, 4.9, 4.5, 2, 1, 1.5, 3, 9, 20};
    for (int i = 0; i < losses.length; i++) {
      points.add(new RateCurve.Point(Math.pow(2, i), losses[i], losses[i]));
    }
    // of the falls over two steps, 5 - 4.9, …, 4.5 - 1 is the greatest; 9 - 5 is in the first tenth
    assertEquals(OptionalDouble.of(32), new RateCurve(points, false).suggestion());
    assertEquals(OptionalDouble.empty(), new RateCurve(points.subList(6, 11), true).suggestion());
    assertEquals(OptionalDouble.empty(), new RateCurve(List.of(), false).suggestion());
  }

  @Test
  void aLossThatIsNotFiniteEndsTheSearch() {
    RateCurve curve = find(step -> step == 3 ? loss().div(0) : loss());
    assertEquals(4, curve.points().size());
    assertTrue(curve.diverged());
    assertEquals(Double.POSITIVE_INFINITY, curve.points().get(3).loss());
    assertEquals(1, find(step -> loss().div(0)).points().size());
  }

  @Test
  void aCurveIsATableAndPlotData() {
    RateCurve curve =
        new RateCurve(
            List.of(
                new RateCurve.Point(1e-4, 2.5, 2.5),
                new RateCurve.Point(1e-3, 1.25, 2),
                new RateCurve.Point(0.01, Double.NaN, Double.NaN)),
            true);
    assertEquals(
        """
        step       rate        loss    smoothed
           0   0.000100      2.5000      2.5000
           1    0.00100      1.2500      2.0000
           2     0.0100         NaN         NaN
        diverged
        """,
        curve.toString());
    assertEquals("rate,loss,smoothed\n1.0E-4,2.5,2.5\n0.001,1.25,2.0\n0.01,NaN,NaN\n", curve.csv());
    RateCurve falling = new RateCurve(curve.points().subList(0, 2), false);
    assertEquals(OptionalDouble.empty(), falling.suggestion());
  }

  // ---- refusals

  @Test
  void wrongValuesAreRefused() {
    RateFinder finder = RateFinder.between(1e-6, 1);
    assertEquals("RateFinder from must be > 0 but is 0.0", refused(() -> RateFinder.between(0, 1)));
    assertEquals(
        "RateFinder to must be > from, which is 1.0, but is 1.0",
        refused(() -> RateFinder.between(1, 1)));
    assertEquals(
        "RateFinder to must be finite but is Infinity",
        refused(() -> RateFinder.between(1, Double.POSITIVE_INFINITY)));
    assertEquals("RateFinder steps must be >= 3 but is 2", refused(() -> finder.withSteps(2)));
    assertEquals(
        "RateFinder smoothing must be in [0, 1) but is 1.0",
        refused(() -> finder.withSmoothing(1)));
    assertEquals(
        "RateFinder divergence must be > 1 but is NaN",
        refused(() -> finder.withDivergence(Double.NaN)));
  }

  private static String refused(org.junit.jupiter.api.function.Executable action) {
    return Fixture.refused(IllegalArgumentException.class, action);
  }

  @Test
  void aLossThatIsNullIsRefused() {
    String before = everything();
    assertEquals(
        "RateFinder: the loss of step 2 is null; return the loss of a batch",
        refused(() -> find(step -> step == 2 ? null : loss())));
    assertEquals(before, everything());
  }

  @Test
  void ratesThatAreAllZeroHaveNoRatio() {
    adam.groups().forEach(g -> g.setLr(0));
    String before = everything();
    assertEquals(
        "RateFinder: the rate of every group of Adam is 0; set those that are to be searched, in"
            + " their ratio",
        refused(() -> find(step -> loss())));
    assertEquals(before, everything());
  }
}
