package dev.gradus.optim;

import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** A schedule that is attached, and how far it went. */
class ScheduleRun {
  private static final String STEP = "step";

  /** Up to here every whole number is a double. */
  private static final double EXACT = 0x1p53;

  private final String who;
  private final Schedule schedule;
  private long step;

  ScheduleRun(String who, Schedule schedule) {
    this.who = who;
    this.schedule = schedule;
  }

  /**
   * A schedule at its step 0.
   *
   * @param who to whom it is attached, in messages
   * @param options the options that it is to move
   * @throws IllegalArgumentException if it is null, or moves what the options do not have
   */
  static ScheduleRun start(String who, @Nullable Schedule schedule, OptimizerOptions<?> options) {
    if (schedule == null) {
      throw new IllegalArgumentException(
          who + ": the schedule is null; clearSchedule() takes a schedule off");
    }
    if (schedule.movesMomentum() && !(options instanceof OptimizerOptions.WithMomentum<?>)) {
      throw new IllegalArgumentException(
          who
              + ": "
              + Schedules.text(schedule)
              + " moves the momentum or beta1, and the options have neither; withFixedMomentum()"
              + " makes a schedule of the rate alone");
    }
    return schedule instanceof ReduceOnPlateau plateau
        ? new PlateauRun(who, plateau)
        : new ScheduleRun(who, schedule);
  }

  final String who() {
    return who;
  }

  final Schedule schedule() {
    return schedule;
  }

  final long step() {
    return step;
  }

  final double rate(double baseRate) {
    return schedule.rate(step, baseRate);
  }

  final double momentum(double baseMomentum) {
    return schedule.movesMomentum() ? schedule.momentum(step, baseMomentum) : baseMomentum;
  }

  // ---- advancing

  /** Refuses an advance that is not possible. */
  void check(OptionalDouble metric) {
    if (step >= schedule.steps()) {
      throw new IllegalStateException(
          who
              + ": "
              + Schedules.text(schedule)
              + " has "
              + schedule.steps()
              + " steps and went through them all; attach another schedule, or take it off with"
              + " clearSchedule()");
    }
  }

  /** Goes on by one step, whatever the metric is. */
  void advance(OptionalDouble metric) {
    step++;
  }

  // ---- state

  /** What has to be remembered to go on later: numbers by name. */
  Map<String, Double> state() {
    return Map.of(STEP, (double) step);
  }

  /** The state of a schedule, or of none: then it is empty. */
  static Map<String, Double> stateOf(@Nullable ScheduleRun run) {
    return run == null ? Map.of() : run.state();
  }

  /** Goes on from a state that fits; an empty one is that of a schedule that begins. */
  void restore(Map<String, Double> state) {
    step = (long) (double) state.getOrDefault(STEP, 0.0);
  }

  /** Whether a state is of a schedule of this kind, or of one that begins. */
  final boolean fits(Map<String, Double> state) {
    return state.isEmpty() || isComplete(state);
  }

  /** Whether a state has the numbers of this kind of schedule and no others. */
  boolean isComplete(Map<String, Double> state) {
    return state.size() == 1 && count(state, STEP);
  }

  /** Whether a state has a whole number, 0 or more, under this name. */
  static boolean count(Map<String, Double> state, String name) {
    double x = state.getOrDefault(name, Double.NaN);
    return x >= 0 && x == Math.rint(x) && x <= EXACT;
  }
}
