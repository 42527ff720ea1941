package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.gradus.nn.NamedParameters;
import dev.gradus.tensor.Device;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

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
  void warmupReachesTheBaseRateAtItsLastStep() {
    Schedule warmup = Schedules.warmup(4);
    double[] expected = {0.25, 0.5, 0.75, 1, 1, 1};
    for (int e = 0; e < expected.length; e++) {
      assertEquals(2 * expected[e], warmup.rate(e, 2));
    }
  }

  @Test
  void warmupIsFollowedByTheStepZeroOfWhatComesThen() {
    Schedule both = Schedules.warmup(2, Schedules.exponential(0.5));
    double[] expected = {0.5, 1, 1, 0.5, 0.25};
    for (int e = 0; e < expected.length; e++) {
      assertEquals(expected[e], both.rate(e, 1));
    }
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
            "Lambda"),
        List.of(
            Schedules.step(3, 0.1).toString(),
            Schedules.multiStep(0.1, 2, 5).toString(),
            Schedules.exponential(0.9).toString(),
            Schedules.linear(0.25, 1, 4).toString(),
            Schedules.warmup(4).toString(),
            Schedules.warmup(4, Schedules.cosine(4, 0.001)).toString(),
            Schedules.warmup(4, (step, base) -> base).toString(),
            Schedules.lambda(e -> 1).toString()));
  }
}
