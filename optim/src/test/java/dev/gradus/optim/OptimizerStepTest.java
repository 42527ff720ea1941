package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OptimizerStepTest {
  private static final String[] NAMES = {"emb.weight", "emb.bias", "head.weight", "head.bias"};
  private static final int STEPS = 7;

  private Device device;

  @BeforeEach
  void open() {
    device = Fixture.Where.BACKEND.open();
  }

  @AfterEach
  void close() {
    device.close();
  }

  private NamedParameters model() {
    return Fixture.random(device, DType.F32, 5, NAMES);
  }

  private static void gradients(NamedParameters named, long step) {
    int i = 0;
    for (Parameter p : named.parameters()) {
      Fixture.gradientOf(p, 10 * step + i++);
    }
  }

  private static void sameBits(NamedParameters expected, NamedParameters actual) {
    for (String name : expected.names()) {
      assertArrayEquals(
          Fixture.values(expected.get(name)), Fixture.values(actual.get(name)), 0, name);
    }
  }

  private static StateTensor buffer(Optimizer<?> optimizer, Parameter p, String name) {
    for (ParamGroup<?> g : optimizer.groups()) {
      for (Member m : g.members()) {
        StateTensor buffer = m.buffers.get(name);
        if (m.parameter == p && buffer != null) {
          return buffer;
        }
      }
    }
    throw new AssertionError("no " + name);
  }

  private static boolean hasState(Optimizer<?> optimizer) {
    return optimizer.groups().stream()
        .flatMap(g -> g.members().stream())
        .anyMatch(m -> !m.buffers.isEmpty());
  }

  @Test
  void groupsAreSeparateOptimizers() {
    NamedParameters together = model();
    NamedParameters apart = model();
    Adam one =
        Adam.withDefaults(o -> o.withWeightDecay(0.1))
            .group("head", together.matching("head.**"), o -> o.withLr(0.1).withAmsgrad(true))
            .group("rest", together.others(), o -> o.withBetas(0.5, 0.9))
            .build();
    Adam head =
        Adam.withDefaults(o -> o.withWeightDecay(0.1).withLr(0.1).withAmsgrad(true))
            .group("head", apart.matching("head.**"))
            .allowUnused()
            .build();
    Adam rest =
        Adam.withDefaults(o -> o.withWeightDecay(0.1).withBetas(0.5, 0.9))
            .group("rest", apart.matching("emb.**"))
            .allowUnused()
            .build();
    for (int t = 0; t < STEPS; t++) {
      gradients(together, t);
      gradients(apart, t);
      one.step();
      head.step();
      rest.step();
    }
    sameBits(apart, together);
  }

  @ParameterizedTest
  @EnumSource
  void absentZeroFrozenAndThawedGradientsAreThoseOfOneOptimizerPerParameter(Fixture.Where where) {
    try (Device other = where.open()) {
      NamedParameters together = Fixture.random(other, DType.F32, 5, NAMES);
      NamedParameters apart = Fixture.random(other, DType.F32, 5, NAMES);
      AdamW one = AdamW.of(together);
      List<AdamW> each =
          apart.parameters().stream()
              .map(p -> AdamW.withDefaults().group("one", List.of(p)).build())
              .toList();
      long[] counts = new long[NAMES.length];
      for (int t = 0; t < STEPS; t++) {
        for (int i = 0; i < NAMES.length; i++) {
          Parameter a = together.parameters().get(i);
          Parameter b = apart.parameters().get(i);
          if (i == 1 && (t == 2 || t == 4)) {
            a.requiresGrad(t == 4);
            b.requiresGrad(t == 4);
          }
          boolean absent = i == 0 && t == 3 || i == 1 && (t == 2 || t == 3) || i == 2 && t < 3;
          a.zeroGrad();
          if (!absent) {
            double scale = i == 3 && t == 1 ? 0 : 1;
            double[] g = new double[(int) a.numel()];
            for (int k = 0; k < g.length; k++) {
              g[k] = scale * Math.sin(t + k);
            }
            Fixture.gradient(a, g);
            Fixture.gradient(b, g);
            each.get(i).step();
            counts[i]++;
          }
        }
        one.step();
      }
      sameBits(apart, together);
      for (int i = 0; i < NAMES.length; i++) {
        assertEquals(counts[i], one.stepsOf(together.parameters().get(i)), NAMES[i]);
      }
    }
  }

  @Test
  void thePlanOfTheCpuHasTheBitsOfTheComposedOne() {
    NamedParameters cpu = model();
    try (Device composed = Fixture.Where.COMPOSED.open()) {
      NamedParameters primitives = Fixture.random(composed, DType.F32, 5, NAMES);
      SGD one = SGD.of(cpu, o -> o.withMomentum(0.9).withNesterov(true).withWeightDecay(0.1));
      SGD two =
          SGD.of(primitives, o -> o.withMomentum(0.9).withNesterov(true).withWeightDecay(0.1));
      for (int t = 0; t < STEPS; t++) {
        gradients(cpu, t);
        gradients(primitives, t);
        one.step();
        two.step();
      }
      sameBits(primitives, cpu);
    }
  }

  @Test
  void aParameterWithoutGradientHasNoStateNoDecayAndNoCount() {
    NamedParameters named = model();
    AdamW adam = AdamW.of(named, o -> o.withLr(1).withWeightDecay(0.5));
    double[] before = Fixture.values(named.get("emb.weight"));
    Fixture.gradientOf(named.get("head.bias"), 1);
    adam.step();
    assertArrayEquals(before, Fixture.values(named.get("emb.weight")));
    assertEquals(0, adam.stepsOf(named.get("emb.weight")));
    assertEquals(1, adam.stepsOf(named.get("head.bias")));
    assertTrue(adam.groups().get(0).members().get(0).buffers.isEmpty());
  }

  @Test
  void aGroupAddedLaterCountsFromItsOwnFirstStep() {
    NamedParameters named = model();
    NamedParameters reference = model();
    Adam adam = Adam.withDefaults().group("head", named.matching("head.**")).allowUnused().build();
    gradients(named, 0);
    adam.step();
    ParamGroup<Adam.Options> late = adam.addGroup("emb", named.others(), o -> o.withLr(0.1));
    assertEquals(List.of("emb.weight", "emb.bias"), late.names());
    gradients(reference, 0);
    Adam alone =
        Adam.withDefaults(o -> o.withLr(0.1))
            .group("emb", reference.matching("emb.**"))
            .allowUnused()
            .build();
    adam.step();
    alone.step();
    assertEquals(1, adam.stepsOf(named.get("emb.bias")));
    assertEquals(2, adam.stepsOf(named.get("head.bias")));
    assertArrayEquals(
        Fixture.values(reference.get("emb.weight")), Fixture.values(named.get("emb.weight")), 0);
  }

  @Test
  void everyOptionCanBeChangedBetweenSteps() {
    NamedParameters changed = model();
    Adam adam = Adam.of(changed);
    gradients(changed, 0);
    adam.step();
    Adam.Options target = new Adam.Options(0.2, 0.7, 0.8, 1e-3, 0.3, true, true, true);
    adam.group("all").options(o -> target);
    assertSame(target, adam.group("all").options());
    double[] p = Fixture.values(changed.get("head.bias"));
    double[] m = Fixture.values(buffer(adam, changed.get("head.bias"), "exp_avg"));
    double[] v = Fixture.values(buffer(adam, changed.get("head.bias"), "exp_avg_sq"));
    gradients(changed, 1);
    double[] g = Fixture.values(changed.get("head.bias").grad());
    adam.step();
    double[] after = Fixture.values(changed.get("head.bias"));
    double[] max = Fixture.values(buffer(adam, changed.get("head.bias"), "max_exp_avg_sq"));
    for (int i = 0; i < p.length; i++) {
      double mean = 0.7 * m[i] - 0.3 * g[i];
      double square = 0.8 * v[i] + 0.2 * g[i] * g[i];
      double root = Math.sqrt(square) / Math.sqrt(1 - 0.64) + 1e-3;
      double expected = p[i] * (1 - 0.2 * 0.3) - 0.2 / (1 - 0.49) * mean / root;
      assertEquals(expected, after[i], 1e-6); // float32 against double
      assertEquals(square, max[i], 1e-6);
    }
  }

  @Test
  void aMomentumSwitchedOnLaterStartsWithTheGradient() {
    NamedParameters changed = model();
    NamedParameters plain = model();
    SGD sgd = SGD.of(changed);
    SGD reference = SGD.of(plain);
    gradients(changed, 0);
    gradients(plain, 0);
    sgd.step();
    reference.step();
    assertFalse(hasState(sgd));
    sgd.group("all").options(o -> o.withMomentum(0.9).withDampening(0.5));
    sgd.step();
    reference.step();
    sameBits(plain, changed);
    sgd.step();
    reference.step();
    assertNotEquals(
        Fixture.values(plain.get("head.bias"))[0], Fixture.values(changed.get("head.bias"))[0]);
    sgd.group("all").options(o -> o.withMomentum(0).withDampening(0));
    sgd.step();
    assertEquals(4, sgd.stepsOf(changed.get("head.bias")));
  }

  @Test
  void stateIsNotBornIntoTheScopeOfTheStep() {
    NamedParameters named = model();
    Adam adam = Adam.of(named);
    gradients(named, 0);
    try (Scope scope = Scope.open()) {
      adam.step();
      assertEquals(0, scope.size());
    }
    double[] before = Fixture.values(buffer(adam, named.get("head.bias"), "exp_avg"));
    adam.step();
    assertNotEquals(before[0], Fixture.values(buffer(adam, named.get("head.bias"), "exp_avg"))[0]);
  }

  @Test
  void stateFollowsAParameterThatBecomesAnotherType() {
    Linear2 model = new Linear2(device);
    Adam adam = Adam.of(model.namedParameters());
    gradients(model.namedParameters(), 0);
    adam.step();
    Parameter p = model.namedParameters().parameters().get(0);
    double[] before = Fixture.values(buffer(adam, p, "exp_avg"));
    model.to(DType.F64);
    assertEquals(DType.F32, buffer(adam, p, "exp_avg").dtype());
    Fixture.gradient(p, new double[(int) p.numel()]);
    adam.step();
    assertEquals(DType.F64, buffer(adam, p, "exp_avg").dtype());
    double[] after = Fixture.values(buffer(adam, p, "exp_avg"));
    for (int i = 0; i < before.length; i++) {
      assertEquals(0.9 * before[i], after[i], 1e-16);
    }
    assertEquals(2, adam.stepsOf(p));
  }

  @Test
  void stateFollowsAModelToAnotherDeviceAndTheOldOneMayClose() {
    Device second = Fixture.Where.REFERENCE.open();
    Linear2 model = new Linear2(second);
    Adam adam = Adam.of(model.namedParameters());
    gradients(model.namedParameters(), 0);
    adam.step();
    model.to(device);
    gradients(model.namedParameters(), 1);
    adam.step();
    second.close();
    gradients(model.namedParameters(), 2);
    adam.step();
    Parameter p = model.namedParameters().parameters().get(0);
    assertSame(device, buffer(adam, p, "exp_avg_sq").device());
    assertEquals(3, adam.stepsOf(p));
  }

  @Test
  void oneOptimizerTrainsOnTwoDevicesAndTwoTypes() {
    try (Device second = Fixture.Where.REFERENCE.open()) {
      NamedParameters named =
          Fixture.random(device, DType.F32, 1, "a", "b")
              .and(Fixture.random(second, DType.F32, 1, "c", "d"))
              .and(Fixture.random(device, DType.F64, 1, "e", "f"));
      SGD sgd = SGD.of(named, o -> o.withLr(0.5).withMomentum(0.5));
      for (int t = 0; t < 3; t++) {
        named.parameters().forEach(p -> Fixture.gradient(p, ones(p)));
        sgd.step();
      }
      assertArrayEquals(Fixture.values(named.get("a")), Fixture.values(named.get("c")), 0);
      named.parameters().forEach(p -> assertEquals(3, sgd.stepsOf(p)));
    }
  }

  private static double[] ones(Parameter p) {
    double[] ones = new double[(int) p.numel()];
    Arrays.fill(ones, 1);
    return ones;
  }

  @Test
  void aRefusedStepLeavesEverythingAsItWas() {
    Device second = Fixture.Where.REFERENCE.open();
    NamedParameters named =
        model().and(Fixture.random(second, DType.F32, 1, "late.weight", "late.bias"));
    Adam adam = Adam.of(named);
    gradients(named, 0);
    adam.step();
    Parameter p = named.get("emb.weight");
    double[] values = Fixture.values(p);
    double[] mean = Fixture.values(buffer(adam, p, "exp_avg"));
    second.close();
    assertEquals(
        "Adam.step: parameter 'late.weight': device 'reference' is closed; tensors end with their"
            + " device",
        Fixture.refused(IllegalStateException.class, adam::step));
    assertArrayEquals(values, Fixture.values(p));
    assertArrayEquals(mean, Fixture.values(buffer(adam, p, "exp_avg")));
    assertEquals(1, adam.stepsOf(p));
  }

  @Test
  void aReleasedParameterIsRefusedByName() {
    NamedParameters named = model();
    Adam adam = Adam.of(named);
    gradients(named, 0);
    double[] values = Fixture.values(named.get("emb.weight"));
    named.get("head.bias").close();
    assertEquals(
        "Adam.step: parameter 'head.bias': tensor [6] was released by close(); copy it out before",
        Fixture.refused(IllegalStateException.class, adam::step));
    assertArrayEquals(values, Fixture.values(named.get("emb.weight")));
    assertFalse(hasState(adam));
  }

  @Test
  void aBackwardThroughValuesThatAStepChangedIsRefused() {
    Parameter p = Fixture.parameter(device, DType.F32, 1, 2, 3);
    SGD sgd = SGD.withDefaults().group("all", List.of(p)).build();
    Tensor loss = p.mul(p).sum();
    Fixture.gradient(p, 1, 1, 1);
    sgd.step();
    Fixture.refused(IllegalStateException.class, loss::backward);
  }

  @Test
  void zeroGradForgetsTheGradientsOfAllGroups() {
    NamedParameters named = model();
    SGD sgd = SGD.of(named);
    gradients(named, 0);
    sgd.zeroGrad();
    named.parameters().forEach(p -> assertFalse(p.hasGrad()));
  }

  @Test
  void aTiedParameterIsUpdatedOnce() {
    Parameter p = Fixture.parameter(device, DType.F32, 1, 2, 3);
    NamedParameters named = NamedParameters.of(List.of(Map.entry("a", p), Map.entry("b", p)));
    SGD sgd = SGD.of(named, o -> o.withLr(1));
    Fixture.gradient(p, 1, 1, 1);
    sgd.step();
    assertArrayEquals(new double[] {0, 1, 2}, Fixture.values(p));
    assertEquals(1, sgd.stepsOf(p));
  }

  @Test
  void gradientsThatTakeTurnsDoNotRemakeThePlan() {
    NamedParameters named = model();
    Adam adam = Adam.of(named);
    gradients(named, 0);
    adam.step();
    Member first = adam.groups().get(0).members().get(0);
    Member.Place place = first.place;
    for (int t = 1; t < 5; t++) {
      adam.zeroGrad();
      Fixture.gradientOf(named.parameters().get(t % 2), t);
      adam.step();
      adam.group("all").setLr(0.1 * t);
    }
    assertSame(place, first.place);
    assertEquals(3, adam.stepsOf(first.parameter));
  }

  private static final class Linear2 extends dev.gradus.nn.Module {
    Linear2(Device device) {
      register("linear", new dev.gradus.nn.Linear(device, 3, 2));
    }
  }
}
