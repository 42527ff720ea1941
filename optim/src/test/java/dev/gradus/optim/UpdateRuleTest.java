package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.spi.Backend;
import dev.gradus.spi.UnaryOp;
import dev.gradus.tensor.Device;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** State that is more than zeros of the parameter's shape. */
class UpdateRuleTest {
  private Device device;
  private NamedParameters named;

  /** Adds a rate that halves from step to step, and keeps a number for each row. */
  private static final class Halving extends Optimizer<Halving.Options> {
    record Options(double lr) implements OptimizerOptions<Options> {
      Options {
        OptionChecks.atLeastZero("Halving", "lr", lr);
      }

      @Override
      public Options withLr(double x) {
        return new Options(x);
      }

      @Override
      public SortedMap<String, Object> entries() {
        return new TreeMap<>(Map.of("lr", lr));
      }

      @Override
      public Options withValues(OptionValues values) {
        return new Options(values.number("lr"));
      }
    }

    record Rule() implements UpdateRule<Options, Double> {
      @Override
      public List<String> buffers(Options options, Shape shape) {
        return shape.rank() == 2 ? List.of("row", "all") : List.of("all");
      }

      @Override
      public Start start(String buffer, Options options, Shape shape) {
        return buffer.equals("row")
            ? new Start(Shape.of(shape.dim(0), 1), options.lr())
            : new Start(shape, 2);
      }

      @Override
      public Map<String, Double> scalars(Options options) {
        return Map.of("rate", options.lr());
      }

      @Override
      public Map<String, Double> scalarsAfter(Options options, Progress progress) {
        return Map.of("rate", progress.scalar("rate") / 2);
      }

      @Override
      public Double hyper(Options options, Progress progress) {
        return progress.scalar("rate");
      }

      @Override
      public Update<Double> prepare(Backend b, List<Slot> slots) {
        return Update.each(
            slots,
            (s, rate) -> b.unary(UnaryOp.ADD_SCALAR, s.param(), s.param(), rate, 0),
            () -> {});
      }
    }

    private Halving(OptimizerBuilder<Options, Halving> builder) {
      super(builder, new Rule());
    }

    static Halving of(NamedParameters named) {
      return new OptimizerBuilder<>("Halving", new Options(1), Halving::new)
          .group("all", named.all())
          .build();
    }
  }

  @BeforeEach
  void open() {
    device = Fixture.Where.BACKEND.open();
    named =
        NamedParameters.of(
            List.of(
                Map.entry("matrix", new Parameter(device.zeros(DType.F64, 2, 3))),
                Map.entry("vector", new Parameter(device.zeros(DType.F64, 2)))));
  }

  @AfterEach
  void close() {
    device.close();
  }

  private static void step(Halving optimizer, Parameter... parameters) {
    optimizer.zeroGrad();
    for (Parameter p : parameters) {
      Fixture.gradientOf(p, 1);
    }
    optimizer.step();
  }

  @Test
  void aBufferIsMadeAsTheRuleSays() {
    Halving h = Halving.of(named);
    h.group("all").setLr(0.25);
    step(h, named.get("matrix"), named.get("vector"));
    Map<String, StateBuffer> matrix = h.stateDict().parameters().get("matrix").buffers();
    assertEquals(List.of("row", "all"), List.copyOf(matrix.keySet()));
    assertEquals(Shape.of(2, 1), matrix.get("row").shape());
    assertArrayEquals(new double[] {0.25, 0.25}, matrix.get("row").on(device).toDoubleArray());
    Map<String, StateBuffer> vector = h.stateDict().parameters().get("vector").buffers();
    assertEquals(List.of("all"), List.copyOf(vector.keySet()));
    assertEquals(DType.F64, vector.get("all").dtype());
    assertArrayEquals(new double[] {2, 2}, vector.get("all").on(device).toDoubleArray());
  }

  @Test
  void eachParameterHasItsOwnNumbers() {
    Halving h = Halving.of(named);
    step(h, named.get("matrix"));
    step(h, named.get("matrix"));
    step(h, named.get("matrix"), named.get("vector"));
    assertEquals(1.75, named.get("matrix").toDoubleArray()[0]);
    assertEquals(1, named.get("vector").toDoubleArray()[0]);
    assertEquals(Map.of("rate", 0.125), h.stateDict().parameters().get("matrix").scalars());
    assertEquals(Map.of("rate", 0.5), h.stateDict().parameters().get("vector").scalars());
  }

  @Test
  void numbersThatDifferAtOneCountAreKeptApart() {
    Halving h = Halving.of(named);
    step(h, named.get("matrix"));
    h.group("all").setLr(8);
    step(h, named.get("vector"));
    step(h, named.get("matrix"), named.get("vector"));
    assertEquals(1.5, named.get("matrix").toDoubleArray()[0]);
    assertEquals(12, named.get("vector").toDoubleArray()[0]);
  }

  @Test
  void aStepThatIsRefusedLeavesTheNumbers() {
    Halving h = Halving.of(named);
    step(h, named.get("vector"));
    Fixture.gradientOf(named.get("vector"), 1);
    h.schedule((at, base) -> -1);
    Fixture.refused(IllegalArgumentException.class, h::step);
    assertEquals(Map.of("rate", 0.5), h.stateDict().parameters().get("vector").scalars());
    assertEquals(1, h.stepsOf(named.get("vector")));
  }

  @Test
  void numbersAndBuffersComeBackFromAState() {
    Halving one = Halving.of(named);
    step(one, named.get("matrix"), named.get("vector"));
    OptimizerState state = one.stateDict();
    step(one, named.get("matrix"), named.get("vector"));
    Halving two = Halving.of(named);
    two.loadStateDict(state);
    step(two, named.get("matrix"), named.get("vector"));
    assertEquals(2, named.get("matrix").toDoubleArray()[0]);
    assertEquals(one.stateDict().parameters().get("matrix").scalars(), Map.of("rate", 0.25));
    assertEquals(two.stateDict().parameters().get("matrix").scalars(), Map.of("rate", 0.25));
    assertEquals(
        Shape.of(2, 1), two.stateDict().parameters().get("matrix").buffers().get("row").shape());
  }

  @Test
  void aStateWithoutANumberOrOfAnotherShapeDoesNotFit() {
    Halving h = Halving.of(named);
    step(h, named.get("matrix"), named.get("vector"));
    OptimizerState state = h.stateDict();
    OptimizerState.OfParameter wrong =
        new OptimizerState.OfParameter(
            1, Map.of("row", new StateBuffer.InMemory(device.zeros(DType.F64, 2))), Map.of());
    OptimizerState changed =
        new OptimizerState(
            state.kind(),
            Map.of(),
            state.groups(),
            Map.of("matrix", wrong, "vector", state.parameters().get("vector")));
    assertEquals(
        """
        Halving.loadStateDict: the state does not fit:
          parameter 'matrix' in group 'all': row is [2] but must be [2, 1]; the parameter is [2, 3]
          parameter 'matrix' in group 'all': rate is missing in the state\
        """,
        Fixture.refused(IllegalArgumentException.class, () -> h.loadStateDict(changed)));
    assertEquals(Map.of("rate", 0.5), h.stateDict().parameters().get("matrix").scalars());
  }

  @Test
  void aNumberThatTheRuleDoesNotKeepIsNamed() {
    UpdateRule.Progress progress = new UpdateRule.Progress(1, true, Map.of("rate", 1.0));
    assertEquals(
        "update rule: there is no scalar 'mu'; it keeps [rate]",
        Fixture.refused(IllegalArgumentException.class, () -> progress.scalar("mu")));
  }
}
