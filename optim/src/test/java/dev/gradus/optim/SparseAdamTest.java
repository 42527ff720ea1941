package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.Embedding;
import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.Golden;
import dev.gradus.types.DType;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@SuppressWarnings("try") // scopes are open for their effect
class SparseAdamTest {
  /** Six steps' roundings; PyTorch's roots are one unit off for some values. */
  private static final double ULPS = 8;

  private Device device;
  private Parameter table;

  @BeforeEach
  void open() {
    device = Fixture.Where.BACKEND.open();
    table = new Parameter(device.ones(5, 2));
  }

  @AfterEach
  void close() {
    device.close();
  }

  private static NamedParameters named(Parameter p) {
    return NamedParameters.of(List.of(Map.entry("emb.weight", p)));
  }

  private static void lookUp(Parameter table, double factor, long... ids) {
    try (Scope scope = Scope.open()) {
      Tensor x = Embedding.tied(table).forward(table.device().tensor(ids));
      x.mul(x.add(factor)).sum().backward();
    }
  }

  @ParameterizedTest
  @EnumSource
  void trajectoriesAreThoseOfPyTorch(Fixture.Where where) {
    Map<String, Object> file = Golden.load("sparse_adam.json");
    try (Device on = where.open()) {
      List<Object> cases = Golden.list(Golden.get(file, "cases"));
      assertEquals(8, cases.size());
      cases.forEach(c -> follow(on, file, Golden.map(c)));
    }
  }

  private static void follow(Device device, Map<String, Object> file, Map<String, Object> golden) {
    boolean single = Golden.text(golden.get("dtype")).equals("float32");
    DType dtype = single ? DType.F32 : DType.F64;
    double eps = ULPS * (single ? 0x1p-24 : 0x1p-53);
    Tensor start = device.tensor(Golden.doubles(Golden.get(file, "start")), 7, 3).to(dtype);
    Embedding embedding =
        Embedding.fromPretrained(start, false, Embedding.Options.defaults().withPaddingIndex(2));
    Map<String, Object> options = Golden.map(Golden.get(golden, "options"));
    SparseAdam adam = SparseAdam.of(embedding.namedParameters(), o -> changed(o, options));
    List<Object> ids = Golden.list(Golden.get(file, "ids"));
    List<Object> weights = Golden.list(Golden.get(file, "weights"));
    List<Object> tables = Golden.list(Golden.get(golden, "table"));
    for (int t = 0; t < ids.size(); t++) {
      try (Scope scope = Scope.open()) {
        long[] id =
            Golden.list(ids.get(t)).stream().mapToLong(v -> (long) Golden.number(v)).toArray();
        Tensor w = device.tensor(Golden.doubles(weights.get(t)), id.length, 3).to(dtype);
        adam.zeroGrad();
        embedding.forward(device.tensor(id)).mul(w).sum().backward();
        adam.step();
      }
      close(golden + " step " + t, tables.get(t), embedding.weight(), eps);
    }
    assertEquals((long) Golden.number(golden.get("step")), adam.stepsOf(embedding.weight()));
    Map<String, StateTensor> buffers = adam.groups().get(0).members().get(0).buffers;
    for (String name : List.of("exp_avg", "exp_avg_sq")) {
      StateTensor buffer = buffers.get(name);
      assertNotNull(buffer);
      close(name, Golden.get(golden, name), buffer, eps);
    }
  }

  private static SparseAdam.Options changed(SparseAdam.Options start, Map<String, Object> options) {
    SparseAdam.Options o = start;
    for (Map.Entry<String, Object> e : options.entrySet()) {
      Object v = e.getValue();
      o =
          switch (e.getKey()) {
            case "lr" -> o.withLr(Golden.number(v));
            case "betas" -> o.withBetas(Golden.doubles(v)[0], Golden.doubles(v)[1]);
            case "eps" -> o.withEps(Golden.number(v));
            case "maximize" -> o.withMaximize((Boolean) v);
            default -> throw new IllegalArgumentException(e.getKey());
          };
    }
    return o;
  }

  private static void close(String what, Object golden, Tensor actual, double eps) {
    double[] expected = Golden.doubles(golden);
    double[] values = Fixture.values(actual);
    assertEquals(expected.length, values.length);
    for (int i = 0; i < values.length; i++) {
      double error = Math.abs(expected[i] - values[i]);
      assertTrue(
          error <= eps * Math.max(Math.abs(expected[i]), 0x1p-10),
          what + " [" + i + "]: " + expected[i] + " but " + values[i]);
    }
  }

  @Test
  void rowsThatAreNotLookedUpStayWhereTheyAre() {
    SparseAdam adam = SparseAdam.of(named(table), o -> o.withLr(0.1));
    lookUp(table, 1, 3, 1, 3);
    adam.step();
    adam.zeroGrad();
    lookUp(table, 1, 1);
    adam.step();
    float[] after = table.toFloatArray();
    for (int i : new int[] {0, 1, 4, 5, 8, 9}) {
      assertEquals(1, after[i]);
    }
    assertEquals(0.9, after[6], 1e-6, "moved once, by the rate");
    assertEquals(0.8, after[2], 1e-3, "moved twice");
  }

  @Test
  void aTableThatAnotherOptimizerTakesDenseIsRefused() {
    NamedParameters named = NamedParameters.of(List.of(Map.entry("emb.weight", table)));
    SparseAdam sparse = SparseAdam.of(named);
    Adam.of(named);
    lookUp(table, 1, 0);
    assertEquals(
        "SparseAdam.step: parameter 'emb.weight': its gradient is dense: it was used other than by"
            + " lookups of rows, the gradient was changed, or another optimizer takes it dense;"
            + " give it to one Adam",
        Fixture.refused(IllegalStateException.class, sparse::step));
  }

  @Test
  void aParameterWithADenseGradientIsRefusedAndNothingIsChanged() {
    Parameter linear = new Parameter(device.ones(2));
    SparseAdam adam =
        SparseAdam.of(
            NamedParameters.of(
                List.of(Map.entry("emb.weight", table), Map.entry("linear.weight", linear))));
    lookUp(table, 1, 0);
    Fixture.gradient(linear, 1, 1);
    assertEquals(
        "SparseAdam.step: parameter 'linear.weight': its gradient is dense: it was used other than"
            + " by lookups of rows, the gradient was changed, or another optimizer takes it dense;"
            + " give it to one Adam",
        Fixture.refused(IllegalStateException.class, adam::step));
    assertEquals(1, table.toFloatArray()[0]);
    assertEquals(0, adam.stepsOf(table));
    linear.zeroGrad();
    adam.step();
    assertEquals(1, adam.stepsOf(table));
    assertEquals(0, adam.stepsOf(linear));
  }

  @Test
  void aLookAtTheGradientChangesNothing() {
    SparseAdam adam = SparseAdam.of(named(table), o -> o.withLr(0.1));
    lookUp(table, 1, 0);
    assertEquals(6, table.grad().sum().item());
    adam.step();
    assertEquals(0.9, table.toFloatArray()[0], 1e-6);
  }

  @Test
  void anOptimizerMayTakeOverTheTableOfAnother() {
    Adam adam = Adam.of(named(table));
    lookUp(table, 1, 0);
    adam.step();
    SparseAdam sparse = SparseAdam.of(named(table));
    table.zeroGrad();
    lookUp(table, 1, 0);
    sparse.step();
    lookUp(table, 1, 1);
    adam.step();
    assertEquals(1, sparse.stepsOf(table));
    assertEquals(2, adam.stepsOf(table));
  }

  @Test
  void preparedOnceForBatchesThatAreNoLarger() {
    SparseAdam adam = SparseAdam.of(named(table));
    lookUp(table, 1, 0, 2, 4);
    adam.step();
    Member m = adam.groups().get(0).members().get(0);
    Member.Place place = m.place;
    for (long[] ids : List.of(new long[] {1}, new long[] {3, 3}, new long[] {0, 1, 2})) {
      adam.zeroGrad();
      lookUp(table, 1, ids);
      adam.step();
      assertSame(place, m.place);
    }
  }

  @Test
  void trainingThatIsResumedGoesOnAsIfItHadNotStopped() {
    SparseAdam adam = SparseAdam.of(named(table), o -> o.withLr(0.1));
    adam.schedule(Schedules.exponential(0.9));
    lookUp(table, 1, 0, 1);
    adam.step();
    adam.stepSchedules();
    Parameter other = new Parameter(table);
    SparseAdam resumed = SparseAdam.of(named(other));
    resumed.schedule(Schedules.exponential(0.9));
    resumed.loadStateDict(adam.stateDict());
    for (Parameter p : List.of(table, other)) {
      p.zeroGrad();
      lookUp(p, 2, 1, 4);
    }
    adam.step();
    resumed.step();
    assertArrayEquals(table.toFloatArray(), other.toFloatArray());
    assertEquals(2, resumed.stepsOf(other));
  }

  @Test
  void itIsPrintedAsPyTorchDoes() {
    String text = SparseAdam.of(named(table)).toString();
    assertTrue(
        text.startsWith(
            "SparseAdam (\nParameter Group 0\n    betas: (0.9, 0.999)\n    eps: 1e-08\n"
                + "    lr: 0.001\n    maximize: False\n"),
        text);
  }

  @Test
  void wrongOptionsAreRefused() {
    SparseAdam.Options o = SparseAdam.Options.defaults();
    assertEquals(
        "SparseAdam eps must be > 0 but is 0.0",
        Fixture.refused(IllegalArgumentException.class, () -> o.withEps(0)));
    assertEquals(
        "SparseAdam eps must be finite but is Infinity",
        Fixture.refused(IllegalArgumentException.class, () -> o.withEps(Double.POSITIVE_INFINITY)));
    assertEquals(
        "SparseAdam lr must be >= 0 but is -1.0",
        Fixture.refused(IllegalArgumentException.class, () -> o.withLr(-1)));
    assertEquals(
        "SparseAdam beta2 must be in [0, 1) but is 1.0",
        Fixture.refused(IllegalArgumentException.class, () -> o.withBetas(0, 1)));
  }

  // ---- the other optimizers on rows

  /** The gradient of rows, made dense by a use elsewhere that adds zeros, moves the same way. */
  @ParameterizedTest
  @EnumSource
  void otherOptimizersMoveATableAsIfItsGradientWereDense(Fixture.Where where) {
    try (Device on = where.open()) {
      for (int kind = 0; kind < 4; kind++) {
        assertArrayEquals(trained(on, kind, true), trained(on, kind, false), "kind " + kind);
      }
    }
  }

  private static float[] trained(Device device, int kind, boolean dense) {
    device.manualSeed(3);
    Parameter p = new Parameter(device.normal(DType.F32, 0, 1, 257, 7));
    Optimizer<?> optimizer =
        switch (kind) {
          case 0 -> Adam.of(named(p), o -> o.withLr(0.1).withAmsgrad(true));
          case 1 -> SGD.of(named(p), o -> o.withLr(0.1));
          case 2 -> SGD.of(named(p), o -> o.withLr(0.1).withMomentum(0.9));
          default -> SGD.of(named(p), o -> o.withLr(0.1).withWeightDecay(0.1).withMaximize(true));
        };
    for (long[] ids : List.of(new long[] {5, 256, 5}, new long[] {0}, new long[] {256, 1, 2, 3})) {
      optimizer.zeroGrad();
      if (dense) {
        p.mul(0).sum().backward();
      }
      lookUp(p, 0.25, ids);
      assertEquals(dense || kind != 1, p.gradRows() == null);
      optimizer.step();
    }
    return p.toFloatArray();
  }

  @Test
  void plainSgdChangesItsMindWithItsOptions() {
    SGD sgd = SGD.of(named(table), o -> o.withLr(0.5));
    lookUp(table, 0, 0);
    sgd.step();
    assertEquals(0, table.toFloatArray()[0], "1 - 0.5 * 2");
    sgd.group("all").options(o -> o.withWeightDecay(1));
    sgd.zeroGrad();
    lookUp(table, 0, 0);
    sgd.step();
    assertArrayEquals(
        new float[] {0, 0, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f}, table.toFloatArray());
  }

  @Test
  void aRuleThatTakesRowsDoesNotAskForADenseGradient() {
    lookUp(table, 1, 0);
    UpdateRule.Slot slot =
        new UpdateRule.Slot(
            table.storage(),
            table.shape(),
            java.util.Objects.requireNonNull(table.gradRows()),
            Map.of());
    assertEquals(
        "update rule: the gradient is rows of a table, as the rule's form() asked; take them with"
            + " gradient()",
        Fixture.refused(IllegalStateException.class, slot::grad));
  }
}
