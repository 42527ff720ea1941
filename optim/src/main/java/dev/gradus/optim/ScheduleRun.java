package dev.gradus.optim;

/** A schedule that is attached, and how far it went. */
final class ScheduleRun {
  private final Schedule schedule;
  private long step;

  ScheduleRun(Schedule schedule) {
    this.schedule = schedule;
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
