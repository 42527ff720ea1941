package dev.gradus.optim;

/**
 * A course of the learning rate: a function from a step and a group's base rate to the rate in
 * force. It may move the momentum, or beta1 in its place, too. {@link Schedules} makes the usual
 * ones.
 *
 * <p>It is attached to an optimizer, for all its groups and those added later ({@link
 * Optimizer#schedule}), or to one group ({@link ParamGroup#schedule(Schedule)}). Its step is 0 when
 * it is attached, and {@link Optimizer#stepSchedules()} adds one, after an epoch or after each
 * optimizer step, as the schedule is meant. A schedule is a value: how far it went is kept where it
 * is attached, so one may be attached to several groups and optimizers.
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

  /**
   * The momentum in force, where {@link #movesMomentum()}.
   *
   * @param step as for the rate
   * @param baseMomentum the group's momentum, or beta1, as the user last set it
   */
  default double momentum(long step, double baseMomentum) {
    return baseMomentum;
  }

  /** Whether it moves the momentum; options that have none refuse it then. */
  default boolean movesMomentum() {
    return false;
  }

  /**
   * Whether it has rates of its own, and momenta where it moves them, and does not ask for the base
   * ones: these cannot be changed by hand while it is attached.
   */
  default boolean setsRates() {
    return false;
  }

  /** How many steps it has; it cannot be advanced further. */
  default long steps() {
    return Long.MAX_VALUE;
  }
}
