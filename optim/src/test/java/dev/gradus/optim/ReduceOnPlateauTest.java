package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.tensor.Device;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ReduceOnPlateauTest {
  private static final ReduceOnPlateau AT_ONCE =
      Schedules.reduceOnPlateau().withFactor(0.5).withPatience(0);

  private Device device;
  private SGD sgd;
  private ParamGroup<SGD.Options> all;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    sgd = SGD.of(Fixture.random(device, DType.F32, 0, "a"), o -> o.withLr(8));
    all = sgd.group("all");
  }

  @AfterEach
  void close() {
    device.close();
  }

  private void rates(ReduceOnPlateau plateau, double[] metrics, double... expected) {
    sgd.schedule(plateau);
    for (int i = 0; i < metrics.length; i++) {
      sgd.stepSchedules(metrics[i]);
      assertEquals(expected[i], all.lrNow(), "after metric " + i + " of " + plateau);
    }
  }

  @Test
  void patienceIsHowManyBadMetricsArePutUpWith() {
    double[] metrics = {3, 3, 3, 3, 3, 3, 2, 2};
    rates(AT_ONCE, metrics, 8, 4, 2, 1, 0.5, 0.25, 0.25, 0.125);
    rates(AT_ONCE.withPatience(2), metrics, 8, 8, 8, 4, 4, 4, 4, 4);
  }

  @Test
  void metricsInTheCooldownAreNotCounted() {
    rates(AT_ONCE.withCooldown(2), new double[] {3, 3, 3, 3, 3, 3, 3}, 8, 4, 4, 4, 2, 2, 2);
  }

  @Test
  void anImprovementBeatsTheBestByTheThreshold() {
    double[] falling = {1, 0.75, 0.7, 0.5};
    rates(AT_ONCE.withRelativeThreshold(0.25), falling, 8, 4, 4, 4);
    rates(AT_ONCE.withAbsoluteThreshold(0.25), falling, 8, 4, 4, 2);
    rates(AT_ONCE.withAbsoluteThreshold(0.2), falling, 8, 8, 4, 4);
    double[] rising = {1, 1.25, 1.3, 2};
    rates(AT_ONCE.withMaximize(true).withRelativeThreshold(0.25), rising, 8, 4, 4, 4);
    rates(AT_ONCE.withMaximize(true).withAbsoluteThreshold(0.25), rising, 8, 4, 4, 4);
    rates(AT_ONCE.withMaximize(true), new double[] {1, 0.5, 2}, 8, 4, 4);
  }

  @Test
  void aMetricThatIsNotFiniteIsNoImprovement() {
    double[] metrics = {Double.NaN, 1, Double.NEGATIVE_INFINITY, 1, 0.5};
    rates(AT_ONCE, metrics, 4, 4, 2, 1, 1);
    rates(AT_ONCE.withMaximize(true), new double[] {1, Double.POSITIVE_INFINITY, 2}, 8, 4, 4);
  }

  @Test
  void theMinimumHoldsAndABaseRateBelowItStays() {
    double[] metrics = {1, 1, 1, 1};
    rates(AT_ONCE.withMinimum(3), metrics, 8, 4, 3, 3);
    rates(AT_ONCE.withMinimum(10), metrics, 8, 8, 8, 8);
  }

  @Test
  void aReductionOfNoMoreThanEpsIsNotMade() {
    rates(AT_ONCE.withEps(2), new double[] {1, 1, 1, 1}, 8, 4, 4, 4);
  }

  @Test
  void aRateChangedByHandIsReducedAsOften() {
    rates(AT_ONCE, new double[] {1, 1, 1}, 8, 4, 2);
    all.setLr(40);
    assertEquals(10, all.lrNow());
    assertEquals(2, all.scheduleStep());
    sgd.stepSchedules(1);
    assertEquals(5, all.lrNow());
    assertEquals(40, all.lr());
  }

  @Test
  void groupsHaveMinimaOfTheirOwn() {
    sgd.addGroup("late", Fixture.random(device, DType.F32, 1, "b").all(), o -> o.withLr(6));
    rates(AT_ONCE, new double[] {1, 1}, 8, 4);
    sgd.group("late").schedule(AT_ONCE.withMinimum(2));
    for (int i = 0; i < 4; i++) {
      sgd.stepSchedules(1);
    }
    assertEquals(0.25, all.lrNow());
    assertEquals(2, sgd.group("late").lrNow());
  }

  @Test
  void aGroupAddedLaterIsReducedAsOften() {
    rates(AT_ONCE, new double[] {1, 1, 1}, 8, 4, 2);
    sgd.addGroup("late", Fixture.random(device, DType.F32, 1, "b").all(), o -> o.withLr(40));
    assertEquals(10, sgd.group("late").lrNow());
    sgd.stepSchedules(1);
    assertEquals(5, sgd.group("late").lrNow());
  }

  @Test
  void otherSchedulesGoOnByOneWhateverTheMetricIs() {
    sgd.addGroup("late", Fixture.random(device, DType.F32, 1, "b").all());
    sgd.schedule(AT_ONCE);
    sgd.group("late").schedule(Schedules.exponential(0.5));
    sgd.stepSchedules(1);
    sgd.stepSchedules(1);
    assertEquals(2, sgd.group("late").scheduleStep());
    assertEquals(1, all.scheduleStep());
  }

  @Test
  void withoutAMetricNothingIsAdvanced() {
    sgd.addGroup("late", Fixture.random(device, DType.F32, 1, "b").all());
    sgd.schedule(Schedules.exponential(0.5));
    sgd.group("late").schedule(AT_ONCE);
    assertEquals(
        "group 'late': ReduceOnPlateau(min, factor 0.5, patience 0, threshold 0.0001 relative,"
            + " cooldown 0, minimum 0.0, eps 1e-08) needs a metric; call stepSchedules(metric)",
        Fixture.refused(IllegalStateException.class, sgd::stepSchedules));
    assertEquals(0, all.scheduleStep());
  }

  @Test
  void valuesThatAreNotAllowedAreRefused() {
    ReduceOnPlateau p = Schedules.reduceOnPlateau();
    refused("factor must be in [0, 1) but is 1.0", () -> p.withFactor(1));
    refused("patience must be >= 0 but is -1", () -> p.withPatience(-1));
    refused("cooldown must be >= 0 but is -1", () -> p.withCooldown(-1));
    refused("minimum must be >= 0 but is NaN", () -> p.withMinimum(Double.NaN));
    refused("eps must be >= 0 but is -1.0", () -> p.withEps(-1));
    refused("relative threshold must be in [0, 1) but is 1.0", () -> p.withRelativeThreshold(1));
    refused("absolute threshold must be >= 0 but is -1.0", () -> p.withAbsoluteThreshold(-1));
  }

  private static void refused(String rule, Executable action) {
    assertEquals(
        "ReduceOnPlateau " + rule, Fixture.refused(IllegalArgumentException.class, action));
  }

  @Test
  void itPrintsItsNumbers() {
    assertEquals(
        "ReduceOnPlateau(max, factor 0.5, patience 0, threshold 0.25 absolute, cooldown 2, minimum"
            + " 0.001, eps 0.0)",
        AT_ONCE
            .withMaximize(true)
            .withAbsoluteThreshold(0.25)
            .withCooldown(2)
            .withMinimum(1e-3)
            .withEps(0)
            .toString());
  }
}
