package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.gradus.nn.NamedParameters;
import dev.gradus.tensor.Device;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SchedulesTest {
  private Device device;
  private SGD sgd;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    NamedParameters named = Fixture.random(device, DType.F32, 0, "a", "b");
    sgd =
        SGD.withDefaults()
            .group("low", named.matching("a"), o -> o.withLr(0.05))
            .group("high", named.others(), o -> o.withLr(0.5))
            .build();
  }

  @AfterEach
  void close() {
    device.close();
  }

  @Test
  void aHandChangeMovesTheBaseAndTheScheduleGoesOn() {
    sgd.schedule(Schedules.exponential(0.5));
    ParamGroup<SGD.Options> low = sgd.group("low");
    sgd.stepSchedules();
    assertEquals(0.025, low.lrNow());
    low.setLr(7);
    assertEquals(7, low.lr());
    assertEquals(3.5, low.lrNow());
    low.scaleLr(2);
    sgd.stepSchedules();
    assertEquals(14, low.lr());
    assertEquals(3.5, low.lrNow());
    assertEquals(3.5, low.optionsNow().lr());
    assertEquals(14, low.options().lr());
  }

  @Test
  void aGroupsOwnScheduleComesBeforeTheOptimizers() {
    sgd.schedule(Schedules.exponential(0.5));
    sgd.stepSchedules();
    sgd.group("high").schedule(Schedules.step(1, 0.1));
    assertEquals(0.5, sgd.group("high").lrNow());
    sgd.stepSchedules();
    assertEquals(0.05, sgd.group("high").lrNow(), 1e-17);
    assertEquals(0.0125, sgd.group("low").lrNow());
    assertEquals(2, sgd.group("low").scheduleStep());
    assertEquals(1, sgd.group("high").scheduleStep());
  }

  @Test
  void aGroupAddedLaterIsScheduledToo() {
    sgd.schedule(Schedules.exponential(0.5));
    sgd.stepSchedules();
    sgd.addGroup("late", Fixture.random(device, DType.F32, 1, "c").all(), o -> o.withLr(8));
    assertEquals(4, sgd.group("late").lrNow());
  }

  @Test
  void aRateThatAScheduleMayNotGiveIsRefusedAtTheStep() {
    sgd.group("low").schedule(Schedules.lambda(e -> Double.NaN));
    assertEquals(
        "group 'low': SGD lr must be >= 0 but is NaN; schedule Lambda made it at step 0 of the base"
            + " rate 0.05",
        Fixture.refused(IllegalArgumentException.class, sgd::step));
    sgd.group("low").schedule((step, base) -> -base);
    assertEquals(
        "group 'low': SGD lr must be >= 0 but is -0.05; schedule custom made it at step 0 of the"
            + " base rate 0.05",
        Fixture.refused(IllegalArgumentException.class, sgd::step));
    sgd.group("low").clearSchedule();
    sgd.schedule(Schedules.warmup(2, Schedules.lambda(e -> 1.0 - e)));
    for (int e = 0; e < 4; e++) {
      sgd.step();
      sgd.stepSchedules();
    }
    assertEquals(
        "group 'low': SGD lr must be >= 0 but is -0.05; schedule Warmup(2) then Lambda made it at"
            + " step 4 of the base rate 0.05",
        Fixture.refused(IllegalArgumentException.class, sgd::step));
  }

  @Test
  void aScheduleThatIsTakenOffLeavesTheBaseRateOrTheOptimizersSchedule() {
    ParamGroup<SGD.Options> low = sgd.group("low");
    sgd.schedule(Schedules.exponential(0.5));
    low.schedule(Schedules.exponential(0.1));
    sgd.stepSchedules();
    assertEquals(0.005, low.optionsNow().lr(), 1e-18); // a rounding of 0.05 * 0.1
    low.clearSchedule();
    assertEquals(0.025, low.optionsNow().lr());
    assertEquals(1, low.scheduleStep());
    sgd.clearSchedule();
    sgd.stepSchedules();
    assertEquals(0.05, low.optionsNow().lr());
    assertEquals(0.5, sgd.group("high").lrNow());
    assertNull(low.schedule());
    assertEquals(0, low.scheduleStep());
  }

  @Test
  void aScheduleThatIsNullIsRefusedAndTheOldOneStays() {
    Schedule old = Schedules.exponential(0.5);
    sgd.schedule(old);
    assertEquals(
        "SGD: the schedule is null; clearSchedule() takes a schedule off",
        Fixture.refused(IllegalArgumentException.class, () -> sgd.schedule(null)));
    assertEquals(
        "group 'low': the schedule is null; clearSchedule() takes a schedule off",
        Fixture.refused(IllegalArgumentException.class, () -> sgd.group("low").schedule(null)));
    assertSame(old, sgd.group("low").schedule());
  }

  // ---- every schedule of the base rate

  static Stream<Schedule> ofTheBaseRate() {
    Schedule exponential = Schedules.exponential(0.9);
    Schedule cosine = Schedules.cosine(5, 0.001);
    return Stream.of(
        Schedules.lambda(e -> 1.0 / (e + 1)),
        Schedules.multiplicative(e -> 1 - 0.25 / e),
        Schedules.step(3, 0.1),
        Schedules.multiStep(0.1, 2, 5),
        Schedules.constant(0.5, 4),
        Schedules.linear(0.25, 1, 11),
        exponential,
        Schedules.polynomial(17, 2),
        cosine,
        Schedules.cosineWarmRestarts(3, 2, 0.001),
        Schedules.sequential(List.of(exponential, cosine), 3),
        Schedules.chained(exponential, cosine),
        Schedules.warmup(4, exponential));
  }

  @ParameterizedTest
  @MethodSource("ofTheBaseRate")
  void aRateChangedByHandIsWhatTheScheduleGoesOnFrom(Schedule schedule) {
    sgd.schedule(schedule);
    for (int e = 0; e < 5; e++) {
      sgd.stepSchedules();
    }
    ParamGroup<SGD.Options> low = sgd.group("low");
    low.setLr(0.5);
    for (int e = 5; e < 12; e++) {
      assertEquals(sgd.group("high").lrNow(), low.lrNow());
      assertEquals(schedule.rate(e, 0.5), low.lrNow());
      assertEquals(low.lrNow(), low.optionsNow().lr());
      sgd.stepSchedules();
    }
    assertEquals(0.5, low.lr());
  }

  @ParameterizedTest
  @MethodSource("ofTheBaseRate")
  void aGroupAddedLaterIsScheduledAsIfItHadAlwaysBeenThere(Schedule schedule) {
    sgd.schedule(schedule);
    for (int e = 0; e < 5; e++) {
      sgd.stepSchedules();
    }
    sgd.addGroup("late", Fixture.random(device, DType.F32, 1, "c").all(), o -> o.withLr(0.5));
    for (int e = 5; e < 12; e++) {
      assertEquals(sgd.group("high").lrNow(), sgd.group("late").lrNow());
      sgd.stepSchedules();
    }
  }

  @ParameterizedTest
  @MethodSource("ofTheBaseRate")
  void askingForARateDoesNotChangeIt(Schedule schedule) {
    sgd.schedule(schedule);
    double[] rates = new double[12];
    for (int e = 0; e < rates.length; e++) {
      rates[e] = sgd.group("low").lrNow();
      assertEquals(rates[e], sgd.group("low").lrNow());
      sgd.stepSchedules();
    }
    for (int e = rates.length - 1; e >= 0; e--) {
      assertEquals(rates[e], schedule.rate(e, 0.05));
    }
    assertEquals(0.05, sgd.group("low").lr());
  }

  @Test
  void twoOptimizersShareAScheduleAndNotItsStep() {
    Schedule shared = Schedules.multiplicative(e -> 0.5);
    SGD other = SGD.of(Fixture.random(device, DType.F32, 1, "c"), o -> o.withLr(4));
    sgd.schedule(shared);
    sgd.stepSchedules();
    sgd.stepSchedules();
    assertEquals(0.125, sgd.group("high").lrNow());
    other.schedule(shared);
    assertEquals(4, other.group("all").lrNow());
    other.stepSchedules();
    assertEquals(2, other.group("all").lrNow());
    assertEquals(0.125, sgd.group("high").lrNow());
  }

  @Test
  void aScheduleAttachedLaterBeginsWithTheBaseRate() {
    sgd.schedule(Schedules.exponential(0.5));
    sgd.stepSchedules();
    sgd.schedule(Schedules.linear(0.5, 1, 3));
    assertEquals(0.25, sgd.group("high").lrNow());
    assertEquals(0, sgd.group("high").scheduleStep());
  }

  @Test
  void withoutAScheduleTheRateIsWhatTheHandSetBitForBit() {
    NamedParameters one = Fixture.random(device, DType.F32, 3, "w");
    NamedParameters two = Fixture.random(device, DType.F32, 3, "w");
    SGD changed = SGD.of(one, o -> o.withMomentum(0.9).withLr(0.1));
    SGD fixed = SGD.of(two, o -> o.withMomentum(0.9).withLr(0.1));
    changed.schedule(Schedules.lambda(e -> e + 1.0));
    changed.clearSchedule();
    for (int t = 0; t < 6; t++) {
      if (t == 3) {
        changed.group("all").setLr(0.03);
        // the rate alone: momentum buffers and counts stay
        OptimizerState state = fixed.stateDict();
        fixed = SGD.of(two, o -> o.withMomentum(0.9).withLr(0.03));
        fixed.loadStateDict(withLr(state, 0.03));
      }
      Fixture.gradientOf(one.get("w"), t);
      Fixture.gradientOf(two.get("w"), t);
      changed.step();
      fixed.step();
      changed.stepSchedules();
      assertArrayEquals(two.get("w").toFloatArray(), one.get("w").toFloatArray());
    }
  }

  private static OptimizerState withLr(OptimizerState state, double lr) {
    OptimizerState.Group all = state.groups().get(0);
    TreeMap<String, Object> options = new TreeMap<>(all.options());
    options.put("lr", lr);
    return new OptimizerState(
        state.kind(),
        state.schedule(),
        List.of(new OptimizerState.Group("all", all.parameters(), options, all.schedule())),
        state.parameters());
  }

  // ---- closed forms

  /** A rate from that of the step before, as PyTorch's chainable schedulers compute it. */
  private interface Recursion {
    double next(long e, double rate);
  }

  private static void follows(Schedule closed, double start, Recursion recursion) {
    double rate = start;
    for (long e = 0; e < 40; e++) {
      rate = e == 0 ? start : recursion.next(e, rate);
      // each step of the recursion rounds a few times
      assertEquals(rate, closed.rate(e, 2), 2e-15 * (e + 1), closed + " at " + e);
    }
  }

  @Test
  void closedFormsAreWhatStepByStepComesOut() {
    double gamma = 0.9;
    follows(Schedules.multiplicative(e -> 1 - 0.25 / e), 2, (e, r) -> r * (1 - 0.25 / e));
    follows(Schedules.step(3, gamma), 2, (e, r) -> e % 3 == 0 ? r * gamma : r);
    follows(
        Schedules.multiStep(gamma, 2, 7, 7),
        2,
        (e, r) -> e == 2 ? r * gamma : e == 7 ? r * gamma * gamma : r);
    follows(Schedules.constant(0.25, 7), 0.5, (e, r) -> e == 7 ? r * 4 : r);
    follows(
        Schedules.linear(0.25, 0.75, 7),
        0.5,
        (e, r) -> e <= 7 ? r * (1 + 0.5 / (7 * 0.25 + (e - 1) * 0.5)) : r);
    follows(Schedules.exponential(gamma), 2, (e, r) -> r * gamma);
    follows(
        Schedules.polynomial(7, 1.5),
        2,
        (e, r) -> e <= 7 ? r * Math.pow((1 - e / 7.0) / (1 - (e - 1) / 7.0), 1.5) : r);
  }

  @Test
  void aCosineStepByStepIsItsClosedForm() {
    double least = 0.25;
    int period = 7;
    follows(
        Schedules.cosine(period, least),
        2,
        (e, r) -> {
          if ((e - 1 - period) % (2 * period) == 0) {
            return r + (2 - least) * (1 - Math.cos(Math.PI / period)) / 2;
          }
          double now = 1 + Math.cos(Math.PI * e / period);
          double before = 1 + Math.cos(Math.PI * (e - 1) / period);
          return now / before * (r - least) + least;
        });
  }

  @Test
  void aCosineReachesItsMinimumAndRestartsInItsPlace() {
    assertEquals(0.25, Schedules.cosine(7, 0.25).rate(7, 2));
    Schedule restarts = Schedules.cosineWarmRestarts(7, 1, 0.25);
    assertEquals(2, restarts.rate(7, 2));
    assertEquals(0.25 + 1.75 * (1 + Math.cos(Math.PI * 6 / 7)) / 2, restarts.rate(6, 2));
    Schedule once = Schedules.cosineWarmRestarts(4, 1L << 62, 0.25);
    assertEquals(2, once.rate(4, 2));
    assertEquals(2, once.rate(1L << 30, 2), 1e-12);
  }

  @Test
  void restartsComeAfterPeriodsThatGrow() {
    Schedule restarts = Schedules.cosineWarmRestarts(3, 2, 0);
    for (long restart : new long[] {0, 3, 9, 21, 45, 3L * ((1L << 40) - 1)}) {
      assertEquals(2, restarts.rate(restart, 2), "restart at " + restart);
    }
    assertEquals(1, restarts.rate(6, 2), 1e-15);
    assertEquals(1, restarts.rate(15, 2), 1e-15);
  }

  @Test
  void whatIsNullIsRefused() {
    Class<IllegalArgumentException> wrong = IllegalArgumentException.class;
    assertEquals(
        "Schedules.lambda: the factor is null; give one",
        Fixture.refused(wrong, () -> Schedules.lambda(null)));
    assertEquals(
        "Schedules.multiplicative: the factor is null; give one",
        Fixture.refused(wrong, () -> Schedules.multiplicative(null)));
    assertEquals(
        "Schedules.warmup: the schedule is null; give one",
        Fixture.refused(wrong, () -> Schedules.warmup(3, null)));
    assertEquals(
        "Schedules.sequential: the list of schedules is null; give one",
        Fixture.refused(wrong, () -> Schedules.sequential(null)));
  }

  @Test
  void invalidValuesAreRefused() {
    Class<IllegalArgumentException> wrong = IllegalArgumentException.class;
    assertEquals(
        "Schedules.step stepSize must be >= 1 but is 0",
        Fixture.refused(wrong, () -> Schedules.step(0, 0.1)));
    assertEquals(
        "Schedules.exponential gamma must be >= 0 but is -1.0",
        Fixture.refused(wrong, () -> Schedules.exponential(-1)));
    assertEquals(
        "Schedules.multiStep milestone must be >= 0 but is -2",
        Fixture.refused(wrong, () -> Schedules.multiStep(0.1, -2)));
    assertEquals(
        "Schedules.linear total must be >= 1 but is 0",
        Fixture.refused(wrong, () -> Schedules.linear(0, 1, 0)));
    assertEquals(
        "Schedules.cosine minimum must be >= 0 but is NaN",
        Fixture.refused(wrong, () -> Schedules.cosine(3, Double.NaN)));
    assertEquals(
        "Schedules.warmup steps must be >= 1 but is 0",
        Fixture.refused(wrong, () -> Schedules.warmup(0)));
    assertEquals(
        "Schedules.constant total must be >= 0 but is -1",
        Fixture.refused(wrong, () -> Schedules.constant(0.5, -1)));
    assertEquals(
        "Schedules.polynomial power must be >= 0 but is -1.0",
        Fixture.refused(wrong, () -> Schedules.polynomial(3, -1)));
    assertEquals(
        "Schedules.cosineWarmRestarts period must be >= 1 but is 0",
        Fixture.refused(wrong, () -> Schedules.cosineWarmRestarts(0, 1, 0)));
    assertEquals(
        "Schedules.cosineWarmRestarts multiplier must be >= 1 but is 0",
        Fixture.refused(wrong, () -> Schedules.cosineWarmRestarts(3, 0, 0)));
  }

  @Test
  void schedulesPrintTheirNumbers() {
    assertEquals(
        List.of(
            "Step(3, 0.1)",
            "MultiStep(0.1, [2, 5])",
            "Exponential(0.9)",
            "Linear(0.25, 1.0, 4)",
            "Warmup(4)",
            "Warmup(4) then Cosine(4, 0.001)",
            "Warmup(4) then custom",
            "Lambda",
            "Multiplicative",
            "Constant(0.5, 4)",
            "Polynomial(4, 2.0)",
            "CosineWarmRestarts(3, 2, 0.001)",
            "Sequential([Constant(0.5, 4), custom], [3])",
            "Chained([Constant(0.5, 4), Exponential(0.9)])"),
        List.of(
            Schedules.step(3, 0.1).toString(),
            Schedules.multiStep(0.1, 2, 5).toString(),
            Schedules.exponential(0.9).toString(),
            Schedules.linear(0.25, 1, 4).toString(),
            Schedules.warmup(4).toString(),
            Schedules.warmup(4, Schedules.cosine(4, 0.001)).toString(),
            Schedules.warmup(4, (step, base) -> base).toString(),
            Schedules.lambda(e -> 1).toString(),
            Schedules.multiplicative(e -> 1).toString(),
            Schedules.constant(0.5, 4).toString(),
            Schedules.polynomial(4, 2).toString(),
            Schedules.cosineWarmRestarts(3, 2, 0.001).toString(),
            Schedules.sequential(List.of(Schedules.constant(0.5, 4), (step, base) -> base), 3)
                .toString(),
            Schedules.chained(Schedules.constant(0.5, 4), Schedules.exponential(0.9)).toString()));
  }
}
