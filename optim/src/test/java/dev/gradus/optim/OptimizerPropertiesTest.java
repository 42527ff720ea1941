package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Module;
import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.optim.OptimizerFamiliesTest.Config;
import dev.gradus.tensor.Device;
import dev.gradus.testing.Golden;
import dev.gradus.types.DType;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What has to hold of every kind of optimizer, whatever its formula is. */
class OptimizerPropertiesTest {
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

  static Stream<Config> configs() {
    return OptimizerFamiliesTest.configs();
  }

  /** One of each kind, with its defaults. */
  static Stream<Config> kinds() {
    return configs().map(c -> new Config(c.kind(), Map.of())).distinct();
  }

  /** Those that can climb. */
  static Stream<Config> climbing() {
    return configs().filter(c -> !c.kind().equals("Muon"));
  }

  /** One of each kind that takes vectors too. */
  static Stream<Config> kindsOfVectors() {
    return kinds().filter(c -> !c.kind().equals("Muon"));
  }

  /** A sine of the step and the place, or its negative: a gradient that no value has a part in. */
  private static void gradient(Optimizer<?> optimizer, Parameter p, int t, double sign) {
    double[] g = new double[(int) p.numel()];
    for (int i = 0; i < g.length; i++) {
      g[i] = sign * Math.sin(3.0 * t + i + p.numel());
    }
    OptimizerFamiliesTest.give(optimizer, p, g);
  }

  private static void assertSameState(Optimizer<?> expected, Optimizer<?> actual, int n) {
    for (int i = 0; i < n; i++) {
      assertEquals(
          OptimizerFamiliesTest.state(expected, i),
          OptimizerFamiliesTest.state(actual, i),
          "parameter " + i);
    }
  }

  // ---- directions

  /**
   * The gradient's sign is turned before anything else: the decay, of either sort, keeps its own.
   */
  @ParameterizedTest
  @MethodSource("climbing")
  void climbingIsDescendingAlongTheNegativeGradient(Config config) {
    boolean climbs = config.kwargs().get("maximize") instanceof Boolean on && on;
    Map<String, Object> turned = new HashMap<>(config.kwargs());
    turned.put("maximize", !climbs);
    Parameter[] p = config.model(device, DType.F32);
    Parameter[] q = config.model(device, DType.F32);
    Optimizer<?> one = config.of(p);
    Optimizer<?> other = new Config(config.kind(), turned).of(q);
    for (int t = 0; t < STEPS; t++) {
      for (int i = 0; i < p.length; i++) {
        gradient(one, p[i], t, 1);
        gradient(other, q[i], t, -1);
      }
      one.step();
      other.step();
    }
    for (int i = 0; i < p.length; i++) {
      assertArrayEquals(p[i].toFloatArray(), q[i].toFloatArray());
    }
  }

  // ---- groups

  @ParameterizedTest
  @MethodSource("configs")
  void theOrderOfGroupsAndOfTheirParametersDoesNotMatter(Config config) {
    Parameter[] p = config.model(device, DType.F32);
    Parameter[] q = config.model(device, DType.F32);
    Optimizer<?> one = ordered(config, List.of(p[0], p[1]), List.of(p[2], p[3]));
    Optimizer<?> other = ordered(config, List.of(q[3], q[2]), List.of(q[1], q[0]));
    for (int t = 0; t < STEPS; t++) {
      OptimizerFamiliesTest.step(one, t, p);
      OptimizerFamiliesTest.step(other, t, q);
    }
    for (int i = 0; i < p.length; i++) {
      assertEquals(OptimizerFamiliesTest.state(one, i), OptimizerFamiliesTest.state(other, 3 - i));
    }
  }

  private static Optimizer<?> ordered(Config config, List<Parameter> a, List<Parameter> b) {
    return TorchOptimizers.builder(config.kind(), config.kwargs())
        .group("first", a)
        .group("second", b)
        .build();
  }

  @ParameterizedTest
  @MethodSource("configs")
  void groupsWithSchedulesAreSeparateOptimizersWithTheirs(Config config) {
    Schedule falling = Schedules.exponential(0.5);
    Schedule rising = Schedules.linear(0.25, 1, 4);
    Parameter[] p = config.model(device, DType.F32);
    Parameter[] q = config.model(device, DType.F32);
    Optimizer<?> together = ordered(config, List.of(p[0], p[1]), List.of(p[2], p[3]));
    together.schedule(falling);
    together.group("second").schedule(rising);
    Optimizer<?> one = config.of(q[0], q[1]);
    one.schedule(falling);
    Optimizer<?> two = config.of(q[2], q[3]);
    two.schedule(rising);
    for (int t = 0; t < STEPS; t++) {
      OptimizerFamiliesTest.step(together, t, p);
      OptimizerFamiliesTest.step(one, t, q[0], q[1]);
      OptimizerFamiliesTest.step(two, t, q[2], q[3]);
      together.stepSchedules();
      one.stepSchedules();
      two.stepSchedules();
    }
    for (int i = 0; i < p.length; i++) {
      assertEquals(
          OptimizerFamiliesTest.state(i < 2 ? one : two, i % 2),
          OptimizerFamiliesTest.state(together, i),
          "parameter " + i);
    }
  }

  @ParameterizedTest
  @MethodSource("kindsOfVectors")
  void matricesDecayAndVectorsDoNotWhereGroupsAreSplitSo(Config kind) {
    Map<String, Object> decay = new HashMap<>();
    if (kind.of(kind.model(device, DType.F32))
        .group("all")
        .options()
        .entries()
        .containsKey("weight_decay")) {
      decay.put("weight_decay", 0.5);
    }
    NamedParameters named = Fixture.random(device, DType.F32, 5, "w", "b", "v", "c");
    Parameter[] q =
        Fixture.random(device, DType.F32, 5, "w", "b", "v", "c")
            .parameters()
            .toArray(new Parameter[0]);
    Optimizer<?> together =
        TorchOptimizers.builder(kind.kind(), decay).groupsByDecay(named).build();
    Optimizer<?> matrices = new Config(kind.kind(), decay).of(q[0], q[2]);
    Map<String, Object> none = new HashMap<>(decay);
    none.replaceAll((name, value) -> 0.0);
    Optimizer<?> vectors = new Config(kind.kind(), none).of(q[1], q[3]);
    for (int t = 0; t < STEPS; t++) {
      OptimizerFamiliesTest.step(together, t, named.parameters().toArray(new Parameter[0]));
      OptimizerFamiliesTest.step(matrices, t, q[0], q[2]);
      OptimizerFamiliesTest.step(vectors, t, q[1], q[3]);
    }
    for (int i = 0; i < 4; i++) {
      assertEquals(
          OptimizerFamiliesTest.state(i < 2 ? matrices : vectors, i % 2),
          OptimizerFamiliesTest.state(together, i),
          "parameter " + i);
    }
  }

  // ---- types and devices

  @ParameterizedTest
  @MethodSource("configs")
  void parametersOfTwoTypesAndDevicesAreSeparateOptimizers(Config config) {
    try (Device second = Fixture.Where.COMPOSED.open()) {
      Parameter[] p = mixed(config, second);
      Parameter[] q = mixed(config, second);
      Optimizer<?> together = config.of(p);
      List<Optimizer<?>> each = Stream.of(q).<Optimizer<?>>map(config::of).toList();
      for (int t = 0; t < STEPS; t++) {
        OptimizerFamiliesTest.step(together, t, p);
        for (int i = 0; i < q.length; i++) {
          OptimizerFamiliesTest.step(each.get(i), t, q[i]);
        }
      }
      for (int i = 0; i < p.length; i++) {
        assertEquals(
            OptimizerFamiliesTest.state(each.get(i), 0), OptimizerFamiliesTest.state(together, i));
      }
    }
  }

  private Parameter[] mixed(Config config, Device second) {
    return new Parameter[] {
      config.parameter(device, DType.F32, 1, -2, 3),
      config.parameter(device, DType.F64, 1, -2, 3),
      config.parameter(second, DType.F32, 1, -2, 3),
      config.parameter(second, DType.F64, 1, -2, 3),
    };
  }

  private static final class Two extends Module {
    final Linear linear;

    Two(Device device) {
      linear = register("linear", new Linear(device, 3, 2));
    }

    Parameter[] both() {
      return parameters().toArray(new Parameter[0]);
    }
  }

  /** As if it had been saved after that, and loaded by an optimizer of a converted model. */
  @ParameterizedTest
  @MethodSource("configs")
  void stateFollowsAModelToAnotherType(Config config) {
    Two model = new Two(device);
    Two copy = new Two(device);
    boolean all = !config.kind().equals("Muon");
    Parameter[] p = all ? model.both() : new Parameter[] {model.linear.weight()};
    Parameter[] q = all ? copy.both() : new Parameter[] {copy.linear.weight()};
    Optimizer<?> live = config.of(p);
    for (int t = 0; t < 3; t++) {
      OptimizerFamiliesTest.step(live, t, p);
    }
    model.to(DType.F64);
    copy.to(DType.F64);
    for (int i = 0; i < p.length; i++) {
      q[i].assign(p[i]);
    }
    Optimizer<?> loaded = config.of(q);
    loaded.loadStateDict(live.stateDict());
    for (int t = 3; t < STEPS; t++) {
      OptimizerFamiliesTest.step(live, t, p);
      OptimizerFamiliesTest.step(loaded, t, q);
    }
    assertSameState(loaded, live, p.length);
  }

  // ---- state

  /** Of the same shape: matched by place, each would go on with the moments of the other. */
  @ParameterizedTest
  @MethodSource("configs")
  void parametersThatAreListedInAnotherOrderKeepTheirState(Config config) {
    Parameter a = config.parameter(device, DType.F32, 1, -2, 3);
    Parameter b = config.parameter(device, DType.F32, 4, 5, -6);
    NamedParameters forth = NamedParameters.of(List.of(Map.entry("a", a), Map.entry("b", b)));
    NamedParameters back = NamedParameters.of(List.of(Map.entry("b", b), Map.entry("a", a)));
    Optimizer<?> one =
        TorchOptimizers.builder(config.kind(), config.kwargs()).group("all", forth.all()).build();
    for (int t = 0; t < 3; t++) {
      OptimizerFamiliesTest.step(one, t, a, b);
    }
    Optimizer<?> other =
        TorchOptimizers.builder(config.kind(), config.kwargs()).group("all", back.all()).build();
    other.loadStateDict(one.stateDict());
    assertEquals(OptimizerFamiliesTest.state(one, 0), OptimizerFamiliesTest.state(other, 1));
    assertEquals(OptimizerFamiliesTest.state(one, 1), OptimizerFamiliesTest.state(other, 0));
  }

  @ParameterizedTest
  @MethodSource("configs")
  void twoStatesOfOneMomentAreEqualAndLoadingLeavesThemAsTheyWere(Config config) {
    Parameter[] p = config.model(device, DType.F32);
    Optimizer<?> optimizer = config.of(p);
    OptimizerFamiliesTest.step(optimizer, 0, p);
    OptimizerFamiliesTest.step(optimizer, 1, p);
    OptimizerState first = optimizer.stateDict();
    String text = text(first);
    assertEquals(text, text(optimizer.stateDict()));
    optimizer.loadStateDict(first);
    OptimizerFamiliesTest.step(optimizer, 2, p);
    assertEquals(text, text(first));
  }

  private String text(OptimizerState state) {
    StringBuilder s = new StringBuilder(state.groups().toString());
    state
        .parameters()
        .forEach(
            (name, of) -> {
              s.append(name).append(of.steps()).append(of.scalars());
              of.buffers()
                  .forEach(
                      (n, b) -> s.append(n).append(Arrays.toString(Fixture.values(b.on(device)))));
            });
    return s.toString();
  }

  // ---- defaults

  /** A group that is given all of PyTorch's defaults by its names has those of ours. */
  @Test
  void defaultsAreThoseOfPyTorch() {
    Map<String, Object> file =
        Golden.map(Golden.get(Golden.load("optimizer_defaults.json"), "kinds"));
    Parameter matrix = new Parameter(device.ones(DType.F32, 2, 2));
    file.forEach(
        (kind, theirs) -> {
          OptimizerOptions<?> ours =
              TorchOptimizers.of(kind, Map.of(), matrix).group("all").options();
          assertEquals(Golden.map(theirs).keySet(), ours.entries().keySet(), kind);
          assertEquals(ours, ours.withEntries(Golden.map(theirs)), kind);
        });
    assertEquals(15, file.size());
  }

  // ---- memory

  /** A step makes objects, which it has to; no arrays of values, which it need not. */
  @ParameterizedTest
  @MethodSource("kinds")
  @Tag("heavy")
  void whatAStepAllocatesDoesNotDependOnTheSizes(Config kind) {
    long small = allocated(kind, 100);
    long large = allocated(kind, 300_000);
    assertTrue(Math.abs(large - small) < 4096, small + " and " + large + " bytes a step");
  }

  /** Bytes that this thread allocates in a step, once all is made. */
  private long allocated(Config kind, int n) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Parameter p = kind.parameter(device, DType.F32, new double[n]);
    Optimizer<?> optimizer = kind.of(p);
    OptimizerFamiliesTest.give(optimizer, p, new double[n]);
    long id = Thread.currentThread().getId();
    int steps = 20;
    long before = 0;
    for (int i = -10; i < steps; i++) {
      if (i == 0) {
        before = threads.getThreadAllocatedBytes(id);
      }
      optimizer.step();
    }
    return (threads.getThreadAllocatedBytes(id) - before) / steps;
  }
}
