package dev.gradus.optim;

/**
 * A course of the learning rate: a function from a step and a group's base rate to the rate in
 * force. {@link Schedules} makes the usual ones.
 *
 * <p>It is attached to an optimizer, for all its groups and those added later ({@link
 * Optimizer#schedule}), or to one group ({@link ParamGroup#schedule(Schedule)}). Its step is 0 when
 * it is attached, and {@link Optimizer#stepSchedules()} adds one, after an epoch or after each
 * optimizer step, as the schedule is meant.
 *
 * <p>Tables and messages print its {@code toString()}; one that has none of its own, a lambda, is
 * {@code custom}.
 *
 * <p>A change by hand and a schedule do not fight: {@link ParamGroup#setLr} changes the base rate,
 * and the schedule goes on from there as if the group had always had it.
 */
@FunctionalInterface
public interface Schedule {
  /**
   * The rate in force.
   *
   * @param step how often the schedule was advanced since it was attached: 0, 1, …
   * @param baseRate the group's base rate, as the user last set it
   */
  double rate(long step, double baseRate);
}
