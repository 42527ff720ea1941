package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Strictness;
import dev.gradus.tensor.Device;
import dev.gradus.types.DType;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What schedules remember: saved in the middle, they go on where they were. */
class ScheduleStateTest {
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

  static Stream<Schedule> schedules() {
    Schedule exponential = Schedules.exponential(0.9);
    Schedule cosine = Schedules.cosine(5, 0.001);
    return Stream.of(
        Schedules.lambda(e -> 1.0 / (e + 1)),
        Schedules.multiplicative(e -> 1 - 0.1 / e),
        Schedules.step(3, 0.1),
        Schedules.multiStep(0.1, 2, 9),
        Schedules.constant(0.5, 9),
        Schedules.linear(0.25, 1, 11),
        exponential,
        Schedules.polynomial(17, 2),
        cosine,
        Schedules.cosineWarmRestarts(3, 2, 0.001),
        Schedules.cyclic(0.01, 0.05, 3).withTriangular2(),
        Schedules.oneCycle(0.1, 2 * STEPS),
        Schedules.reduceOnPlateau().withPatience(1).withCooldown(2).withFactor(0.5),
        Schedules.sequential(List.of(exponential, cosine), STEPS + 2),
        Schedules.chained(exponential, cosine),
        Schedules.warmup(STEPS + 2, exponential));
  }

  private NamedParameters model() {
    return Fixture.random(device, DType.F32, 3, "emb.weight", "emb.bias", "head.weight");
  }

  private static Adam adam(NamedParameters named, Schedule all, Schedule head) {
    Adam adam =
        Adam.withDefaults()
            .group("head", named.matching("head.**"), o -> o.withLr(0.1))
            .group("rest", named.others())
            .build();
    adam.schedule(all);
    adam.group("head").schedule(head);
    return adam;
  }

  private static void train(Adam adam, NamedParameters named, int from) {
    for (int t = from; t < from + STEPS; t++) {
      for (int i = 0; i < named.size(); i++) {
        Fixture.gradientOf(named.parameters().get(i), 10L * t + i);
      }
      adam.step();
      adam.stepSchedules(1.0 / Math.min(t + 1, STEPS - 3));
    }
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void saveAndLoadInTheMiddleIsAsIfItHadNeverStopped(Schedule schedule) {
    NamedParameters through = model();
    Adam one = adam(through, schedule, Schedules.step(4, 0.5));
    train(one, through, 0);
    OptimizerState state = one.stateDict();
    String middle = one.describe();
    NamedParameters resumed = model();
    for (String name : resumed.names()) {
      resumed.get(name).assign(through.get(name));
    }
    train(one, through, STEPS);
    assertNotEquals(middle, one.describe());

    Adam two = adam(resumed, schedule, Schedules.step(4, 0.5));
    two.loadStateDict(state);
    assertEquals(middle, two.describe());
    train(two, resumed, STEPS);
    assertEquals(one.describe(), two.describe());
    assertEquals(one.stateDict().schedule(), two.stateDict().schedule());
    for (String name : through.names()) {
      assertArrayEquals(through.get(name).toFloatArray(), resumed.get(name).toFloatArray(), name);
    }
  }

  @Test
  void aStateIsNumbersByName() {
    NamedParameters named = model();
    ReduceOnPlateau plateau = Schedules.reduceOnPlateau().withPatience(0).withCooldown(3);
    Adam adam = adam(named, plateau, Schedules.step(4, 0.5));
    assertEquals(Map.of("step", 0.0, "bad", 0.0, "cooldown", 0.0), adam.stateDict().schedule());
    adam.stepSchedules(0.75);
    adam.stepSchedules(0.875);
    OptimizerState state = adam.stateDict();
    assertEquals(Map.of("step", 1.0, "bad", 0.0, "cooldown", 3.0, "best", 0.75), state.schedule());
    assertEquals(Map.of("step", 2.0), state.groups().get(0).schedule());
    assertEquals(Map.of(), state.groups().get(1).schedule());
  }

  @Test
  void aStateWithoutSchedulesLetsThemBeginAnew() {
    NamedParameters named = model();
    OptimizerState plain =
        Adam.withDefaults()
            .group("head", named.matching("head.**"))
            .group("rest", named.others())
            .build()
            .stateDict();
    ReduceOnPlateau plateau = Schedules.reduceOnPlateau().withPatience(0).withCooldown(3);
    Adam adam = adam(named, plateau, Schedules.step(4, 0.5));
    OptimizerState begin = adam.stateDict();
    adam.stepSchedules(1);
    adam.stepSchedules(2);
    assertNotEquals(begin.schedule(), adam.stateDict().schedule());
    adam.loadStateDict(plain);
    assertEquals(begin.schedule(), adam.stateDict().schedule());
    assertEquals(0, adam.group("head").scheduleStep());
  }

  @Test
  void anotherKindOfScheduleDoesNotGoOnWhereOneWas() {
    NamedParameters named = model();
    Adam adam = adam(named, Schedules.exponential(0.9), Schedules.step(4, 0.5));
    train(adam, named, 0);
    OptimizerState state = adam.stateDict();
    adam.group("head").schedule(Schedules.reduceOnPlateau());
    assertEquals(
        """
        Adam.loadStateDict: the state does not fit:
          the schedule of group 'head' went to {step=7.0} but ReduceOnPlateau(min, factor 0.1, \
        patience 10, threshold 0.0001 relative, cooldown 0, minimum 0.0, eps 1e-08) is attached, \
        which has no such state; attach the one that was saved\
        """,
        Fixture.refused(IllegalArgumentException.class, () -> adam.loadStateDict(state)));
    assertEquals(STEPS, adam.stepsOf(named.get("emb.bias")));
    adam.stepSchedules(1);
    adam.loadStateDict(state, Strictness.LENIENT);
    assertEquals(STEPS, adam.group("rest").scheduleStep());
    assertEquals(1.0, adam.stateDict().groups().get(0).schedule().get("best"));
  }

  @Test
  void numbersThatNoScheduleHasAreRefused() {
    NamedParameters named = model();
    Adam adam = adam(named, Schedules.exponential(0.9), Schedules.reduceOnPlateau());
    OptimizerState good = adam.stateDict();
    for (double wrong : new double[] {-1, 0.5, Double.NaN, 1e300}) {
      OptimizerState state =
          new OptimizerState(good.kind(), Map.of("step", wrong), good.groups(), good.parameters());
      assertEquals(
          "Adam.loadStateDict: the state does not fit:\n  the schedule of the optimizer went to"
              + " {step="
              + wrong
              + "} but Exponential(0.9) is attached, which has no such state; attach the one that"
              + " was saved",
          Fixture.refused(IllegalArgumentException.class, () -> adam.loadStateDict(state)));
    }
    ScheduleRun plateau = adam.group("head").ownRun();
    assertTrue(plateau.fits(Map.of("step", 1.0, "bad", 2.0, "cooldown", 0.0)));
    assertTrue(plateau.fits(Map.of("step", 1.0, "bad", 2.0, "cooldown", 0.0, "best", -0.5)));
    assertFalse(plateau.fits(Map.of("step", 1.0, "bad", 2.0)));
    assertFalse(plateau.fits(Map.of("step", 1.0, "bad", 2.0, "cooldown", 0.0, "best", Double.NaN)));
    assertFalse(plateau.fits(Map.of("step", 1.0, "bad", 2.0, "cooldown", 0.0, "worst", 1.0)));
  }

  @Test
  void milestonesAreThoseOfTheProgramAfterALoad() {
    NamedParameters named = model();
    Adam adam = adam(named, Schedules.multiStep(0.1, 3), Schedules.step(4, 0.5));
    adam.stepSchedules();
    adam.stepSchedules();
    OptimizerState state = adam.stateDict();
    adam.schedule(Schedules.multiStep(0.1, 2, 5));
    adam.loadStateDict(state);
    assertEquals(1e-3 * 0.1, adam.group("rest").lrNow());
  }
}
