package dev.gradus.optim;

import java.util.OptionalDouble;

/**
 * A schedule that reduces the rates when a metric has stopped improving (PyTorch's
 * ReduceLROnPlateau): it is advanced with {@link Optimizer#stepSchedules(double)}, after an epoch.
 *
 * <p>A metric is an improvement where it is better than the best so far by the threshold. After
 * more than {@code patience} metrics in a row without one the rate is reduced; the {@code cooldown}
 * metrics that follow are not counted. A metric that is not finite is no improvement.
 *
 * <p>Its step counts reductions, so that the rate in force is the base rate reduced that often:
 * each time {@code max(factor rate, minimum)}, unless that is less by no more than eps. A base rate
 * that is changed by hand is reduced as often.
 *
 * <p>Groups may have each its own, with a minimum of its own. What is remembered, the best metric
 * and the counts, is part of the optimizer's state.
 *
 * @param maximize whether a greater metric is better
 * @param factor what a reduction multiplies the rate by, in [0, 1)
 * @param patience metrics without improvement that are put up with, at least 0
 * @param threshold how much better an improvement is, at least 0, and below 1 if relative
 * @param relative whether the threshold is a part of the best metric; for metrics below 0 it must
 *     not be
 * @param cooldown metrics after a reduction that are not counted, at least 0
 * @param minimum the least rate, at least 0; a base rate below it is not reduced
 * @param eps the least change of a rate that is made, at least 0
 */
public record ReduceOnPlateau(
    boolean maximize,
    double factor,
    long patience,
    double threshold,
    boolean relative,
    long cooldown,
    double minimum,
    double eps)
    implements Schedule {
  private static final String WHO = "ReduceOnPlateau";

  /**
   * A schedule with these values.
   *
   * @throws IllegalArgumentException if a value is not allowed
   */
  public ReduceOnPlateau {
    OptionChecks.decayRate(WHO, "factor", factor);
    OptionChecks.atLeastZero(WHO, "patience", patience);
    OptionChecks.atLeastZero(WHO, "cooldown", cooldown);
    OptionChecks.atLeastZero(WHO, "minimum", minimum);
    OptionChecks.atLeastZero(WHO, "eps", eps);
    if (relative) {
      OptionChecks.decayRate(WHO, "relative threshold", threshold);
    } else {
      OptionChecks.atLeastZero(WHO, "absolute threshold", threshold);
    }
  }

  /** Factor 0.1, patience 10, a relative threshold of 0.0001, eps 1e-8; lesser is better. */
  static ReduceOnPlateau defaults() {
    return new ReduceOnPlateau(false, 0.1, 10, 1e-4, true, 0, 0, 1e-8);
  }

  /** This schedule for a metric of which more is better, or less. */
  public ReduceOnPlateau withMaximize(boolean on) {
    return new ReduceOnPlateau(on, factor, patience, threshold, relative, cooldown, minimum, eps);
  }

  /** This schedule with another factor. */
  public ReduceOnPlateau withFactor(double x) {
    return new ReduceOnPlateau(maximize, x, patience, threshold, relative, cooldown, minimum, eps);
  }

  /** This schedule with another patience. */
  public ReduceOnPlateau withPatience(long metrics) {
    return new ReduceOnPlateau(
        maximize, factor, metrics, threshold, relative, cooldown, minimum, eps);
  }

  /** This schedule with a threshold that is a part of the best metric. */
  public ReduceOnPlateau withRelativeThreshold(double x) {
    return new ReduceOnPlateau(maximize, factor, patience, x, true, cooldown, minimum, eps);
  }

  /** This schedule with a threshold in the metric's own unit. */
  public ReduceOnPlateau withAbsoluteThreshold(double x) {
    return new ReduceOnPlateau(maximize, factor, patience, x, false, cooldown, minimum, eps);
  }

  /** This schedule with another cooldown. */
  public ReduceOnPlateau withCooldown(long metrics) {
    return new ReduceOnPlateau(
        maximize, factor, patience, threshold, relative, metrics, minimum, eps);
  }

  /** This schedule with another least rate. */
  public ReduceOnPlateau withMinimum(double x) {
    return new ReduceOnPlateau(maximize, factor, patience, threshold, relative, cooldown, x, eps);
  }

  /** This schedule with another eps. */
  public ReduceOnPlateau withEps(double x) {
    return new ReduceOnPlateau(
        maximize, factor, patience, threshold, relative, cooldown, minimum, x);
  }

  /**
   * The rate after reductions.
   *
   * @param step the number of reductions
   */
  @Override
  public double rate(long step, double baseRate) {
    double rate = baseRate;
    for (long k = 0; k < step; k++) {
      double reduced = Math.max(factor * rate, minimum);
      if (!(rate - reduced > eps)) {
        return rate;
      }
      rate = reduced;
    }
    return rate;
  }

  boolean isBetter(double metric, OptionalDouble best) {
    if (!Double.isFinite(metric)) {
      return false;
    }
    if (best.isEmpty()) {
      return true;
    }
    double sign = maximize ? 1 : -1;
    double old = best.getAsDouble();
    double needed = relative ? old * (1 + sign * threshold) : old + sign * threshold;
    return maximize ? metric > needed : metric < needed;
  }

  @Override
  public String toString() {
    return "ReduceOnPlateau("
        + (maximize ? "max" : "min")
        + ", factor "
        + PythonFormat.of(factor)
        + ", patience "
        + patience
        + ", threshold "
        + PythonFormat.of(threshold)
        + (relative ? " relative" : " absolute")
        + ", cooldown "
        + cooldown
        + ", minimum "
        + PythonFormat.of(minimum)
        + ", eps "
        + PythonFormat.of(eps)
        + ")";
  }
}
