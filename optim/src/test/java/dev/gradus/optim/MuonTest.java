package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MuonTest {
  /** Two roundings of values below 4; the orthogonal matrices themselves are equal. */
  private static final double F32 = 0x1p-23;

  private static final double F64 = 0x1p-52;

  /** What a rounding to the 8 bits of a bfloat16 changes at most. */
  private static final double BFLOAT16 = 0x1p-9;

  private Device device;

  @BeforeEach
  void open() {
    device = Fixture.Where.BACKEND.open();
  }

  @AfterEach
  void close() {
    device.close();
  }

  private NamedParameters matrices(DType dtype) {
    device.manualSeed(5);
    List<Map.Entry<String, Parameter>> all = new ArrayList<>();
    long[][] shapes = {{3, 5}, {7, 2}, {3, 5}, {1, 1}};
    for (int i = 0; i < shapes.length; i++) {
      all.add(Map.entry("m" + i, new Parameter(device.normal(dtype, 0, 1, shapes[i]))));
    }
    return NamedParameters.of(all);
  }

  private static void train(Optimizer<?> optimizer, NamedParameters named, int from, int to) {
    for (int t = from; t < to; t++) {
      for (int i = 0; i < named.size(); i++) {
        Fixture.gradientOf(named.parameters().get(i), 10L * t + i);
      }
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
          new MatrixTrajectories("muon.json")
              .follow(
                  on,
                  (parameters, options) ->
                      Muon.withDefaults(o -> o.withEntries(options))
                          .group("all", parameters)
                          .build(),
                  dtype -> dtype == DType.F32 ? F32 : F64);
      assertEquals(8, cases);
    }
  }

  /**
   * All singular values of a multiple of the unit matrix are equal: the iteration is a number's.
   */
  @ParameterizedTest
  @EnumSource(DType.class)
  void aMultipleOfTheUnitMatrixGoesTheWayOfANumber(DType dtype) {
    if (!dtype.isFloating()) {
      return;
    }
    double x = 1 / Math.sqrt(2);
    for (int i = 0; i < 5; i++) {
      x = 3.4445 * x - 4.7750 * x * x * x + 2.0315 * x * x * x * x * x;
    }
    Parameter p = new Parameter(device.zeros(dtype, 2, 2));
    Muon muon =
        Muon.withDefaults(o -> o.withLr(1).withWeightDecay(0)).group("all", List.of(p)).build();
    Fixture.gradient(p, -3, 0, 0, -3);
    muon.step();
    double[] v = Fixture.values(p);
    // each iteration rounds three times and magnifies what was before by at most 3.4445
    assertEquals(x, v[0], 16 * BFLOAT16);
    assertArrayEquals(new double[] {v[0], 0, 0, v[0]}, v);
  }

  @Test
  void aGradientOfZerosLeavesTheDecayOnly() {
    Parameter p = Fixture.parameter(device, DType.F64, 1, 2, 3, 4);
    Parameter m = new Parameter(p.reshape(2, 2));
    Muon muon = Muon.withDefaults(o -> o.withLr(0.5)).group("all", List.of(m)).build();
    Fixture.gradient(m, 0, 0, 0, 0);
    muon.step();
    assertArrayEquals(new double[] {0.95, 1.9, 2.8499999999999996, 3.8}, Fixture.values(m));
  }

  @Test
  @SuppressWarnings("try") // the scope is open for its effect
  void aParabolaOfMatricesIsMinimised() {
    Tensor target = device.tensor(new double[] {1, -2, 3, 0.5, 0, -1}, 2, 3);
    Parameter p = new Parameter(device.zeros(DType.F64, 2, 3));
    Muon muon =
        Muon.withDefaults(o -> o.withLr(0.1).withWeightDecay(0)).group("all", List.of(p)).build();
    muon.schedule(Schedules.exponential(0.995));
    for (int t = 0; t < 2000; t++) {
      try (Scope scope = Scope.open()) {
        muon.zeroGrad();
        p.sub(target).pow(2).sum().backward();
        muon.step();
        muon.stepSchedules();
      }
    }
    // the rate alone says how long a step is: the last ones are 5e-6 long
    assertArrayEquals(Fixture.values(target), Fixture.values(p), 1e-5);
  }

  // ---- groups, gradients, state

  @Test
  void groupsAreSeparateOptimizersToTheLastBit() {
    NamedParameters together = matrices(DType.F32);
    NamedParameters apart = matrices(DType.F32);
    Muon muon =
        Muon.withDefaults()
            .group(
                "first",
                together.matching("m0"),
                o -> o.withLr(0.1).withScale(Muon.Scale.MATCH_RMS_ADAMW))
            .group("rest", together.others(), o -> o.withNesterov(false).withNsSteps(3))
            .build();
    train(muon, together, 0, 7);
    Muon first =
        Muon.withDefaults(o -> o.withLr(0.1).withScale(Muon.Scale.MATCH_RMS_ADAMW))
            .group("first", apart.matching("m0"))
            .allowUnused()
            .build();
    Muon rest =
        Muon.withDefaults(o -> o.withNesterov(false).withNsSteps(3))
            .group("rest", List.of(apart.get("m1"), apart.get("m2"), apart.get("m3")))
            .build();
    for (int t = 0; t < 7; t++) {
      for (int i = 0; i < apart.size(); i++) {
        Fixture.gradientOf(apart.parameters().get(i), 10L * t + i);
      }
      rest.step();
      first.step();
    }
    same(together, apart);
  }

  @Test
  void aParameterWithoutAGradientIsLeftAlone() {
    NamedParameters named = matrices(DType.F32);
    Muon muon = Muon.of(named, o -> o.withLr(0.1));
    Parameter frozen = named.get("m2");
    train(muon, named, 0, 2);
    double[] before = Fixture.values(frozen);
    frozen.zeroGrad();
    Fixture.gradientOf(named.get("m0"), 3);
    muon.step();
    assertArrayEquals(before, Fixture.values(frozen));
    assertEquals(2, muon.stepsOf(frozen));
    assertEquals(3, muon.stepsOf(named.get("m0")));
    train(muon, named, 3, 4);
    assertNotEquals(before[0], Fixture.values(frozen)[0]);
  }

  @Test
  void aLoadedStateGoesOnAsIfItHadNeverStopped() {
    for (DType dtype : List.of(DType.F32, DType.F64)) {
      NamedParameters through = matrices(dtype);
      Muon one = Muon.of(through);
      one.schedule(Schedules.exponential(0.9));
      train(one, through, 0, 4);
      OptimizerState state = one.stateDict();
      NamedParameters resumed = matrices(dtype);
      resumed.names().forEach(name -> resumed.get(name).assign(through.get(name)));
      Muon two = Muon.of(resumed);
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
  void whatIsNoMatrixIsRefused() {
    NamedParameters named =
        matrices(DType.F32)
            .and(
                NamedParameters.of(
                    List.of(Map.entry("head.bias", new Parameter(device.zeros(3))))));
    String rule =
        "; it takes matrices, of two dimensions: choose them with where(\"matrices\", (name, p) ->"
            + " p.shape().rank() == 2), and give the others to an AdamW";
    refused("Muon: parameter 'head.bias' is [3]" + rule, () -> Muon.of(named));
    Muon muon =
        Muon.withDefaults()
            .group("hidden", named.where("matrices", (name, p) -> p.shape().rank() == 2))
            .allowUnused()
            .build();
    refused(
        "Muon: parameter 'conv.0' is [2, 2, 2]" + rule,
        () -> muon.addGroup("conv", List.of(new Parameter(device.zeros(2, 2, 2)))));
    assertEquals(List.of("m0", "m1", "m2", "m3"), muon.group("hidden").names());
    assertEquals(1, muon.groups().size());
  }

  @Test
  void valuesThatAreNotAllowedAreRefused() {
    Muon.Options o = Muon.Options.defaults();
    refused("Muon lr must be >= 0 but is -1.0", () -> o.withLr(-1));
    refused("Muon weightDecay must be >= 0 but is -0.1", () -> o.withWeightDecay(-0.1));
    refused("Muon momentum must be >= 0 but is -0.9", () -> o.withMomentum(-0.9));
    refused("Muon nsA must be finite but is NaN", () -> o.withNsCoefficients(Double.NaN, 1, 1));
    refused("Muon eps must be > 0 but is 0.0", () -> o.withEps(0));
    refused("Muon nsSteps must be in [1, 99] but is 100", () -> o.withNsSteps(100));
    refused("Muon nsSteps must be in [1, 99] but is 0", () -> o.withNsSteps(0));
    refused(
        "Muon scale must be one of [ORIGINAL, MATCH_RMS_ADAMW] but is null",
        () -> o.withScale(null));
    refused(
        "Muon adjust_lr_fn must be 'original' or 'match_rms_adamw' but is 'arbitrary'",
        () -> o.withEntries(Map.of("adjust_lr_fn", "arbitrary")));
  }

  private static void refused(String text, Executable action) {
    assertEquals(text, Fixture.refused(IllegalArgumentException.class, action));
  }

  @Test
  void optionsAreReadBackFromTheirEntries() {
    Muon.Options o =
        Muon.Options.defaults()
            .withLr(0.02)
            .withNsCoefficients(2, -1.5, 0.5)
            .withNsSteps(7)
            .withEps(1e-5)
            .withNesterov(false)
            .withMomentum(0.5)
            .withScale(Muon.Scale.MATCH_RMS_ADAMW)
            .withoutWeightDecay();
    assertEquals(o, Muon.Options.defaults().withEntries(o.entries()));
    assertTrue(
        Muon.of(matrices(DType.F32))
            .toString()
            .contains("ns_coefficients: (3.4445, -4.775, 2.0315)"));
    assertEquals(Muon.Scale.ORIGINAL, o.withEntries(Map.of("adjust_lr_fn", "None")).scale());
  }
}
