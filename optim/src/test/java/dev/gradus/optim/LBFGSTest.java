package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.Linear;
import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.optim.LBFGS.LineSearch;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.Golden;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@SuppressWarnings("try") // scopes are open for their effect
class LBFGSTest {
  /** What PyTorch's own trajectories from neighbouring starts differ by, and ten times that. */
  private static final double SAME = 1e-12;

  private static final double[] START = {-1.2, 1, -0.5, 0.8, 1.3, -0.7};

  private Device device;
  private Valley valley;

  @BeforeEach
  void open() {
    device = Fixture.Where.BACKEND.open();
    valley = new Valley(device, DType.F64);
  }

  @AfterEach
  void close() {
    device.close();
  }

  /** Rosenbrock's function of six variables in two parameters, and how often it was evaluated. */
  private static final class Valley {
    final Parameter a;
    final Parameter b;
    final NamedParameters named;
    int evaluations;

    Valley(Device device, DType dtype) {
      try (Scope scope = Scope.open()) {
        Tensor start = device.tensor(START).to(dtype);
        a = new Parameter(start.narrow(0, 0, 2));
        b = new Parameter(start.narrow(0, 2, 4).reshape(2, 2));
      }
      named = NamedParameters.of(List.of(Map.entry("a", a), Map.entry("b", b)));
    }

    Tensor loss() {
      Tensor x = Tensor.concat(List.of(a, b.flatten()), 0);
      Tensor here = x.narrow(0, 0, 5);
      return x.narrow(0, 1, 5).sub(here.mul(here)).pow(2).mul(100).add(here.rsub(1).pow(2)).sum();
    }

    Supplier<Tensor> closure(Optimizer<?> optimizer) {
      return () -> {
        evaluations++;
        optimizer.zeroGrad();
        Tensor loss = loss();
        loss.backward();
        return loss;
      };
    }

    double[] values() {
      double[] v = new double[START.length];
      System.arraycopy(Fixture.values(a), 0, v, 0, 2);
      System.arraycopy(Fixture.values(b), 0, v, 2, 4);
      return v;
    }
  }

  // ---- numbers

  @ParameterizedTest
  @EnumSource
  void trajectoriesAreThoseOfPyTorch(Fixture.Where where) {
    Map<String, Object> file = Golden.load("lbfgs.json");
    assertArrayEquals(START, Golden.doubles(Golden.get(file, "start")));
    List<Object> cases = Golden.list(Golden.get(file, "cases"));
    assertEquals(9, cases.size());
    try (Device on = where.open()) {
      cases.forEach(c -> follow(on, Golden.map(c)));
    }
  }

  private static void follow(Device device, Map<String, Object> golden) {
    Map<String, Object> options = Golden.map(Golden.get(golden, "options"));
    Valley valley = new Valley(device, DType.F64);
    LBFGS lbfgs = LBFGS.of(valley.named, o -> changed(o, options));
    int t = 0;
    for (Object step : Golden.list(Golden.get(golden, "steps"))) {
      Map<String, Object> expected = Golden.map(step);
      String what = options + " step " + ++t;
      double loss = lbfgs.step(valley.closure(lbfgs));
      close(what, Golden.number(Golden.get(expected, "loss")), loss);
      double[] values = Golden.doubles(Golden.get(expected, "values"));
      for (int i = 0; i < values.length; i++) {
        close(what, values[i], valley.values()[i]);
      }
      assertEquals(Golden.number(Golden.get(expected, "evaluations")), valley.evaluations, what);
    }
    assertEquals(t, lbfgs.stepsOf(valley.b));
  }

  private static void close(String what, double expected, double actual) {
    double error = Math.abs(expected - actual) / Math.max(1, Math.abs(expected));
    assertTrue(error <= SAME, what + ": " + expected + " but " + actual);
  }

  private static LBFGS.Options changed(LBFGS.Options start, Map<String, Object> options) {
    LBFGS.Options o = start;
    if (options.get("max_iter") instanceof Double n) {
      o = o.withMaxIter(n.intValue());
    }
    for (Map.Entry<String, Object> e : options.entrySet()) {
      Object v = e.getValue();
      o =
          switch (e.getKey()) {
            case "lr" -> o.withLr(Golden.number(v));
            case "max_iter" -> o;
            case "max_eval" -> o.withMaxEval((int) Golden.number(v));
            case "history_size" -> o.withHistorySize((int) Golden.number(v));
            case "tolerance_change" -> o.withToleranceChange(Golden.number(v));
            case "tolerance_grad" -> o.withToleranceGrad(Golden.number(v));
            case "line_search_fn" -> o.withLineSearch(LineSearch.STRONG_WOLFE);
            default -> throw new IllegalArgumentException(e.getKey());
          };
    }
    return o;
  }

  @Test
  void theValleyIsCrossedInAsManyEvaluationsAsPyTorchNeeds() {
    LBFGS lbfgs = LBFGS.of(valley.named, o -> o.withLineSearch(LineSearch.STRONG_WOLFE));
    List<Integer> evaluations = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      lbfgs.step(valley.closure(lbfgs));
      evaluations.add(valley.evaluations);
    }
    assertEquals(List.of(25, 50, 71, 72), evaluations);
    for (double x : valley.values()) {
      assertEquals(1, x, 1e-5);
    }
  }

  @Test
  void aParabolaTakesOneSearchAndOneStepOfNewton() {
    Parameter p = Fixture.parameter(device, DType.F64, 4, -3);
    LBFGS lbfgs =
        LBFGS.of(
            NamedParameters.of(List.of(Map.entry("p", p))),
            o -> o.withLineSearch(LineSearch.STRONG_WOLFE));
    double first =
        lbfgs.step(
            () -> {
              lbfgs.zeroGrad();
              Tensor loss = p.sub(1).pow(2).sum();
              loss.backward();
              return loss;
            });
    assertEquals(25, first);
    assertEquals(1, Fixture.values(p)[0], 1e-12);
    assertEquals(1, Fixture.values(p)[1], 1e-12);
  }

  // ---- state

  private static LBFGS scheduled(Valley valley, LineSearch search) {
    LBFGS lbfgs =
        LBFGS.of(
            valley.named,
            o -> o.withLr(0.01).withMaxIter(4).withHistorySize(5).withLineSearch(search));
    lbfgs.schedule(Schedules.exponential(0.9));
    return lbfgs;
  }

  private static void train(LBFGS lbfgs, Valley valley, int steps) {
    for (int t = 0; t < steps; t++) {
      lbfgs.step(valley.closure(lbfgs));
      lbfgs.stepSchedules();
    }
  }

  private static Valley at(Valley other) {
    Valley copy = new Valley(other.a.device(), other.a.dtype());
    copy.a.assign(other.a);
    copy.b.assign(other.b);
    return copy;
  }

  @ParameterizedTest
  @EnumSource
  void aLoadedStateGoesOnAsIfItHadNeverStopped(LineSearch search) {
    for (DType dtype : List.of(DType.F32, DType.F64)) {
      Valley through = new Valley(device, dtype);
      LBFGS one = scheduled(through, search);
      train(one, through, 4);
      OptimizerState state = one.stateDict();
      Valley resumed = at(through);
      train(one, through, 4);

      LBFGS two = scheduled(resumed, search);
      two.loadStateDict(state);
      train(two, resumed, 4);
      assertArrayEquals(through.values(), resumed.values());
      assertEquals(one.toString(), two.toString());
      assertEquals(8, two.stepsOf(resumed.a));

      Valley asked = new Valley(device, dtype);
      LBFGS three = scheduled(asked, search);
      for (int t = 0; t < 8; t++) {
        train(three, asked, 1);
        three.stateDict();
      }
      assertArrayEquals(through.values(), asked.values());
    }
  }

  @Test
  void stateIsKeptByName() {
    LBFGS one = scheduled(valley, LineSearch.STRONG_WOLFE);
    train(one, valley, 4);
    OptimizerState state = one.stateDict();
    Map<String, StateBuffer> ofB = state.parameters().get("b").buffers();
    assertEquals(Set.of("prev_flat_grad", "prev_stp"), firstTwo(ofB));
    assertEquals(12, ofB.size());
    assertEquals(valley.b.shape(), ofB.get("old_dirs.4").shape());
    Valley swapped = at(valley);
    LBFGS two =
        LBFGS
            .withDefaults(o -> one.group("all").options())
            .group("all", List.of(swapped.b, swapped.a))
            .build();
    OptimizerState renamed =
        new OptimizerState(
            "LBFGS",
            Map.of(),
            List.of(
                new OptimizerState.Group(
                    "all",
                    List.of("all.0", "all.1"),
                    one.group("all").options().entries(),
                    Map.of())),
            Map.of("all.0", state.parameters().get("b"), "all.1", state.parameters().get("a")));
    two.loadStateDict(renamed);
    one.clearSchedule();
    one.step(valley.closure(one));
    two.step(swapped.closure(two));
    for (int i = 0; i < START.length; i++) {
      assertEquals(valley.values()[i], swapped.values()[i], 1e-12);
    }
  }

  private static Set<String> firstTwo(Map<String, StateBuffer> buffers) {
    return Set.copyOf(List.copyOf(buffers.keySet()).subList(0, 2));
  }

  @Test
  void stateFollowsParametersToAnotherTypeAndDevice() {
    Linear model = new Linear(device, 3, 2);
    Linear stays = new Linear(device, 3, 2);
    stays.weight().assign(model.weight());
    stays.bias().assign(model.bias());
    LBFGS one = LBFGS.of(model.namedParameters(), o -> o.withMaxIter(3).withLr(0.01));
    LBFGS two = LBFGS.of(stays.namedParameters(), o -> o.withMaxIter(3).withLr(0.01));
    fit(one, model);
    fit(two, stays);
    try (Device there = Fixture.Where.REFERENCE.open()) {
      model.to(there);
      fit(one, model);
      fit(two, stays);
      assertArrayEquals(stays.weight().toFloatArray(), model.weight().toFloatArray(), 1e-6f);
      model.to(DType.F64);
      fit(one, model);
      fit(two, stays);
      float[] converted = model.weight().to(DType.F32).toFloatArray();
      assertArrayEquals(stays.weight().toFloatArray(), converted, 1e-6f);
    }
  }

  private static void fit(LBFGS lbfgs, Linear model) {
    lbfgs.step(
        () -> {
          lbfgs.zeroGrad();
          Device on = model.weight().device();
          Tensor x =
              on.tensor(new float[] {1, -2, 0.5f, 3, 1, -1}, 2, 3).to(model.weight().dtype());
          Tensor loss = model.forward(x).sub(1).pow(2).sum();
          loss.backward();
          return loss;
        });
  }

  @Test
  void aClosureThatFailsLeavesParametersAndStateAsTheyWere() {
    LBFGS one = scheduled(valley, LineSearch.STRONG_WOLFE);
    train(one, valley, 2);
    Valley other = at(valley);
    LBFGS two = scheduled(other, LineSearch.STRONG_WOLFE);
    two.loadStateDict(one.stateDict());
    double[] before = valley.values();
    int last = valley.evaluations + 3;
    Supplier<Tensor> fails =
        () -> {
          if (valley.evaluations == last) {
            throw new IllegalStateException("no more data");
          }
          return valley.closure(one).get();
        };
    assertEquals(
        "no more data", Fixture.refused(IllegalStateException.class, () -> one.step(fails)));
    assertArrayEquals(before, valley.values());
    assertEquals(2, one.stepsOf(valley.a));
    train(one, valley, 2);
    train(two, other, 2);
    assertArrayEquals(other.values(), valley.values());
  }

  @Test
  void memoryStaysWhatItIsOnceTheHistoryIsFull() {
    LBFGS lbfgs = scheduled(valley, LineSearch.STRONG_WOLFE);
    train(lbfgs, valley, 3);
    long full = device.bytesInUse();
    train(lbfgs, valley, 5);
    assertEquals(full, device.bytesInUse());
  }

  // ---- gradients that are absent

  @Test
  void aParameterWithoutAGradientDoesNotMove() {
    LBFGS lbfgs = LBFGS.of(valley.named, o -> o.withLineSearch(LineSearch.STRONG_WOLFE));
    lbfgs.step(valley.closure(lbfgs));
    valley.b.requiresGrad(false);
    double[] frozen = Fixture.values(valley.b);
    double[] moving = Fixture.values(valley.a);
    double before = lbfgs.step(valley.closure(lbfgs));
    assertArrayEquals(frozen, Fixture.values(valley.b));
    assertNotEquals(moving[1], Fixture.values(valley.a)[1]);
    assertEquals(1, lbfgs.stepsOf(valley.b));
    assertEquals(2, lbfgs.stepsOf(valley.a));
    valley.b.requiresGrad(true);
    lbfgs.step(valley.closure(lbfgs));
    assertNotEquals(frozen[0], Fixture.values(valley.b)[0]);
    assertTrue(lbfgs.step(valley.closure(lbfgs)) < before);
  }

  @Test
  void withoutAnyGradientNothingMoves() {
    LBFGS lbfgs = LBFGS.of(valley.named);
    assertEquals(7, lbfgs.step(() -> device.scalar(7)));
    assertArrayEquals(START, valley.values());
    assertEquals(0, lbfgs.stepsOf(valley.a));
  }

  // ---- refusals

  @Test
  void moreThanOneGroupIsRefused() {
    String text =
        "LBFGS: there are 2 param groups, 'one', 'two'; it moves all parameters along one"
            + " direction: put them into one group";
    assertEquals(
        text,
        Fixture.refused(
            IllegalArgumentException.class,
            LBFGS
                    .withDefaults()
                    .group("one", valley.named.matching("a"))
                    .group("two", valley.named.others())
                ::build));
    LBFGS lbfgs =
        LBFGS.withDefaults().group("one", valley.named.matching("a")).allowUnused().build();
    assertEquals(
        text,
        Fixture.refused(
            IllegalArgumentException.class, () -> lbfgs.addGroup("two", List.of(valley.b))));
    assertEquals(1, lbfgs.groups().size());
  }

  @Test
  void aStepWithoutAClosureIsRefused() {
    LBFGS lbfgs = LBFGS.of(valley.named);
    assertEquals(
        "LBFGS.step: there is no closure, and it evaluates the loss several times; call step(() ->"
            + " …) with one that calls zeroGrad(), computes the loss, calls its backward() and"
            + " returns it",
        Fixture.refused(IllegalStateException.class, lbfgs::step));
  }

  @Test
  @SuppressWarnings("NullAway") // that is what is tested
  void aClosureThatGivesNullIsRefused() {
    LBFGS lbfgs = LBFGS.of(valley.named);
    assertEquals(
        "LBFGS.step: the closure gave null; it calls zeroGrad(), computes the loss, calls its"
            + " backward() and returns it",
        Fixture.refused(IllegalArgumentException.class, () -> lbfgs.step(() -> null)));
  }

  @Test
  void parametersOfTwoTypesAreRefused() {
    Parameter single = Fixture.parameter(device, DType.F32, 1);
    LBFGS lbfgs =
        LBFGS.of(NamedParameters.of(List.of(Map.entry("a", valley.a), Map.entry("c", single))));
    assertEquals(
        "LBFGS.step: parameter 'c' is float32 on "
            + device.name()
            + " but 'a' is float64 on "
            + device.name()
            + "; all have to be of one type on one device",
        Fixture.refused(IllegalStateException.class, () -> lbfgs.step(valley.closure(lbfgs))));
    assertEquals(0, valley.evaluations);
  }

  @Test
  void aReleasedParameterIsRefused() {
    LBFGS lbfgs = LBFGS.of(valley.named);
    valley.b.close();
    String text =
        Fixture.refused(IllegalStateException.class, () -> lbfgs.step(valley.closure(lbfgs)));
    assertTrue(text.startsWith("LBFGS.step: parameter 'b': tensor [2, 2] was released"), text);
  }

  @Test
  void valuesThatAreNotAllowedAreRefused() {
    LBFGS.Options o = LBFGS.Options.defaults();
    refused("LBFGS lr must be >= 0 but is -1.0", () -> o.withLr(-1));
    refused("LBFGS maxIter must be >= 1 but is 0", () -> o.withMaxIter(0));
    refused("LBFGS maxEval must be >= 1 but is -3", () -> o.withMaxEval(-3));
    refused("LBFGS toleranceGrad must be >= 0 but is NaN", () -> o.withToleranceGrad(Double.NaN));
    refused(
        "LBFGS toleranceChange must be >= 0 but is -1.0E-9", () -> o.withToleranceChange(-1e-9));
    refused("LBFGS historySize must be >= 1 but is 0", () -> o.withHistorySize(0));
    refused(
        "LBFGS lineSearch must be one of [NONE, STRONG_WOLFE] but is null",
        () -> o.withLineSearch(null));
    refused(
        "LBFGS line_search_fn must be 'strong_wolfe' or None but is 'wolfe'",
        () -> o.withEntries(Map.of("line_search_fn", "wolfe")));
    refused(
        "option 'max_iter' must be a whole number of at most 2147483647 but is 2.5",
        () -> o.withEntries(Map.of("max_iter", 2.5)));
    refused(
        "option 'max_iter' must be a whole number of at most 2147483647 but is 1000000000000.0",
        () -> o.withEntries(Map.of("max_iter", 1e12)));
  }

  private static void refused(String text, Executable action) {
    assertEquals(text, Fixture.refused(IllegalArgumentException.class, action));
  }

  // ---- texts

  @Test
  void optionsArePrintedAsPyTorchPrintsThem() {
    assertEquals(
        """
        LBFGS (
        Parameter Group 0
            history_size: 100
            line_search_fn: strong_wolfe
            lr: 1.0
            max_eval: 8
            max_iter: 7
            name: all
            tolerance_change: 1e-09
            tolerance_grad: 1e-07
            param_names: ['a', 'b']
        )\
        """,
        LBFGS
            .of(valley.named, o -> o.withMaxIter(7).withLineSearch(LineSearch.STRONG_WOLFE))
            .toString());
    LBFGS.Options o = LBFGS.Options.defaults().withLineSearch(LineSearch.STRONG_WOLFE);
    assertEquals(o, LBFGS.Options.defaults().withEntries(o.entries()));
    assertEquals(LBFGS.Options.defaults(), o.withEntries(LBFGS.Options.defaults().entries()));
  }

  @Test
  void aClosureMakesTheStepOfAnyOtherOptimizerToo() {
    Valley other = at(valley);
    Adam byHand = Adam.of(other.named);
    Adam adam = Adam.of(valley.named);
    for (int t = 0; t < 3; t++) {
      double expected;
      try (Scope scope = Scope.open()) {
        expected = other.closure(byHand).get().item();
        byHand.step();
        assertEquals(expected, adam.step(valley.closure(adam)));
      }
    }
    assertArrayEquals(other.values(), valley.values());
    assertEquals(3, valley.evaluations);
  }
}
