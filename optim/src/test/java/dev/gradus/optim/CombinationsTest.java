package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Warm-ups, sequences and chains of schedules. */
class CombinationsTest {
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
  void schedulesInSequenceBeginAtTheirOwnStepZero() {
    Schedule exponential = Schedules.exponential(0.5);
    Schedule three =
        Schedules.sequential(List.of(Schedules.constant(0.25, 9), exponential, exponential), 2, 4);
    double[] expected = {0.25, 0.25, 1, 0.5, 1, 0.5, 0.25};
    for (int e = 0; e < expected.length; e++) {
      assertEquals(expected[e], three.rate(e, 1));
    }
  }

  @Test
  void aMilestoneMayBeZeroOrCoverAnother() {
    Schedule exponential = Schedules.exponential(0.5);
    Schedule none = Schedules.sequential(List.of(Schedules.constant(0.25, 9), exponential), 0);
    assertEquals(1, none.rate(0, 1));
    assertEquals(0.5, none.rate(1, 1));
    Schedule covered =
        Schedules.sequential(
            List.of(exponential, Schedules.constant(0.25, 9), Schedules.linear(0.5, 1, 2)), 1, 1);
    assertEquals(0.5, covered.rate(1, 1));
    assertEquals(0.75, covered.rate(2, 1));
  }

  @Test
  void aChainIsEachOfWhatTheOneBeforeMakes() {
    Schedule chain = Schedules.chained(Schedules.exponential(0.5), Schedules.cosine(2, 0.25));
    assertEquals(1, chain.rate(0, 1));
    assertEquals(0.25 + (0.5 - 0.25) / 2, chain.rate(1, 1), 1e-15);
    assertEquals(0.25, chain.rate(2, 1));
  }

  @Test
  void combinationsRefuseWhatCannotBeTheirPart() {
    Class<IllegalArgumentException> wrong = IllegalArgumentException.class;
    Schedule open = Schedules.exponential(0.5);
    String plateau =
        ": ReduceOnPlateau(min, factor 0.1, patience 10, threshold 0.0001 relative, cooldown 0,"
            + " minimum 0.0, eps 1e-08) goes by a metric and not by steps, and cannot be a part;"
            + " attach it by itself, at the step where it shall begin";
    Schedule byMetric = Schedules.reduceOnPlateau();
    assertEquals(
        "Schedules.sequential" + plateau,
        Fixture.refused(wrong, () -> Schedules.sequential(List.of(open, byMetric), 3)));
    assertEquals(
        "Schedules.chained" + plateau,
        Fixture.refused(wrong, () -> Schedules.chained(open, byMetric)));
    assertEquals(
        "Schedules.warmup" + plateau, Fixture.refused(wrong, () -> Schedules.warmup(3, byMetric)));
    assertEquals(
        "Schedules.sequential: there are no schedules; give at least one",
        Fixture.refused(wrong, () -> Schedules.sequential(List.of())));
    assertEquals(
        "Schedules.sequential: there are 2 schedules and 0 milestones; each schedule but the first"
            + " begins at one",
        Fixture.refused(wrong, () -> Schedules.sequential(List.of(open, open))));
    assertEquals(
        "Schedules.sequential: the milestones are [5, 3]; they must be >= 0 and not fall",
        Fixture.refused(wrong, () -> Schedules.sequential(List.of(open, open, open), 5, 3)));
    assertEquals(
        "Schedules.sequential: the milestones are [-1]; they must be >= 0 and not fall",
        Fixture.refused(wrong, () -> Schedules.sequential(List.of(open, open), -1)));
    assertEquals(
        "Schedules.chained: OneCycle(0.004 to 0.1 to 4e-07 in 9 steps, pctStart 0.3, cosine,"
            + " momentum 0.95 to 0.85) sets the rates itself, so that those before it have no"
            + " effect; put it first",
        Fixture.refused(wrong, () -> Schedules.chained(open, Schedules.oneCycle(0.1, 9))));
  }
}
