package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.NamedParameters;
import dev.gradus.tensor.Device;
import dev.gradus.testing.Golden;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Schedules of two groups, 0.05 and 0.5, against PyTorch's rates, momenta and beta1. */
class GoldenSchedulesTest {
  /** The 20 entries of the file. */
  enum Case {
    LAMBDA("LambdaLR([0.95**e, 1+e//3])") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.group("low").schedule(Schedules.lambda(e -> Math.pow(0.95, (double) e)));
        optimizer.group("high").schedule(Schedules.lambda(e -> 1 + Math.floor(e / 3.0)));
      }
    },
    MULTIPLICATIVE("MultiplicativeLR(0.9)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(Schedules.multiplicative(e -> 0.9));
      }
    },
    STEP("StepLR(3,0.1)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(Schedules.step(3, 0.1));
      }
    },
    MULTI_STEP("MultiStepLR([2,2,5],0.1)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(Schedules.multiStep(0.1, 2, 2, 5));
      }
    },
    CONSTANT("ConstantLR(0.5,4)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(Schedules.constant(0.5, 4));
      }
    },
    LINEAR_UP("LinearLR(0.25,1,4)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(Schedules.linear(0.25, 1, 4));
      }
    },
    LINEAR_DOWN("LinearLR(1,0,5)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(Schedules.linear(1, 0, 5));
      }
    },
    EXPONENTIAL("ExponentialLR(0.9)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(Schedules.exponential(0.9));
      }
    },
    POLYNOMIAL("PolynomialLR(4,2)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(Schedules.polynomial(4, 2));
      }
    },
    COSINE("CosineAnnealingLR(4,0.001)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(Schedules.cosine(4, 0.001));
      }
    },
    CONSTANT_THEN_EXPONENTIAL("SequentialLR([ConstantLR(.1,2),ExponentialLR(.9)],[3])") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(
            Schedules.sequential(
                List.of(Schedules.constant(0.1, 2), Schedules.exponential(0.9)), 3));
      }
    },
    LINEAR_THEN_COSINE("SequentialLR([LinearLR(.1,1,4),CosineAnnealingLR(6)],[4])") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(
            Schedules.sequential(List.of(Schedules.linear(0.1, 1, 4), Schedules.cosine(6, 0)), 4));
      }
    },
    CHAINED("ChainedScheduler([ConstantLR(.1,2),ExponentialLR(.9)])") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(
            Schedules.chained(Schedules.constant(0.1, 2), Schedules.exponential(0.9)));
      }
    },
    PLATEAU(
        "ReduceLROnPlateau(patience=1,cooldown=1,min_lr=[1e-3,1e-1])"
            + " metrics=[1,1,1,1,1,1,1,.5,.5,.5,.5,.5]") {
      private static final int LAST_OF_ONE = 6;

      @Override
      void attach(Optimizer<?> optimizer) {
        ReduceOnPlateau plateau = Schedules.reduceOnPlateau().withPatience(1).withCooldown(1);
        optimizer.group("low").schedule(plateau.withMinimum(1e-3));
        optimizer.group("high").schedule(plateau.withMinimum(1e-1));
      }

      @Override
      void advance(Optimizer<?> optimizer, int step) {
        optimizer.stepSchedules(step <= LAST_OF_ONE ? 1 : 0.5);
      }
    },
    CYCLIC("CyclicLR([.01,.1],[.05,.5],2,triangular2) SGD(momentum=.9)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.group("low").schedule(Schedules.cyclic(0.01, 0.05, 2).withTriangular2());
        optimizer.group("high").schedule(Schedules.cyclic(0.1, 0.5, 2).withTriangular2());
      }
    },
    CYCLIC_FALLING("CyclicLR(.01,.05,2,3,exp_range,gamma=.9,cycle_momentum=False)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(
            Schedules.cyclic(0.01, 0.05, 2)
                .withStepSizeDown(3)
                .withExpRange(0.9)
                .withFixedMomentum());
      }
    },
    RESTARTS("CosineAnnealingWarmRestarts(2,2)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(Schedules.cosineWarmRestarts(2, 2, 0));
      }
    },
    EQUAL_RESTARTS("CosineAnnealingWarmRestarts(4,1,0.01)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(Schedules.cosineWarmRestarts(4, 1, 0.01));
      }
    },
    ONE_CYCLE("OneCycleLR([.1,1.],total_steps=10) Adam") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.group("low").schedule(Schedules.oneCycle(0.1, 10));
        optimizer.group("high").schedule(Schedules.oneCycle(1, 10));
      }
    },
    ONE_CYCLE_OF_THREE("OneCycleLR(.1,total_steps=10,three_phase,linear,cycle_momentum=False)") {
      @Override
      void attach(Optimizer<?> optimizer) {
        optimizer.schedule(
            Schedules.oneCycle(0.1, 10).withThreePhases().withLinear().withFixedMomentum());
      }
    };

    final String golden;

    Case(String golden) {
      this.golden = golden;
    }

    abstract void attach(Optimizer<?> optimizer);

    void advance(Optimizer<?> optimizer, int step) {
      optimizer.stepSchedules();
    }
  }

  private Device device;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
  }

  @AfterEach
  void close() {
    device.close();
  }

  private static Map<String, Object> file() {
    return Golden.map(Golden.load("schedulers.json").get("schedulers"));
  }

  private <O extends OptimizerOptions<O>, T extends Optimizer<O>> T groups(
      OptimizerBuilder<O, T> builder) {
    NamedParameters named = Fixture.random(device, DType.F32, 0, "a", "b");
    UnaryOperator<O> low = o -> o.withLr(0.05);
    return builder
        .group("low", named.matching("a"), low)
        .group("high", named.others(), o -> o.withLr(0.5))
        .build();
  }

  @ParameterizedTest
  @EnumSource
  void ratesAndMomentaAreThoseOfTheFile(Case c) {
    Map<String, Object> expected = Golden.map(file().get(c.golden));
    Optimizer<?> optimizer =
        c.golden.endsWith("Adam")
            ? groups(Adam.withDefaults())
            : groups(SGD.withDefaults(o -> o.withMomentum(0.9)));
    List<Object> rates = Golden.list(expected.get("lr"));
    double[] momenta = Golden.doubles(expected.getOrDefault("momentum_or_beta1", List.of()));
    c.attach(optimizer);
    for (int step = 0; step < rates.size(); step++) {
      double[] lr = Golden.doubles(rates.get(step));
      for (int g = 0; g < 2; g++) {
        ParamGroup<?> group = optimizer.groups().get(g);
        OptimizerOptions<?> now = group.optionsNow();
        assertEquals(group.lrNow(), now.lr());
        near(lr[g], now.lr(), c + " step " + step);
        double momentum = momenta.length == 0 ? 0.9 : momenta[step];
        near(momentum, OptimizerOptions.momentumOf(now), c + " momentum, step " + step);
      }
      if (step + 1 < rates.size()) {
        c.advance(optimizer, step);
      }
    }
    assertTrue(rates.size() >= 10);
  }

  private static void near(double expected, double actual, String what) {
    assertEquals(expected, actual, 1e-15 * expected, what);
  }

  @Test
  void noEntryOfTheFileIsLeftOut() {
    List<String> cases = Stream.of(Case.values()).map(c -> c.golden).sorted().toList();
    assertEquals(file().keySet().stream().sorted().toList(), cases);
    assertEquals(20, cases.size());
  }
}
