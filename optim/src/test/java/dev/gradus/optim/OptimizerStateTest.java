package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.types.DType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OptimizerStateTest {
  private static final int STEPS = 4;

  private Device device;

  @BeforeEach
  void open() {
    device = Fixture.Where.CPU.open();
  }

  @AfterEach
  void close() {
    device.close();
  }

  private NamedParameters model() {
    return Fixture.random(device, DType.F32, 3, "emb.weight", "emb.bias", "head.weight");
  }

  private static Adam adam(NamedParameters named) {
    Adam adam =
        Adam.withDefaults()
            .group("head", named.matching("head.**"), o -> o.withLr(0.1).withAmsgrad(true))
            .group("rest", named.others())
            .build();
    adam.schedule(Schedules.exponential(0.9));
    adam.group("head").schedule(Schedules.step(3, 0.5));
    return adam;
  }

  private static void train(Optimizer<?> optimizer, NamedParameters named, int from) {
    for (int t = from; t < from + STEPS; t++) {
      for (int i = t == 0 ? 1 : 0; i < named.size(); i++) {
        Fixture.gradientOf(named.parameters().get(i), 10L * t + i);
      }
      optimizer.step();
      optimizer.stepSchedules();
    }
  }

  private static void same(NamedParameters expected, NamedParameters actual) {
    for (String name : expected.names()) {
      assertArrayEquals(expected.get(name).toFloatArray(), actual.get(name).toFloatArray(), name);
    }
  }

  @Test
  void aLoadedStateGoesOnAsIfItHadNeverStopped() {
    NamedParameters through = model();
    Adam one = adam(through);
    train(one, through, 0);
    one.group("rest").setLr(0.03);
    OptimizerState<Adam.Options> state;
    try (Scope scope = Scope.open()) {
      state = one.stateDict();
      assertEquals(0, scope.size());
    }
    NamedParameters resumed = model();
    for (String name : resumed.names()) {
      resumed.get(name).assign(through.get(name));
    }
    train(one, through, STEPS);

    Adam two = adam(resumed);
    two.loadStateDict(state);
    assertEquals(STEPS - 1, two.stepsOf(resumed.get("emb.weight")));
    train(two, resumed, STEPS);
    same(through, resumed);
    assertEquals(one.describe(), two.describe());
  }

  @Test
  void aMomentumBufferThatIsLoadedIsNotTheFirst() {
    NamedParameters through = model();
    NamedParameters resumed = model();
    SGD one = SGD.of(through, o -> o.withMomentum(0.9).withDampening(0.5));
    SGD two = SGD.of(resumed, o -> o.withMomentum(0.9).withDampening(0.5));
    train(one, through, 0);
    train(two, resumed, 0);
    SGD three = SGD.of(resumed);
    three.loadStateDict(two.stateDict());
    train(one, through, STEPS);
    train(three, resumed, STEPS);
    same(through, resumed);
  }

  @Test
  void aStateIsACopy() {
    NamedParameters named = model();
    Adam adam = adam(named);
    train(adam, named, 0);
    OptimizerState<Adam.Options> state = adam.stateDict();
    OptimizerState.OfParameter saved = state.parameters().get("emb.bias");
    float[] before = saved.buffers().get("exp_avg").toFloatArray();
    train(adam, named, STEPS);
    assertArrayEquals(before, saved.buffers().get("exp_avg").toFloatArray());
    assertEquals(STEPS, saved.steps());
    assertEquals(
        Set.of("exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
        state.parameters().get("head.weight").buffers().keySet());
  }

  @Test
  void loadingTwiceGivesTheSameTwice() {
    NamedParameters named = model();
    Adam adam = adam(named);
    train(adam, named, 0);
    OptimizerState<Adam.Options> state = adam.stateDict();
    Map<String, float[]> values = new HashMap<>();
    named.forEach(e -> values.put(e.getKey(), e.getValue().toFloatArray()));
    train(adam, named, STEPS);
    NamedParameters once = model();
    named.forEach(e -> once.get(e.getKey()).assign(e.getValue()));
    adam.loadStateDict(state);
    named.forEach(
        e ->
            e.getValue()
                .assign(
                    device.tensor(values.get(e.getKey())).reshape(e.getValue().shape().toArray())));
    train(adam, named, STEPS);
    same(once, named);
  }

  /** One parameter under two names, the canonical one first, and another parameter. */
  private NamedParameters tied(String first, String second) {
    Parameter shared = Fixture.parameter(device, DType.F32, 1, -2, 3);
    return NamedParameters.of(
        List.of(
            Map.entry(first, shared),
            Map.entry("bias", Fixture.parameter(device, DType.F32, 4, 5)),
            Map.entry(second, shared)));
  }

  private void goesOnAs(NamedParameters resumed) {
    NamedParameters through = tied("emb", "head");
    Adam one = Adam.of(through);
    train(one, through, 0);
    resumed.get("emb").assign(through.get("emb"));
    resumed.get("bias").assign(through.get("bias"));
    Adam two = Adam.of(resumed);
    two.loadStateDict(one.stateDict());
    assertEquals(one.stepsOf(through.get("emb")), two.stepsOf(resumed.get("head")));
    train(one, through, STEPS);
    train(two, resumed, STEPS);
    same(through, resumed);
  }

  @Test
  void theStateOfATiedParameterComesBack() {
    goesOnAs(tied("emb", "head"));
  }

  @Test
  void theStateOfATiedParameterIsFoundUnderItsOtherName() {
    goesOnAs(tied("head", "emb"));
  }

  @Test
  void twoStatesDoNotFitOneTiedParameter() {
    NamedParameters apart = Fixture.random(device, DType.F32, 3, "head", "bias", "emb");
    OptimizerState<Adam.Options> state = Adam.of(apart).stateDict();
    Adam adam = Adam.of(tied("head", "emb"));
    assertEquals(
        "Adam.loadStateDict: the state does not fit:\n"
            + "  parameters that the optimizer has not: 'emb'",
        Fixture.refused(IllegalArgumentException.class, () -> adam.loadStateDict(state)));
  }

  @Test
  void anotherKindIsRefused() {
    OptimizerState<Adam.Options> state = AdamW.of(model()).stateDict();
    Adam adam = Adam.of(model());
    assertEquals(
        "Adam.loadStateDict: the state does not fit:\n  it is of AdamW",
        Fixture.refused(IllegalArgumentException.class, () -> adam.loadStateDict(state)));
  }

  @Test
  void everyProblemIsListedAndNothingIsChanged() {
    NamedParameters saved = model();
    Adam one = adam(saved);
    train(one, saved, 0);
    Parameter other = Fixture.parameter(device, DType.F32, 1, 2);
    Parameter bias = Fixture.parameter(device, DType.F32, 1, 2, 3);
    NamedParameters changed =
        NamedParameters.of(
            List.of(
                Map.entry("emb.weight", saved.get("emb.weight")),
                Map.entry("emb.bias", bias),
                Map.entry("tail.bias", other)));
    Adam two = Adam.withDefaults().group("rest", changed.all()).build();
    assertEquals(
        """
        Adam.loadStateDict: the state does not fit:
          param groups that the optimizer has not: 'head'
          parameters that the optimizer has not: 'head.weight'
          parameters that the state has not: 'tail.bias'
          parameter 'emb.bias' in group 'rest': exp_avg is [4] but the parameter is [3]
          parameter 'emb.bias' in group 'rest': exp_avg_sq is [4] but the parameter is [3]\
        """,
        Fixture.refused(IllegalArgumentException.class, () -> two.loadStateDict(one.stateDict())));
    assertEquals(0, two.stepsOf(saved.get("emb.weight")));
  }
}
