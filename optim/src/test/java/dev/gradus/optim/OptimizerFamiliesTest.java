package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.Golden;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The rules of PyTorch's tests of optimizers, for every kind under many options. LBFGS, which takes
 * one group and a closure, has its own in {@link LBFGSTest}.
 */
class OptimizerFamiliesTest {
  private static final int STEPS = 7;

  /** A kind under options. */
  record Config(String kind, Map<String, Object> kwargs) {
    Optimizer<?> of(Parameter... parameters) {
      return TorchOptimizers.of(kind, kwargs, parameters);
    }

    /** Whether a zero gradient leaves a parameter that has no momentum yet. */
    boolean restsWithoutGradient() {
      return !kwargs.containsKey("weight_decay")
          && !List.of("ASGD", "AdamW", "Muon").contains(kind);
    }

    /** A parameter of a shape that the kind takes. */
    Parameter parameter(Device device, DType dtype, double... values) {
      Tensor t = device.tensor(values).to(dtype);
      return new Parameter(kind.equals("Muon") ? t.reshape(1, values.length) : t);
    }

    /** Four parameters, of two shapes at least. */
    Parameter[] model(Device device, DType dtype) {
      String[] names = {"a", "b", "c", "d"};
      Parameter[] p =
          Fixture.random(device, dtype, 5, names).parameters().toArray(new Parameter[0]);
      for (int i = 1; i < p.length; i += 2) {
        p[i] = parameter(device, dtype, Fixture.values(p[i]));
      }
      return p;
    }
  }

  /** The options of the golden files, and those that they lack. */
  static Stream<Config> configs() {
    Set<Config> all = new LinkedHashSet<>();
    for (String file : List.of("optim_f64.json", "optim_f32_hex.json")) {
      for (Object c : Golden.list(Golden.get(Golden.load(file), "cases"))) {
        Map<String, Object> golden = Golden.map(c);
        String kind = Golden.text(Golden.get(golden, "opt"));
        all.add(new Config(kind, Golden.map(Golden.get(golden, "kwargs"))));
      }
    }
    all.add(new Config("Lion", Map.of("lr", 0.01)));
    all.add(new Config("Lion", Map.of("lr", 0.01, "weight_decay", 0.1)));
    all.add(new Config("ASGD", Map.of("lr", 0.1, "t0", 2.0, "weight_decay", 0.1)));
    all.add(new Config("RMSprop", Map.of("momentum", 0.5)));
    all.add(new Config("NAdam", Map.of("betas", List.of(0.3, 0.9))));
    all.add(new Config("SparseAdam", Map.of("lr", 0.01)));
    all.add(new Config("SparseAdam", Map.of("betas", List.of(0.3, 0.9), "eps", 1e-3)));
    for (String kind : all.stream().map(Config::kind).distinct().toList()) {
      all.add(new Config(kind, Map.of("maximize", true)));
    }
    all.add(new Config("Muon", Map.of()));
    all.add(new Config("Muon", Map.of("lr", 0.1, "momentum", 0.8, "nesterov", false)));
    all.add(new Config("Muon", Map.of("adjust_lr_fn", "match_rms_adamw", "weight_decay", 0.01)));
    return all.stream();
  }

  /** Everything that an optimizer keeps for a parameter, as one list. */
  static List<Object> state(Optimizer<?> optimizer, int index) {
    Member m = optimizer.groups().stream().flatMap(g -> g.members().stream()).toList().get(index);
    List<Object> all = new ArrayList<>();
    all.add(m.count);
    m.buffers.forEach((name, t) -> all.add(name + bits(t)));
    all.add(m.scalars == null ? Map.of() : m.scalars);
    all.add(bits(m.parameter));
    return all;
  }

  private static List<Long> bits(Tensor t) {
    List<Long> bits = new ArrayList<>();
    for (double v : Fixture.values(t)) {
      bits.add(Double.doubleToLongBits(v));
    }
    return bits;
  }

  /** Gives a parameter this gradient, in the form that the optimizer takes. */
  static void give(Optimizer<?> optimizer, Parameter p, double... values) {
    if (optimizer instanceof SparseAdam) {
      Fixture.gradientOfRows(p, values);
    } else {
      Fixture.gradient(p, values);
    }
  }

  static void step(Optimizer<?> optimizer, int t, Parameter... taking) {
    optimizer.zeroGrad();
    for (int i = 0; i < taking.length; i++) {
      Parameter p = taking[i];
      give(optimizer, p, Fixture.slopes(p, 10L * t + p.numel()));
    }
    optimizer.step();
  }

  @ParameterizedTest
  @MethodSource("configs")
  void groupsAreSeparateOptimizers(Config config) {
    try (Device device = Fixture.Where.BACKEND.open()) {
      Parameter[] p = config.model(device, DType.F32);
      Parameter[] q = config.model(device, DType.F32);
      Optimizer<?> together =
          twoGroups(TorchOptimizers.builder(config.kind, config.kwargs), List.of(p));
      Optimizer<?> one = config.of(q[0], q[1]);
      Optimizer<?> two = config.of(q[2], q[3]);
      two.group("all").scaleLr(0.5);
      for (int t = 0; t < STEPS; t++) {
        step(together, t, p);
        step(one, t, q[0], q[1]);
        step(two, t, q[2], q[3]);
      }
      for (int i = 0; i < p.length; i++) {
        assertEquals(state(i < 2 ? one : two, i % 2), state(together, i), "parameter " + i);
      }
    }
  }

  private static <O extends OptimizerOptions<O>, T extends Optimizer<O>> T twoGroups(
      OptimizerBuilder<O, T> builder, List<Parameter> all) {
    return builder
        .group("one", all.subList(0, 2))
        .group("two", all.subList(2, 4), o -> o.withLr(0.5 * o.lr()))
        .build();
  }

  @ParameterizedTest
  @MethodSource("configs")
  void aParameterWithoutAGradientIsLeftAloneAndGoesOnWhereItStopped(Config config) {
    try (Device device = Fixture.Where.BACKEND.open()) {
      Parameter[] p = config.model(device, DType.F32);
      Parameter[] q = config.model(device, DType.F32);
      Optimizer<?> frozen = config.of(p);
      Optimizer<?> alone = config.of(q[1]);
      for (int t = 0; t < STEPS; t++) {
        if (t == 0 || t == 3 || t == 4) {
          List<Object> before = state(frozen, 1);
          step(frozen, t, p[0], p[2], p[3]);
          assertEquals(before, state(frozen, 1));
          assertTrue(t > 0 || frozen.groups().get(0).members().get(1).buffers.isEmpty());
        } else {
          step(frozen, t, p);
          step(alone, t, q[1]);
        }
      }
      assertEquals(STEPS - 3, frozen.stepsOf(p[1]));
      assertEquals(state(alone, 0), state(frozen, 1));
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void aZeroGradientIsAStep(Config config) {
    try (Device device = Fixture.Where.BACKEND.open()) {
      Parameter p = config.parameter(device, DType.F64, 1, -2, 3);
      Optimizer<?> optimizer = config.of(p);
      give(optimizer, p, 0, 0, 0);
      optimizer.step();
      assertEquals(1, optimizer.stepsOf(p));
      if (config.restsWithoutGradient()) {
        assertArrayEquals(new double[] {1, -2, 3}, p.toDoubleArray());
      } else {
        assertFalse(p.toDoubleArray()[0] == 1 && p.toDoubleArray()[1] == -2);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void thePathsHaveTheSameBits(Config config) {
    for (DType dtype : List.of(DType.F32, DType.F64)) {
      List<List<Object>> own = path(config, Fixture.Where.BACKEND, dtype);
      List<List<Object>> composed = path(config, Fixture.Where.COMPOSED, dtype);
      if (config.kind.equals("Adafactor") && dtype == DType.F64 && !sumsAlike()) {
        assertCloseParameters(composed, own);
      } else {
        assertEquals(composed, own, dtype.label());
      }
      assertEquals(onePerParameter(config, dtype), own, dtype.label());
    }
  }

  private static boolean sumsAlike() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      return Fixture.sumsAlike(device);
    }
  }

  /**
   * Steps by a mean square whose last bit may differ: a few times the rounding of values near 4.
   */
  private static void assertCloseParameters(
      List<List<Object>> expected, List<List<Object>> actual) {
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(expected.get(i).get(0), actual.get(i).get(0), "count");
      assertArrayEquals(parameters(expected.get(i)), parameters(actual.get(i)), STEPS * 0x1p-50);
    }
  }

  /** Of a state, in which the parameter's bits are the last. */
  private static double[] parameters(List<Object> state) {
    return ((List<?>) state.get(state.size() - 1))
        .stream().mapToDouble(b -> Double.longBitsToDouble((Long) b)).toArray();
  }

  /** Whether a parameter has a gradient: none in the second step, two frozen until the fifth. */
  private static boolean takes(int parameter, int t) {
    return t != 2 && (t < 3 || t >= 5 || parameter == 0 || parameter == 3);
  }

  private static List<List<Object>> onePerParameter(Config config, DType dtype) {
    try (Device device = Fixture.Where.BACKEND.open()) {
      List<List<Object>> states = new ArrayList<>();
      Parameter[] p = config.model(device, dtype);
      for (int i = 0; i < p.length; i++) {
        Optimizer<?> optimizer = config.of(p[i]);
        for (int t = 0; t < STEPS; t++) {
          step(optimizer, t, takes(i, t) ? new Parameter[] {p[i]} : new Parameter[0]);
        }
        states.add(state(optimizer, 0));
      }
      return states;
    }
  }

  private static List<List<Object>> path(Config config, Fixture.Where where, DType dtype) {
    try (Device device = where.open()) {
      Parameter[] p = config.model(device, dtype);
      Optimizer<?> optimizer = config.of(p);
      for (int t = 0; t < STEPS; t++) {
        int now = t;
        Parameter[] taking =
            IntStream.range(0, p.length)
                .filter(i -> takes(i, now))
                .mapToObj(i -> p[i])
                .toArray(Parameter[]::new);
        step(optimizer, t, taking);
      }
      List<List<Object>> states = new ArrayList<>();
      for (int i = 0; i < p.length; i++) {
        states.add(state(optimizer, i));
      }
      return states;
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void aLoadedStateGoesOnAsIfItHadNeverStopped(Config config) {
    try (Device device = Fixture.Where.BACKEND.open()) {
      Parameter[] p = config.model(device, DType.F32);
      Optimizer<?> through = config.of(p);
      for (int t = 0; t < STEPS; t++) {
        step(through, t, t < 3 ? new Parameter[] {p[0], p[1], p[3]} : p);
      }
      Parameter[] q = config.model(device, DType.F32);
      for (int i = 0; i < p.length; i++) {
        q[i].assign(p[i]);
      }
      Optimizer<?> resumed = TorchOptimizers.of(config.kind, Map.of(), q);
      resumed.loadStateDict(through.stateDict());
      for (int t = STEPS; t < STEPS + 10; t++) {
        step(through, t, p);
        step(resumed, t, q);
      }
      for (int i = 0; i < p.length; i++) {
        assertEquals(state(through, i), state(resumed, i), "parameter " + i);
      }
    }
  }

  static Stream<Map.Entry<Config, String>> refusals() {
    Map<Config, String> table = new LinkedHashMap<>();
    for (String kind : configs().map(Config::kind).distinct().toList()) {
      refuses(table, kind, "lr", -0.5, "lr must be >= 0 but is -0.5");
      refuses(table, kind, "lr", Double.NaN, "lr must be >= 0 but is NaN");
      if (!List.of("Rprop", "SparseAdam").contains(kind)) {
        refuses(table, kind, "weight_decay", -1.0, "weightDecay must be >= 0 but is -1.0");
      }
    }
    for (String kind : List.of("Adadelta", "Adagrad", "Adamax", "NAdam", "RAdam", "RMSprop")) {
      refuses(table, kind, "eps", -1e-8, "eps must be >= 0 but is -1.0E-8");
    }
    for (String kind : List.of("Adam", "AdamW", "Adamax", "Lion", "NAdam", "RAdam", "SparseAdam")) {
      refuses(table, kind, "betas", List.of(1.0, 0.5), "beta1 must be in [0, 1) but is 1.0");
      refuses(table, kind, "betas", List.of(0.5, -0.5), "beta2 must be in [0, 1) but is -0.5");
    }
    refuses(table, "ASGD", "lambd", -1.0, "lambd must be >= 0 but is -1.0");
    refuses(table, "ASGD", "alpha", -1.0, "alpha must be >= 0 but is -1.0");
    refuses(table, "ASGD", "t0", -1.0, "t0 must be >= 0 but is -1.0");
    refuses(table, "Adadelta", "rho", 1.1, "rho must be in [0, 1] but is 1.1");
    refuses(table, "Adagrad", "lr_decay", -0.5, "lrDecay must be >= 0 but is -0.5");
    refuses(
        table,
        "Adagrad",
        "initial_accumulator_value",
        -2.0,
        "initialAccumulatorValue must be >= 0 but is -2.0");
    refuses(table, "NAdam", "momentum_decay", -0.2, "momentumDecay must be >= 0 but is -0.2");
    refuses(table, "RMSprop", "momentum", -1.0, "momentum must be >= 0 but is -1.0");
    refuses(table, "RMSprop", "alpha", 1.5, "alpha must be in [0, 1] but is 1.5");
    refuses(
        table,
        "Rprop",
        "etas",
        List.of(1.0, 0.5),
        "etas must be in (0, 1) and above 1 but are 1.0 and 0.5");
    refuses(
        table,
        "Rprop",
        "step_sizes",
        List.of(2.0, 1.0),
        "step sizes must be 0 <= least <= greatest, finite, but are 2.0 and 1.0");
    return table.entrySet().stream();
  }

  private static void refuses(
      Map<Config, String> table, String kind, String kwarg, Object value, String rule) {
    table.put(new Config(kind, Map.of(kwarg, value)), kind + " " + rule);
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void anOptionThatIsNotAllowedIsNamedWithItsValue(Map.Entry<Config, String> refusal) {
    try (Device device = Fixture.Where.BACKEND.open()) {
      Parameter p = refusal.getKey().parameter(device, DType.F32, 1);
      assertEquals(
          refusal.getValue(),
          Fixture.refused(IllegalArgumentException.class, () -> refusal.getKey().of(p)));
      Optimizer<?> optimizer = TorchOptimizers.of(refusal.getKey().kind, Map.of(), p);
      if (refusal.getKey().kwargs.get("lr") instanceof Double lr) {
        assertEquals(
            "group 'all': " + refusal.getValue(),
            Fixture.refused(
                IllegalArgumentException.class, () -> optimizer.group("all").setLr(lr)));
      }
    }
  }
}
