package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.Linear;
import dev.gradus.nn.LoadResult;
import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.nn.Strictness;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.types.DType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class OptimizerStateTest {
  private static final int STEPS = 4;

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
    OptimizerState state;
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
    OptimizerState state = adam.stateDict();
    OptimizerState.OfParameter saved = state.parameters().get("emb.bias");
    float[] before = saved.buffers().get("exp_avg").on(device).toFloatArray();
    train(adam, named, STEPS);
    assertArrayEquals(before, saved.buffers().get("exp_avg").on(device).toFloatArray());
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
    OptimizerState state = adam.stateDict();
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
    OptimizerState state = Adam.of(apart).stateDict();
    Adam adam = Adam.of(tied("head", "emb"));
    assertEquals(
        "Adam.loadStateDict: the state does not fit:\n"
            + "  parameters that the optimizer has not: 'emb'",
        Fixture.refused(IllegalArgumentException.class, () -> adam.loadStateDict(state)));
  }

  @Test
  void anotherKindIsRefused() {
    OptimizerState state = AdamW.of(model()).stateDict();
    Adam adam = Adam.of(model());
    assertEquals(
        "Adam.loadStateDict: the state does not fit:\n"
            + "  it is of AdamW and the optimizer is Adam; make one of the kind that was saved",
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
          the schedule of the optimizer went to {step=4.0} but none is attached; attach it before \
        loading
          parameter 'emb.bias' in group 'rest': exp_avg is [4] but the parameter is [3]
          parameter 'emb.bias' in group 'rest': exp_avg_sq is [4] but the parameter is [3]\
        """,
        Fixture.refused(IllegalArgumentException.class, () -> two.loadStateDict(one.stateDict())));
    assertEquals(0, two.stepsOf(saved.get("emb.weight")));
  }

  @Test
  void theTypeOfABufferIsThatOfItsParameter() {
    NamedParameters saved = Fixture.random(device, DType.F64, 3, "w");
    SGD one = SGD.of(saved, o -> o.withMomentum(0.9));
    train(one, saved, 1);
    SGD two = SGD.of(Fixture.random(device, DType.F32, 3, "w"));
    assertEquals(
        "SGD.loadStateDict: the state does not fit:\n"
            + "  parameter 'w' in group 'all': momentum_buffer is float64 but the parameter is"
            + " float32; convert the model after loading, state follows",
        Fixture.refused(IllegalArgumentException.class, () -> two.loadStateDict(one.stateDict())));
  }

  @Test
  void theStateOfAConvertedParameterIsConverted() {
    Linear layer = new Linear(device, 3, 2);
    Adam adam = Adam.of(layer.namedParameters());
    train(adam, layer.namedParameters(), 1);
    layer.to(DType.F64);
    OptimizerState state = adam.stateDict();
    assertEquals(DType.F64, state.parameters().get("weight").buffers().get("exp_avg_sq").dtype());
    assertEquals(List.of(), adam.misfits(state, Strictness.STRICT));
  }

  @Test
  void aScheduleThatWentOnHasToBeAttached() {
    NamedParameters named = model();
    Adam one = adam(named);
    train(one, named, 0);
    Adam two =
        Adam.withDefaults()
            .group("head", named.matching("head.**"))
            .group("rest", named.others())
            .build();
    assertEquals(
        """
        Adam.loadStateDict: the state does not fit:
          the schedule of the optimizer went to {step=4.0} but none is attached; attach it before \
        loading
          the schedule of group 'head' went to {step=4.0} but none is attached; attach it before \
        loading\
        """,
        Fixture.refused(IllegalArgumentException.class, () -> two.loadStateDict(one.stateDict())));
    two.loadStateDict(one.stateDict(), Strictness.LENIENT);
    assertEquals(0.1, two.group("head").lrNow());
  }

  @Test
  void optionsAreFoundByTheirNames() {
    OptimizerState state = Adam.of(model()).stateDict();
    OptimizerState.Group all = state.groups().get(0);
    SortedMap<String, Object> options = new TreeMap<>(all.options());
    options.put("momentum", 0.9);
    options.put("betas", 0.9);
    options.put("amsgrad", 1);
    OptimizerState wrong =
        new OptimizerState(
            "Adam",
            Map.of(),
            List.of(new OptimizerState.Group("all", all.parameters(), options, Map.of())),
            state.parameters());
    Adam adam = Adam.of(model());
    assertEquals(
        List.of(
            "group 'all': option 'amsgrad' cannot be 1; it takes values like False; option 'betas'"
                + " cannot be 0.9; it takes values like (0.9, 0.999); unknown option 'momentum';"
                + " there are 'amsgrad', 'betas', 'decoupled_weight_decay', 'eps', 'lr',"
                + " 'maximize', 'weight_decay'"),
        adam.misfits(wrong, Strictness.STRICT));
    assertEquals(
        new Adam.Options(1, 0.8, 0.99, 1e-8, 0, true, false, false),
        Adam.Options.defaults()
            .withEntries(Map.of("lr", 1, "betas", List.of(0.8, 0.99), "amsgrad", true)));
    assertEquals(
        "Adam lr must be >= 0 but is -1.0",
        Fixture.refused(
            IllegalArgumentException.class,
            () -> Adam.Options.defaults().withEntries(Map.of("lr", -1.0))));
  }

  @Test
  void lenientLoadingTakesWhatFits() {
    NamedParameters named = model();
    Adam one = adam(named);
    train(one, named, 0);
    NamedParameters changed =
        NamedParameters.of(
            List.of(
                Map.entry("emb.weight", named.get("emb.weight")),
                Map.entry("emb.bias", named.get("emb.bias")),
                Map.entry("tail.bias", Fixture.parameter(device, DType.F32, 1, 2))));
    Adam two =
        Adam.withDefaults(o -> o.withLr(0.5))
            .group("tail", changed.matching("tail.**"))
            .group("rest", changed.others())
            .build();
    train(two, changed, 0);
    assertEquals(
        new LoadResult(List.of("tail.bias"), List.of("head.weight")),
        two.loadStateDict(one.stateDict(), Strictness.LENIENT));
    assertEquals(STEPS, two.stepsOf(changed.get("tail.bias")));
    assertEquals(0.5, two.group("tail").lr());
    assertEquals(1e-3, two.group("rest").lr());
    // what both have is checked all the same
    Parameter bias = Fixture.parameter(device, DType.F32, 1, 2, 3);
    Adam three = Adam.of(NamedParameters.of(List.of(Map.entry("emb.bias", bias))));
    assertEquals(
        List.of(
            "parameter 'emb.bias' in group 'all': exp_avg is [4] but the parameter is [3]",
            "parameter 'emb.bias' in group 'all': exp_avg_sq is [4] but the parameter is [3]"),
        three.misfits(one.stateDict(), Strictness.LENIENT));
  }

  @Test
  void regroupedParametersKeepTheirMoments() {
    NamedParameters through = model();
    Adam one = Adam.of(through);
    train(one, through, 0);
    NamedParameters resumed = model();
    resumed.names().forEach(n -> resumed.get(n).assign(through.get(n)));
    Adam two =
        Adam.withDefaults()
            .group("bias", resumed.matching("**.bias"))
            .group("rest", resumed.others())
            .build();
    assertTrue(two.loadStateDict(one.stateDict(), Strictness.LENIENT).isComplete());
    train(one, through, STEPS);
    train(two, resumed, STEPS);
    same(through, resumed);
  }

  @Test
  void theLivingStateIsNoCopy() {
    NamedParameters named = model();
    Adam adam = adam(named);
    train(adam, named, 0);
    StateBuffer living = adam.liveState().parameters().get("emb.bias").buffers().get("exp_avg");
    float[] before = living.on(device).toFloatArray();
    train(adam, named, STEPS);
    assertNotEquals(before[0], living.on(device).toFloatArray()[0]);
  }

  @Test
  void aStateThatContradictsItselfIsRefused() {
    OptimizerState.Group a = new OptimizerState.Group("a", List.of("x"), new TreeMap<>(), Map.of());
    OptimizerState.Group b = new OptimizerState.Group("b", List.of("x"), new TreeMap<>(), Map.of());
    OptimizerState.OfParameter none = new OptimizerState.OfParameter(1, Map.of(), Map.of());
    refusesState(
        "optimizer state: there are two param groups 'a'; names are unique",
        () -> new OptimizerState("Adam", Map.of(), List.of(a, a), Map.of()));
    refusesState(
        "optimizer state: parameter 'x' is in param group 'a' and in 'b'; it has one place",
        () -> new OptimizerState("Adam", Map.of(), List.of(a, b), Map.of()));
    refusesState(
        "optimizer state: parameter 'y' has state but is in no param group",
        () -> new OptimizerState("Adam", Map.of(), List.of(a), Map.of("y", none)));
    refusesState(
        "optimizer state: steps must be >= 0 but is -3",
        () -> new OptimizerState.OfParameter(-3, Map.of(), Map.of()));
  }

  private static void refusesState(String text, Executable action) {
    assertEquals(text, Fixture.refused(IllegalArgumentException.class, action));
  }
}
