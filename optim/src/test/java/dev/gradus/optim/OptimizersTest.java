package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.spi.Storage;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every optimizer has to do. */
class OptimizersTest {
  /** What an optimizer whose steps shrink to nothing has left. */
  private static final double CLOSE = 1e-9;

  private Device device;
  private Parameter x;
  private Parameter y;
  private NamedParameters named;

  /**
   * A run: how far from the minimum it ends at most. That is little where steps shrink, about the
   * rate where they do not (Lion, RMSprop), and what the valley leaves to those that are slow in
   * it.
   */
  private record Run(double lr, int steps, double nearness) {}

  private static Run parabola(double lr, double nearness) {
    return new Run(lr, 3000, nearness);
  }

  private static Run valley(double lr, double nearness) {
    return new Run(lr, 6000, nearness);
  }

  /** The optimizers, with rates for a parabola and for Rosenbrock's valley. */
  enum Kind {
    ADADELTA("Adadelta", Map.of(), parabola(1, CLOSE), valley(0.1, 0.05)),
    /** Its steps are relative to a parameter's size, and small where that passes 0. */
    ADAFACTOR("Adafactor", Map.of(), parabola(0.01, CLOSE), valley(0.03, 0.3)),
    ADAGRAD("Adagrad", Map.of(), parabola(0.5, CLOSE), valley(0.5, 0.01)),
    ADAM("Adam", Map.of(), parabola(0.02, CLOSE), valley(0.02, CLOSE)),
    ADAMAX("Adamax", Map.of(), parabola(0.02, CLOSE), valley(0.01, 1e-6)),
    /** The default decay of 0.01 holds values of up to 3 off the minimum by about 0.01. */
    ADAM_W("AdamW", Map.of(), parabola(0.02, 0.02), valley(0.02, 0.02)),
    ASGD("ASGD", Map.of("lambd", 0.0), parabola(0.01, CLOSE), valley(2e-3, 0.01)),
    LION("Lion", Map.of(), parabola(0.01, 0.01), valley(1e-3, 1e-3)),
    NADAM("NAdam", Map.of(), parabola(0.02, CLOSE), valley(5e-3, 5e-3)),
    /** Its first steps follow the bare gradient, which is steep there: a low rate, many steps. */
    RADAM("RAdam", Map.of(), parabola(0.02, CLOSE), new Run(1e-3, 30_000, 1e-3)),
    RMS_PROP("RMSprop", Map.of(), parabola(2e-3, 2e-3), valley(2e-3, 3e-3)),
    R_PROP(
        "Rprop",
        Map.of("step_sizes", List.of(0.0, 50.0)),
        parabola(0.01, CLOSE),
        valley(0.01, 2e-3)),
    SPARSE_ADAM("SparseAdam", Map.of(), parabola(0.02, CLOSE), valley(0.02, CLOSE)),
    SGD_WITH_MOMENTUM("SGD", Map.of("momentum", 0.9), parabola(1e-3, CLOSE), valley(1e-3, CLOSE));

    private final String torch;
    private final Map<String, Object> kwargs;
    final Run parabola;
    final Run valley;

    Kind(String torch, Map<String, Object> kwargs, Run parabola, Run valley) {
      this.torch = torch;
      this.kwargs = kwargs;
      this.parabola = parabola;
      this.valley = valley;
    }

    /** An optimizer of two groups: {@code x} with this rate, and {@code rest} with another. */
    Optimizer<?> of(NamedParameters named, double lr, double restLr) {
      return twoGroups(TorchOptimizers.builder(torch, kwargs), named, lr, restLr);
    }

    private static <O extends OptimizerOptions<O>, T extends Optimizer<O>> T twoGroups(
        OptimizerBuilder<O, T> builder, NamedParameters named, double lr, double restLr) {
      return builder
          .group("x", named.matching("x"), o -> o.withLr(lr))
          .group("rest", named.others(), o -> o.withLr(restLr))
          .build();
    }

    /** A parameter's value, in a form whose gradient the optimizer takes. */
    Tensor read(Parameter p) {
      return this == SPARSE_ADAM ? p.indexSelect(0, p.device().arange(1)) : p;
    }
  }

  @BeforeEach
  void open() {
    device = Fixture.Where.BACKEND.open();
    x = Fixture.parameter(device, DType.F64, -1.2);
    y = Fixture.parameter(device, DType.F64, 1);
    named = NamedParameters.of(List.of(Map.entry("x", x), Map.entry("y", y)));
  }

  @AfterEach
  void close() {
    device.close();
  }

  /** {@code (x - 3)^2 + (y + 2)^2}. */
  private Tensor parabola(Kind kind) {
    return kind.read(x).sub(3).pow(2).add(kind.read(y).add(2).pow(2)).sum();
  }

  /** {@code (1 - x)^2 + 100 (y - x^2)^2}, from its usual start (-1.2, 1). */
  private Tensor rosenbrock(Kind kind) {
    Tensor at = kind.read(x);
    return at.rsub(1).pow(2).add(kind.read(y).sub(at.mul(at)).pow(2).mul(100)).sum();
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private static void minimise(Optimizer<?> optimizer, Supplier<Tensor> function, int steps) {
    for (int t = 0; t < steps; t++) {
      try (Scope scope = Scope.open()) {
        optimizer.zeroGrad();
        function.get().backward();
        optimizer.step();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aParabolaIsMinimised(Kind kind) {
    Run run = kind.parabola;
    minimise(kind.of(named, run.lr, run.lr), () -> parabola(kind), run.steps);
    assertEquals(3, x.item(), run.nearness);
    assertEquals(-2, y.item(), run.nearness);
  }

  @ParameterizedTest
  @EnumSource
  @Tag("heavy")
  void rosenbrocksFunctionIsMinimised(Kind kind) {
    Run run = kind.valley;
    minimise(kind.of(named, run.lr, run.lr), () -> rosenbrock(kind), run.steps);
    assertEquals(1, x.item(), run.nearness);
    assertEquals(1, y.item(), run.nearness);
  }

  @ParameterizedTest
  @EnumSource
  void aGroupWithoutARateDoesNotMove(Kind kind) {
    double lr = kind.parabola.lr;
    Optimizer<?> optimizer = kind.of(named, lr, 0);
    minimise(optimizer, () -> parabola(kind), 10);
    assertEquals(1, y.item());
    assertNotEquals(-1.2, x.item());
    assertEquals(10, optimizer.stepsOf(y));
    optimizer.group("rest").setLr(lr);
    minimise(optimizer, () -> parabola(kind), 2); // ASGD's rate holds from the second
    if (kind == Kind.R_PROP) {
      assertEquals(1, y.item(), "its rate is where the sizes of steps start");
    } else {
      assertNotEquals(1, y.item());
    }
  }

  @ParameterizedTest
  @EnumSource
  void parametersGradientsAndStateKeepTheirMemory(Kind kind) {
    Optimizer<?> optimizer = kind.of(named, kind.valley.lr, kind.valley.lr);
    minimise(optimizer, () -> rosenbrock(kind), 1);
    List<Storage> before = memory(optimizer);
    double value = x.item();
    minimise(optimizer, () -> rosenbrock(kind), 20);
    assertNotEquals(value, x.item());
    List<Storage> after = memory(optimizer);
    assertEquals(before.size(), after.size());
    for (int i = 0; i < before.size(); i++) {
      assertSame(before.get(i), after.get(i));
    }
  }

  /** The parabola's terms do not meet: x moves as if y had never been there. */
  @ParameterizedTest
  @EnumSource
  void aFrozenParameterKeepsItsStateAndGoesOnWhenThawed(Kind kind) {
    Optimizer<?> optimizer = kind.of(named, kind.parabola.lr, kind.parabola.lr);
    minimise(optimizer, () -> parabola(kind), 3);
    named.matching("x").freeze();
    OptimizerState frozen = optimizer.stateDict();
    double at = x.item();
    double other = y.item();
    minimise(optimizer, () -> parabola(kind), 2);
    assertEquals(at, x.item());
    assertNotEquals(other, y.item());
    assertEquals(List.of(3L, 5L), List.of(optimizer.stepsOf(x), optimizer.stepsOf(y)));
    assertEquals(stateOf(frozen, "x"), stateOf(optimizer.stateDict(), "x"));
    assertNotEquals(stateOf(frozen, "y"), stateOf(optimizer.stateDict(), "y"));
    named.matching("x").thaw();
    minimise(optimizer, () -> parabola(kind), 4);
    double thawed = x.item();
    close();
    open();
    minimise(kind.of(named, kind.parabola.lr, kind.parabola.lr), () -> parabola(kind), 7);
    assertEquals(x.item(), thawed);
  }

  /** A parameter's count, buffers and numbers as text. */
  private String stateOf(OptimizerState state, String name) {
    OptimizerState.OfParameter p = state.parameters().get(name);
    if (p == null) {
      return "none";
    }
    StringBuilder s = new StringBuilder(p.steps() + " " + p.scalars());
    p.buffers()
        .forEach(
            (n, b) ->
                s.append(' ')
                    .append(n)
                    .append(' ')
                    .append(Arrays.toString(Fixture.values(b.on(device)))));
    return s.toString();
  }

  /** So that {@code Cyclic} and {@code OneCycle} can move it. */
  @ParameterizedTest
  @EnumSource
  void optionsWithAMomentumOrBetasSayThatTheyHaveOne(Kind kind) {
    OptimizerOptions<?> options = kind.of(named, 1, 1).group("rest").options();
    Set<String> names = options.entries().keySet();
    assertEquals(
        names.contains("momentum") || names.contains("betas"),
        options instanceof OptimizerOptions.WithMomentum<?>);
  }

  @ParameterizedTest
  @EnumSource
  void optionsWithoutWeightDecayDifferInNothingElse(Kind kind) {
    OptimizerOptions<?> options = kind.of(named, 1, 1).group("rest").options();
    SortedMap<String, Object> expected = new TreeMap<>(options.entries());
    expected.computeIfPresent("weight_decay", (name, value) -> 0.0);
    assertEquals(expected, options.withoutWeightDecay().entries());
  }

  private static List<Storage> memory(Optimizer<?> optimizer) {
    List<Storage> all = new ArrayList<>();
    for (ParamGroup<?> g : optimizer.groups()) {
      for (Member m : g.members()) {
        all.add(m.parameter.storage());
        all.add(m.parameter.grad().storage());
        assertFalse(m.buffers.isEmpty());
        m.buffers.values().forEach(b -> all.add(b.storage()));
      }
    }
    return all;
  }
}
