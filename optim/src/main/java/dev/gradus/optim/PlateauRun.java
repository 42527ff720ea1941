package dev.gradus.optim;

import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;

/** A {@link ReduceOnPlateau} that is attached: it goes on by a step when the metric has stalled. */
final class PlateauRun extends ScheduleRun {
  private static final String BEST = "best";
  private static final String BAD = "bad";
  private static final String COOLDOWN = "cooldown";

  private final ReduceOnPlateau plateau;
  private OptionalDouble best = OptionalDouble.empty();
  private long bad;
  private long cooldown;

  PlateauRun(String who, ReduceOnPlateau plateau) {
    super(who, plateau);
    this.plateau = plateau;
  }

  @Override
  void check(OptionalDouble metric) {
    if (metric.isEmpty()) {
      throw new IllegalStateException(
          who() + ": " + plateau + " needs a metric; call stepSchedules(metric)");
    }
  }

  @Override
  void advance(OptionalDouble metric) {
    if (plateau.isBetter(metric.getAsDouble(), best)) {
      best = metric;
      bad = 0;
    } else {
      bad++;
    }
    if (cooldown > 0) {
      cooldown--;
      bad = 0;
    }
    if (bad > plateau.patience()) {
      super.advance(metric);
      cooldown = plateau.cooldown();
      bad = 0;
    }
  }

  @Override
  Map<String, Double> state() {
    Map<String, Double> state = new TreeMap<>(super.state());
    state.put(BAD, (double) bad);
    state.put(COOLDOWN, (double) cooldown);
    best.ifPresent(b -> state.put(BEST, b));
    return state;
  }

  @Override
  void restore(Map<String, Double> state) {
    super.restore(state);
    bad = (long) (double) state.getOrDefault(BAD, 0.0);
    cooldown = (long) (double) state.getOrDefault(COOLDOWN, 0.0);
    best = OptionalDouble.empty();
    if (state.containsKey(BEST)) {
      best = OptionalDouble.of(state.get(BEST));
    }
  }

  @Override
  boolean isComplete(Map<String, Double> state) {
    Map<String, Double> step = new TreeMap<>(state);
    step.keySet().removeAll(Set.of(BEST, BAD, COOLDOWN));
    return super.isComplete(step)
        && count(state, BAD)
        && count(state, COOLDOWN)
        && Double.isFinite(state.getOrDefault(BEST, 0.0));
  }
}
