package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AdafactorTest {
  /** PyTorch rounds its norms to float32, and a step has some ten roundings more. */
  private static final double F32 = 16 * 0x1p-24;

  private static final double F64 = 16 * 0x1p-53;

  private Device device;

  @BeforeEach
  void open() {
    device = Fixture.Where.BACKEND.open();
  }

  @AfterEach
  void close() {
    device.close();
  }

  private NamedParameters several(DType dtype) {
    device.manualSeed(6);
    List<Map.Entry<String, Parameter>> all = new ArrayList<>();
    long[][] shapes = {{3, 5}, {7}, {3, 5}, {}, {2, 3, 4}, {0, 3}};
    for (int i = 0; i < shapes.length; i++) {
      all.add(Map.entry("p" + i, new Parameter(device.normal(dtype, 0, 1, shapes[i]))));
    }
    return NamedParameters.of(all);
  }

  private static void gradients(NamedParameters named, int t) {
    for (int i = 0; i < named.size(); i++) {
      Fixture.gradientOf(named.parameters().get(i), 10L * t + i);
    }
  }

  private static void train(Optimizer<?> optimizer, NamedParameters named, int from, int to) {
    for (int t = from; t < to; t++) {
      gradients(named, t);
      optimizer.step();
      optimizer.stepSchedules();
    }
  }

  private static void same(NamedParameters expected, NamedParameters actual) {
    for (String name : expected.names()) {
      assertArrayEquals(Fixture.values(expected.get(name)), Fixture.values(actual.get(name)), name);
    }
  }

  // ---- numbers

  @ParameterizedTest
  @EnumSource
  void trajectoriesAreThoseOfPyTorch(Fixture.Where where) {
    try (Device on = where.open()) {
      int cases =
          new MatrixTrajectories("adafactor.json")
              .follow(
                  on,
                  (parameters, options) ->
                      Adafactor.withDefaults(o -> o.withEntries(options))
                          .group("all", parameters)
                          .build(),
                  dtype -> dtype == DType.F32 ? F32 : F64);
      assertEquals(8, cases);
    }
  }

  /** Squares that are products of a row's and a column's are estimated exactly. */
  @Test
  void theFirstStepOfAGradientOfRankOneIsItsSign() {
    Parameter p = new Parameter(device.full(DType.F64, 2, 2, 3));
    Adafactor adafactor =
        Adafactor.withDefaults(o -> o.withLr(0.25)).group("all", List.of(p)).build();
    Fixture.gradient(p, 1, -2, 3, -10, 20, -30);
    adafactor.step();
    double[] expected = {1.5, 2.5, 1.5, 2.5, 1.5, 2.5};
    assertArrayEquals(expected, Fixture.values(p), 1e-14);
  }

  @Test
  void aMatrixKeepsAValueForEachRowAndColumn() {
    NamedParameters named = several(DType.F32);
    Adafactor adafactor = Adafactor.of(named);
    train(adafactor, named, 0, 1);
    Map<String, OptimizerState.OfParameter> state = adafactor.stateDict().parameters();
    assertEquals(
        Map.of("row_var", Shape.of(2, 3, 1), "col_var", Shape.of(2, 1, 4)), shapes(state, "p4"));
    assertEquals(Map.of("variance", Shape.of(7)), shapes(state, "p1"));
    assertEquals(Map.of("variance", Shape.scalar()), shapes(state, "p3"));
  }

  private static Map<String, Shape> shapes(
      Map<String, OptimizerState.OfParameter> state, String name) {
    OptimizerState.OfParameter of = state.get(name);
    assertTrue(of != null, name);
    Map<String, Shape> shapes = new HashMap<>();
    of.buffers().forEach((buffer, values) -> shapes.put(buffer, values.shape()));
    return shapes;
  }

  // ---- groups, gradients, state

  @Test
  void groupsAreSeparateOptimizersToTheLastBit() {
    NamedParameters together = several(DType.F32);
    NamedParameters apart = several(DType.F32);
    Adafactor adafactor =
        Adafactor.withDefaults()
            .group("first", together.matching("p0"), o -> o.withLr(0.1).withWeightDecay(0.1))
            .group("rest", together.others(), o -> o.withD(2).withBeta2Decay(-0.5))
            .build();
    train(adafactor, together, 0, 7);
    Adafactor first =
        Adafactor.withDefaults(o -> o.withLr(0.1).withWeightDecay(0.1))
            .group("first", List.of(apart.get("p0")))
            .build();
    Adafactor rest =
        Adafactor.withDefaults(o -> o.withD(2).withBeta2Decay(-0.5))
            .group("rest", apart.parameters().subList(1, apart.size()))
            .build();
    for (int t = 0; t < 7; t++) {
      gradients(apart, t);
      rest.step();
      first.step();
    }
    same(together, apart);
  }

  @Test
  void aParameterWithoutAGradientIsLeftAlone() {
    NamedParameters named = several(DType.F32);
    Adafactor adafactor = Adafactor.of(named, o -> o.withWeightDecay(0.1));
    Parameter frozen = named.get("p2");
    train(adafactor, named, 0, 2);
    double[] before = Fixture.values(frozen);
    frozen.zeroGrad();
    Fixture.gradientOf(named.get("p0"), 3);
    adafactor.step();
    assertArrayEquals(before, Fixture.values(frozen));
    assertEquals(2, adafactor.stepsOf(frozen));
    assertEquals(3, adafactor.stepsOf(named.get("p0")));
    train(adafactor, named, 3, 4);
    assertNotEquals(before[0], Fixture.values(frozen)[0]);
  }

  @Test
  void aGradientOfZerosLeavesTheDecayOnly() {
    Parameter p = Fixture.parameter(device, DType.F64, 1, 2, 3);
    Adafactor adafactor =
        Adafactor.withDefaults(o -> o.withLr(0.5).withWeightDecay(0.5))
            .group("all", List.of(p))
            .build();
    Fixture.gradient(p, 0, 0, 0);
    adafactor.step();
    assertArrayEquals(new double[] {0.75, 1.5, 2.25}, Fixture.values(p));
  }

  @Test
  void aLoadedStateGoesOnAsIfItHadNeverStopped() {
    for (DType dtype : List.of(DType.F32, DType.F64)) {
      NamedParameters through = several(dtype);
      Adafactor one = Adafactor.of(through);
      one.schedule(Schedules.exponential(0.9));
      train(one, through, 0, 4);
      OptimizerState state = one.stateDict();
      NamedParameters resumed = several(dtype);
      resumed.names().forEach(name -> resumed.get(name).assign(through.get(name)));
      Adafactor two = Adafactor.of(resumed);
      two.schedule(Schedules.exponential(0.9));
      two.loadStateDict(state);
      train(one, through, 4, 8);
      train(two, resumed, 4, 8);
      same(through, resumed);
      assertEquals(one.describe(), two.describe());
    }
  }

  // ---- refusals and texts

  @Test
  void valuesThatAreNotAllowedAreRefused() {
    Adafactor.Options o = Adafactor.Options.defaults();
    refused("Adafactor lr must be >= 0 but is -1.0", () -> o.withLr(-1));
    refused("Adafactor beta2Decay must be <= 0 but is 0.8", () -> o.withBeta2Decay(0.8));
    refused("Adafactor beta2Decay must be finite but is NaN", () -> o.withBeta2Decay(Double.NaN));
    refused("Adafactor eps1 must be >= 0 but is -1.0E-30", () -> o.withEps(-1e-30, 1e-3));
    refused("Adafactor eps2 must be >= 0 but is NaN", () -> o.withEps(0, Double.NaN));
    refused("Adafactor d must be >= 1 but is 0.5", () -> o.withD(0.5));
    refused("Adafactor d must be finite but is NaN", () -> o.withD(Double.NaN));
    refused("Adafactor weightDecay must be >= 0 but is -0.1", () -> o.withWeightDecay(-0.1));
    refused(
        "Adafactor eps2 must be >= 0 but is NaN",
        () -> o.withEntries(Map.of("eps", List.of("None", "None"))));
    refused(
        "option 'eps' cannot be 'tiny'", () -> o.withEntries(Map.of("eps", List.of("tiny", 1e-3))));
  }

  private static void refused(String text, Executable action) {
    assertEquals(text, Fixture.refused(IllegalArgumentException.class, action));
  }

  @Test
  void optionsArePrintedAndReadBack() {
    assertEquals(
        """
        Adafactor (
        Parameter Group 0
            beta2_decay: -0.8
            d: 1.0
            eps: (None, 0.001)
            lr: 0.01
            maximize: False
            name: all
            weight_decay: 0
            param_names: ['p']
        )\
        """,
        Adafactor.of(
                NamedParameters.of(
                    List.of(Map.entry("p", Fixture.parameter(device, DType.F32, 1)))))
            .toString());
    Adafactor.Options o = Adafactor.Options.defaults();
    assertEquals(o, o.withEps(1e-20, 1e-2).withEntries(o.entries()));
    Adafactor.Options other =
        o.withLr(0.2).withBeta2Decay(-1).withEps(1e-20, 1e-2).withD(3).withMaximize(true);
    assertEquals(other, o.withEntries(other.entries()));
    assertEquals(o, o.withWeightDecay(0.3).withoutWeightDecay());
  }
}
