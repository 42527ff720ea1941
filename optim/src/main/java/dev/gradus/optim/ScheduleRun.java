package dev.gradus.optim;

import org.jspecify.annotations.Nullable;

/** A schedule that is attached, and how far it went. */
final class ScheduleRun {
  private final Schedule schedule;
  private long step;

  private ScheduleRun(Schedule schedule) {
    this.schedule = schedule;
  }

  /** A schedule at its step 0; null is refused in the name of whom it was given to. */
  static ScheduleRun start(String who, @Nullable Schedule schedule) {
    if (schedule == null) {
      throw new IllegalArgumentException(
          who + ": the schedule is null; clearSchedule() takes a schedule off");
    }
    return new ScheduleRun(schedule);
  }

  Schedule schedule() {
    return schedule;
  }

  long step() {
    return step;
  }

  void advance() {
    step++;
  }

  void goTo(long reached) {
    step = reached;
  }

  double rate(double baseRate) {
    return schedule.rate(step, baseRate);
  }
}
