package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.Backend;
import dev.gradus.tensor.Device;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Schedules with rates of their own, and the momentum that they move. */
class CycleSchedulesTest {
  private Device device;
  private NamedParameters named;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    named = Fixture.random(device, DType.F32, 0, "a", "b");
  }

  @AfterEach
  void close() {
    device.close();
  }

  private SGD sgd() {
    return SGD.withDefaults(o -> o.withMomentum(0.5).withLr(0.25))
        .group("low", named.matching("a"))
        .group("high", named.others())
        .build();
  }

  // ---- cyclic

  @Test
  void aCycleGoesUpAndDownAndTheMomentumTheOtherWay() {
    Cyclic cyclic = Schedules.cyclic(1, 5, 4).withStepSizeDown(2).withMomentum(0.25, 0.75);
    double[] height = {0, 0.25, 0.5, 0.75, 1, 0.5, 0, 0.25};
    for (int e = 0; e < height.length; e++) {
      assertEquals(1 + 4 * height[e], cyclic.rate(e, 99), 1e-14);
      assertEquals(0.75 - 0.5 * height[e], cyclic.momentum(e, 99), 1e-14);
    }
    assertEquals(3, cyclic.withTriangular2().rate(4 + 6, 99), 1e-14);
    assertEquals(1 + 4 * Math.pow(0.5, 4), cyclic.withExpRange(0.5).rate(4, 99), 1e-14);
  }

  @Test
  void ratesOfACycleAreItsOwnWhateverWasAttachedBefore() {
    SGD sgd = sgd();
    sgd.schedule(Schedules.exponential(0.1));
    sgd.stepSchedules();
    sgd.schedule(Schedules.cyclic(1, 5, 4));
    assertEquals(1, sgd.group("low").lrNow());
    assertEquals(0.25, sgd.group("low").lr());
  }

  // ---- one cycle

  @Test
  void aPhaseWithoutLengthHasPassed() {
    assertEquals(2, Schedules.oneCycle(2, 10).withPctStart(0.1).rate(0, 99));
    OneCycle falling = Schedules.oneCycle(2, 10).withPctStart(0).withLinear();
    // the fall begins a step before the first
    assertEquals(2 + 0.1 * (2 / 25.0 / 1e4 - 2), falling.rate(0, 99), 1e-15);
    assertEquals(2, Schedules.oneCycle(2, 10).withPctStart(1).rate(9, 99));
    OneCycle one = Schedules.oneCycle(2, 1);
    assertEquals(2 / 25.0 / 1e4, one.rate(0, 99), 1e-18);
  }

  @Test
  void theRateStaysAtItsEndAfterTheLastStepAndIsNotAdvancedFurther() {
    SGD sgd = sgd();
    sgd.schedule(Schedules.exponential(0.5));
    sgd.group("low").schedule(Schedules.oneCycle(0.1, 3));
    for (int e = 0; e < 3; e++) {
      sgd.stepSchedules();
    }
    assertEquals(0.1 / 25 / 1e4, sgd.group("low").lrNow());
    assertEquals(
        "group 'low': OneCycle(0.004 to 0.1 to 4e-07 in 3 steps, pctStart 0.3, cosine, momentum"
            + " 0.95 to 0.85) has 3 steps and went through them all; attach another schedule, or"
            + " take it off with clearSchedule()",
        Fixture.refused(IllegalStateException.class, sgd::stepSchedules));
    assertEquals(3, sgd.group("high").scheduleStep());
  }

  @Test
  void combinationsEndWhereTheirPartsDo() {
    OneCycle ten = Schedules.oneCycle(0.1, 10);
    Schedule open = Schedules.exponential(0.5);
    assertEquals(13, Schedules.warmup(3, ten).steps());
    assertEquals(17, Schedules.sequential(List.of(open, ten), 7).steps());
    assertEquals(Long.MAX_VALUE, Schedules.sequential(List.of(ten, open), 7).steps());
    assertEquals(Long.MAX_VALUE, Schedules.warmup(3, open).steps());
    assertEquals(10, Schedules.chained(ten, open).steps());
  }

  // ---- momentum

  @Test
  void momentumHasABaseAndAValueInForce() {
    SGD sgd = sgd();
    sgd.schedule(Schedules.oneCycle(0.1, 10));
    ParamGroup<SGD.Options> low = sgd.group("low");
    assertEquals(0.5, low.options().momentum());
    assertEquals(0.95, low.optionsNow().momentum());
    sgd.stepSchedules();
    sgd.stepSchedules();
    assertEquals(0.85, low.optionsNow().momentum());
    assertTrue(sgd.toString().contains("\n    momentum: 0.85\n"), sgd.toString());
    assertTrue(sgd.describe().contains("momentum 0.85,"), sgd.describe());
    sgd.clearSchedule();
    assertEquals(0.5, low.optionsNow().momentum());
    assertEquals(0.25, low.optionsNow().lr());
  }

  @Test
  void betaOneMovesAndBetaTwoStaysThatOfEachGroup() {
    Adam adam =
        Adam.withDefaults()
            .group("low", named.matching("a"), o -> o.withBetas(0.8, 0.99))
            .group("high", named.others())
            .build();
    adam.schedule(Schedules.oneCycle(0.1, 10));
    for (double beta1 : new double[] {0.95, 0.9}) {
      Adam.Options low = adam.group("low").optionsNow();
      Adam.Options high = adam.group("high").optionsNow();
      assertEquals(beta1, low.beta1(), 1e-15);
      assertEquals(beta1, high.beta1(), 1e-15);
      assertEquals(List.of(0.99, 0.999), List.of(low.beta2(), high.beta2()));
      adam.stepSchedules();
    }
    assertEquals(0.8, adam.group("low").options().beta1());
  }

  @Test
  void aStepWithAMovedMomentumIsThatOfOneSetByHand() {
    NamedParameters one = Fixture.random(device, DType.F32, 3, "w");
    NamedParameters two = Fixture.random(device, DType.F32, 3, "w");
    OneCycle course = Schedules.oneCycle(0.1, 9).withPctStart(0.5);
    Adam scheduled = Adam.of(one);
    Adam byHand = Adam.of(two);
    scheduled.schedule(course);
    for (int t = 0; t < 9; t++) {
      int step = t;
      byHand
          .group("all")
          .options(o -> o.withLr(course.rate(step, 0)).withMomentum(course.momentum(step, 0)));
      Fixture.gradientOf(one.get("w"), t);
      Fixture.gradientOf(two.get("w"), t);
      scheduled.step();
      byHand.step();
      scheduled.stepSchedules();
      assertArrayEquals(two.get("w").toFloatArray(), one.get("w").toFloatArray());
    }
  }

  @Test
  void anSgdWithoutMomentumTakesThatOfTheSchedule() {
    SGD sgd = SGD.of(named);
    sgd.schedule(Schedules.cyclic(0.1, 0.2, 3));
    Fixture.gradientOf(named.get("a"), 1);
    sgd.step();
    assertEquals(
        Set.of("momentum_buffer"), sgd.stateDict().parameters().get("a").buffers().keySet());
    assertEquals(0, sgd.group("all").options().momentum());
  }

  @Test
  void aScheduleOfTheRateAloneLeavesTheMomentum() {
    SGD sgd = sgd();
    sgd.group("low").schedule(Schedules.oneCycle(0.1, 10).withFixedMomentum());
    sgd.group("high").schedule(Schedules.cyclic(1, 2, 3).withFixedMomentum());
    assertEquals(0.5, sgd.group("low").optionsNow().momentum());
    assertEquals(0.5, sgd.group("high").optionsNow().momentum());
  }

  @Test
  void combinationsMoveTheMomentumOfTheirParts() {
    Schedule one = Schedules.oneCycle(0.1, 10);
    Schedule still = Schedules.exponential(0.5);
    assertEquals(0.95, Schedules.warmup(3, one).momentum(2, 0.5));
    assertEquals(0.85, Schedules.warmup(3, one).momentum(5, 0.5));
    Schedule then = Schedules.sequential(List.of(still, one), 7);
    assertTrue(then.movesMomentum());
    assertEquals(0.5, then.momentum(6, 0.5));
    assertEquals(0.95, then.momentum(7, 0.5));
    assertEquals(0.85, Schedules.chained(one, still).momentum(2, 0.5));
    assertTrue(Schedules.chained(one, still).movesMomentum());
    assertTrue(!Schedules.warmup(3, still).movesMomentum());
  }

  @Test
  void aScheduleOfOnesOwnMayMoveTheMomentumFromItsBase() {
    SGD sgd = sgd();
    sgd.schedule(
        new Schedule() {
          @Override
          public double rate(long step, double base) {
            return base;
          }

          @Override
          public double momentum(long step, double base) {
            return base - step;
          }

          @Override
          public boolean movesMomentum() {
            return true;
          }
        });
    ParamGroup<SGD.Options> low = sgd.group("low");
    low.options(o -> o.withMomentum(0.75));
    assertEquals(0.75, low.optionsNow().momentum());
    sgd.stepSchedules();
    assertEquals(
        "group 'low': SGD momentum must be >= 0 but is -0.25; schedule custom made it at step 1 of"
            + " the momentum 0.75",
        Fixture.refused(IllegalArgumentException.class, sgd::step));
  }

  /** An optimizer that has no momentum. */
  private static final class Plain extends Optimizer<Plain.Options> {
    record Options(double lr) implements OptimizerOptions<Options> {
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

    private record Rule() implements UpdateRule<Options, Options> {
      @Override
      public List<String> buffers(Options options, Shape shape) {
        return List.of();
      }

      @Override
      public Options hyper(Options options, Progress progress) {
        return options;
      }

      @Override
      public Update<Options> prepare(Backend backend, List<Slot> slots) {
        return Update.of((hyperOfSlot, hypers) -> {}, () -> {});
      }
    }

    Plain(OptimizerBuilder<Options, Plain> builder) {
      super(builder, new Rule());
    }
  }

  @Test
  void whoHasNoMomentumRefusesAScheduleThatMovesIt() {
    Plain plain =
        new OptimizerBuilder<>("Plain", new Plain.Options(1), Plain::new)
            .group("all", named.all())
            .build();
    String cyclic =
        ": Cyclic(0.0, 1.0, up 2, down 2, triangular, momentum 0.9 to 0.8) moves the momentum or"
            + " beta1, and the options have neither; withFixedMomentum() makes a schedule of the"
            + " rate alone";
    Schedule moving = Schedules.cyclic(0, 1, 2);
    Class<IllegalArgumentException> wrong = IllegalArgumentException.class;
    assertEquals("Plain" + cyclic, Fixture.refused(wrong, () -> plain.schedule(moving)));
    assertEquals(
        "group 'all'" + cyclic, Fixture.refused(wrong, () -> plain.group("all").schedule(moving)));
    plain.schedule(Schedules.cyclic(0, 1, 2).withFixedMomentum());
    plain.stepSchedules();
    assertEquals(0.5, plain.group("all").optionsNow().lr());
  }

  // ---- by hand

  @Test
  void whatTheScheduleSetsCannotBeChangedByHand() {
    SGD sgd = sgd();
    ParamGroup<SGD.Options> low = sgd.group("low");
    sgd.schedule(Schedules.cyclic(0, 1, 2));
    Class<IllegalStateException> wrong = IllegalStateException.class;
    String text =
        "group 'low': lr cannot be changed by hand while Cyclic(0.0, 1.0, up 2, down 2, triangular,"
            + " momentum 0.9 to 0.8) sets it; the optimizer's clearSchedule() takes it off";
    assertEquals(text, Fixture.refused(wrong, () -> low.setLr(0.25)));
    assertEquals(text, Fixture.refused(wrong, () -> low.scaleLr(1)));
    assertEquals(text, Fixture.refused(wrong, () -> low.options(o -> o.withLr(3))));
    assertEquals(
        text.replace("lr cannot", "momentum cannot"),
        Fixture.refused(wrong, () -> low.options(o -> o.withMomentum(0.1))));
    assertEquals(0.25, low.lr());
    low.options(o -> o.withWeightDecay(0.125));
    assertEquals(0.125, low.optionsNow().weightDecay());

    low.schedule(Schedules.warmup(3, Schedules.oneCycle(0.1, 5).withFixedMomentum()));
    assertEquals(
        "group 'low': lr cannot be changed by hand while Warmup(3) then OneCycle(0.004 to 0.1 to"
            + " 4e-07 in 5 steps, pctStart 0.3, cosine) sets it; the group's clearSchedule() takes"
            + " it off",
        Fixture.refused(wrong, () -> low.scaleLr(0.5)));
    low.options(o -> o.withMomentum(0.1));
    low.schedule(Schedules.exponential(0.5));
    low.setLr(2);
    assertEquals(2, low.lrNow());
  }

  @Test
  void groupsHaveMaximaOfTheirOwnAndOneAddedLaterThatOfTheOptimizer() {
    SGD sgd = sgd();
    sgd.schedule(Schedules.oneCycle(0.1, 10));
    sgd.stepSchedules();
    sgd.group("high").schedule(Schedules.oneCycle(1, 10));
    sgd.addGroup("late", Fixture.random(device, DType.F32, 1, "c").all(), o -> o.withLr(8));
    sgd.stepSchedules();
    assertEquals(0.1, sgd.group("low").lrNow());
    assertEquals(0.1, sgd.group("late").lrNow());
    assertEquals(0.52, sgd.group("high").lrNow(), 1e-15);
  }

  // ---- texts

  @Test
  void valuesThatAreNotAllowedAreRefused() {
    Cyclic cyclic = Schedules.cyclic(0, 1, 2);
    refused("Cyclic baseLr must be >= 0 but is -1.0", () -> Schedules.cyclic(-1, 1, 2));
    refused("Cyclic maxLr must be finite but is Infinity", () -> Schedules.cyclic(0, 1 / 0.0, 2));
    refused("Cyclic stepSizeUp must be >= 1 but is 0", () -> Schedules.cyclic(0, 1, 0));
    refused("Cyclic stepSizeDown must be >= 1 but is 0", () -> cyclic.withStepSizeDown(0));
    refused("Cyclic gamma must be >= 0 but is NaN", () -> cyclic.withExpRange(Double.NaN));
    refused(
        "Cyclic mode must be one of [TRIANGULAR, TRIANGULAR2, EXP_RANGE] but is null",
        () -> new Cyclic(0, 1, 2, 2, null, 1, 0.8, 0.9, true));
    refused("Cyclic baseMomentum must be >= 0 but is -1.0", () -> cyclic.withMomentum(-1, 0));
    refused("Cyclic maxMomentum must be >= 0 but is -1.0", () -> cyclic.withMomentum(0, -1));
    OneCycle one = Schedules.oneCycle(1, 10);
    refused("OneCycle maxLr must be >= 0 but is -1.0", () -> Schedules.oneCycle(-1, 10));
    refused("OneCycle steps must be >= 1 but is 0", () -> Schedules.oneCycle(1, 0));
    refused("OneCycle pctStart must be in [0, 1] but is 1.5", () -> one.withPctStart(1.5));
    refused(
        "OneCycle pctStart must be in [0, 0.5] with three phases but is 0.75",
        () -> one.withPctStart(0.75).withThreePhases());
    refused("OneCycle divFactor must be > 0 but is 0.0", () -> one.withDivFactor(0));
    refused("OneCycle finalDivFactor must be > 0 but is 0.0", () -> one.withFinalDivFactor(0));
    refused("OneCycle baseMomentum must be >= 0 but is -1.0", () -> one.withMomentum(-1, 0));
    refused("OneCycle maxMomentum must be >= 0 but is -1.0", () -> one.withMomentum(0, -1));
  }

  private static void refused(String text, Executable action) {
    assertEquals(text, Fixture.refused(IllegalArgumentException.class, action));
  }

  @Test
  void theyPrintTheirNumbers() {
    assertEquals(
        "Cyclic(0.01, 0.05, up 2, down 3, exp_range 0.9, momentum 0.95 to 0.85)",
        Schedules.cyclic(0.01, 0.05, 2)
            .withStepSizeDown(3)
            .withExpRange(0.9)
            .withMomentum(0.85, 0.95)
            .toString());
    assertEquals(
        "Cyclic(0.01, 0.05, up 2, down 2, triangular2)",
        Schedules.cyclic(0.01, 0.05, 2).withTriangular2().withFixedMomentum().toString());
    assertEquals(
        "OneCycle(0.05 to 0.1 to 0.0125 in 10 steps, pctStart 0.25, linear, three phases)",
        Schedules.oneCycle(0.1, 10)
            .withPctStart(0.25)
            .withLinear()
            .withThreePhases()
            .withDivFactor(2)
            .withFinalDivFactor(4)
            .withFixedMomentum()
            .toString());
  }
}
