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
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every optimizer has to do. */
class OptimizersTest {
  /** What the slowest, SGD in the valley of Rosenbrock's function, has left after its steps. */
  private static final double CLOSE = 1e-9;

  /** The default decay of 0.01 holds values of up to 3 off the minimum by a step or so of 0.02. */
  private static final double DECAYED = 0.02;

  private Device device;
  private Parameter x;
  private Parameter y;
  private NamedParameters named;

  /** The optimizers, with rates at which they come to rest on both functions. */
  enum Kind {
    ADAM(0.02, CLOSE) {
      @Override
      Optimizer<?> of(NamedParameters named, double restLr) {
        return Adam.withDefaults(o -> o.withLr(lr))
            .group("x", named.matching("x"))
            .group("rest", named.others(), o -> o.withLr(restLr))
            .build();
      }
    },
    ADAM_W(0.02, DECAYED) {
      @Override
      Optimizer<?> of(NamedParameters named, double restLr) {
        return AdamW.withDefaults(o -> o.withLr(lr))
            .group("x", named.matching("x"))
            .group("rest", named.others(), o -> o.withLr(restLr))
            .build();
      }
    },
    SPARSE_ADAM(0.02, CLOSE) {
      @Override
      Optimizer<?> of(NamedParameters named, double restLr) {
        return SparseAdam.withDefaults(o -> o.withLr(lr))
            .group("x", named.matching("x"))
            .group("rest", named.others(), o -> o.withLr(restLr))
            .build();
      }

      @Override
      Tensor read(Parameter p) {
        return p.indexSelect(0, p.device().arange(1));
      }
    },
    SGD_WITH_MOMENTUM(1e-3, CLOSE) {
      @Override
      Optimizer<?> of(NamedParameters named, double restLr) {
        return SGD.withDefaults(o -> o.withLr(lr).withMomentum(0.9))
            .group("x", named.matching("x"))
            .group("rest", named.others(), o -> o.withLr(restLr))
            .build();
      }
    };

    final double lr;

    /** How far from the minimum it may end. */
    final double nearness;

    Kind(double lr, double nearness) {
      this.lr = lr;
      this.nearness = nearness;
    }

    /** An optimizer of two groups: {@code x} with this rate, and {@code rest} with another. */
    abstract Optimizer<?> of(NamedParameters named, double restLr);

    /** A parameter's value, in a form whose gradient the optimizer takes. */
    Tensor read(Parameter p) {
      return p;
    }
  }

  @BeforeEach
  void open() {
    device = Fixture.Where.CPU.open();
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
    minimise(kind.of(named, kind.lr), () -> parabola(kind), 3000);
    assertEquals(3, x.item(), kind.nearness);
    assertEquals(-2, y.item(), kind.nearness);
  }

  @ParameterizedTest
  @EnumSource
  void rosenbrocksFunctionIsMinimised(Kind kind) {
    minimise(kind.of(named, kind.lr), () -> rosenbrock(kind), 6000);
    assertEquals(1, x.item(), kind.nearness);
    assertEquals(1, y.item(), kind.nearness);
  }

  @ParameterizedTest
  @EnumSource
  void aGroupWithoutARateDoesNotMove(Kind kind) {
    Optimizer<?> optimizer = kind.of(named, 0);
    minimise(optimizer, () -> parabola(kind), 10);
    assertEquals(1, y.item());
    assertNotEquals(-1.2, x.item());
    assertEquals(10, optimizer.stepsOf(y));
    optimizer.group("rest").setLr(kind.lr);
    minimise(optimizer, () -> parabola(kind), 1);
    assertNotEquals(1, y.item());
  }

  @ParameterizedTest
  @EnumSource
  void parametersGradientsAndStateKeepTheirMemory(Kind kind) {
    Optimizer<?> optimizer = kind.of(named, kind.lr);
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
    Optimizer<?> optimizer = kind.of(named, kind.lr);
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
    minimise(kind.of(named, kind.lr), () -> parabola(kind), 7);
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
    OptimizerOptions<?> options = kind.of(named, kind.lr).group("rest").options();
    Set<String> names = options.entries().keySet();
    assertEquals(
        names.contains("momentum") || names.contains("betas"),
        options instanceof OptimizerOptions.WithMomentum<?>);
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
