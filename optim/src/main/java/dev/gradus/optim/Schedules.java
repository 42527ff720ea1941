package dev.gradus.optim;

import java.util.Arrays;
import java.util.List;
import java.util.function.LongToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The usual schedules. Each is a closed form of PyTorch's scheduler of the name in parentheses: e
 * is the step, B the group's base rate.
 *
 * <p>A base rate that is changed by hand is what the form uses from then on, so that the rate in
 * force is what it would be had the group always had it; PyTorch's scheduler goes on from the rate
 * in force, or overwrites it. {@link #cyclic} and {@link #oneCycle} have rates of their own, and do
 * not let it be changed.
 */
public final class Schedules {
  private Schedules() {}

  // ---- factors of the base rate

  /**
   * {@code B factor(e)}: any course as a factor of the base rate (LambdaLR). A rate changed by hand
   * is multiplied by the same factors.
   *
   * @param factor a function of the step alone
   */
  public static Schedule lambda(LongToDoubleFunction factor) {
    return new Decays.Lambda(factor);
  }

  /**
   * {@code B factor(1) factor(2) … factor(e)} (MultiplicativeLR). A rate changed by hand is
   * multiplied by the factors so far, and by those to come.
   *
   * @param factor a function of the step alone
   */
  public static Schedule multiplicative(LongToDoubleFunction factor) {
    return new Decays.Multiplicative(factor);
  }

  /**
   * {@code B gamma^(e / stepSize)}, whole divisions: a decay every stepSize steps (StepLR). A rate
   * changed by hand has all decays so far applied.
   *
   * @param stepSize at least 1
   * @param gamma at least 0
   */
  public static Schedule step(long stepSize, double gamma) {
    return new Decays.Step(stepSize, gamma);
  }

  /**
   * {@code B gamma^(number of milestones <= e)} (MultiStepLR). A rate changed by hand has all
   * decays so far applied.
   *
   * @param gamma at least 0
   * @param milestones steps, each at least 0; one that is repeated counts again
   */
  public static Schedule multiStep(double gamma, long... milestones) {
    return new Decays.MultiStep(gamma, milestones);
  }

  /**
   * {@code B factor} for the first steps, then {@code B} (ConstantLR). A rate changed by hand is
   * multiplied by the factor while that lasts.
   *
   * @param factor at least 0
   * @param total for how many steps, at least 0
   */
  public static Schedule constant(double factor, long total) {
    return new Decays.Constant(factor, total);
  }

  /**
   * {@code B (start + (end - start) min(e, total) / total)} (LinearLR). A rate changed by hand is
   * multiplied by the factor of the step.
   *
   * @param start the factor at step 0, at least 0
   * @param end the factor from step total on, at least 0
   * @param total at least 1
   */
  public static Schedule linear(double start, double end, long total) {
    return new Decays.Linear(start, end, total);
  }

  /**
   * {@code B gamma^e} (ExponentialLR). A rate changed by hand has all decays so far applied.
   *
   * @param gamma at least 0
   */
  public static Schedule exponential(double gamma) {
    return new Decays.Exponential(gamma);
  }

  /**
   * {@code B (1 - min(e, total) / total)^power}: to 0 in total steps (PolynomialLR). A rate changed
   * by hand is multiplied by the factor of the step.
   *
   * @param total at least 1
   * @param power at least 0
   */
  public static Schedule polynomial(long total, double power) {
    return new Decays.Polynomial(total, power);
  }

  // ---- cosines

  /**
   * {@code minimum + (B - minimum) (1 + cos(pi e / period)) / 2} (CosineAnnealingLR). After period
   * steps it rises again. A base rate below the minimum, 0 included, makes it rise to the minimum:
   * freeze parameters to stop them. A rate changed by hand is where the cosine begins.
   *
   * <p>Source: arXiv:1608.03983, equation 5, without restarts.
   *
   * @param period steps from the base rate to the least, at least 1
   * @param minimum the least rate, at least 0
   */
  public static Schedule cosine(long period, double minimum) {
    return new Cosines.Cosine(period, minimum);
  }

  /**
   * {@code minimum + (B - minimum) (1 + cos(pi t / T)) / 2}, t steps after the last restart
   * (CosineAnnealingWarmRestarts). T is the period at first, and {@code multiplier} times as long
   * after each restart. The restart comes where the minimum would be reached, so the least rate is
   * a little above it. A rate changed by hand is where the cosines begin.
   *
   * <p>Source: arXiv:1608.03983, equation 5.
   *
   * @param period steps until the first restart, at least 1; to restart within an epoch, count in
   *     optimizer steps
   * @param multiplier how many times as long each period is as the one before, at least 1
   * @param minimum the least rate, at least 0
   */
  public static Schedule cosineWarmRestarts(long period, long multiplier, double minimum) {
    return new Cosines.WarmRestarts(period, multiplier, minimum);
  }

  // ---- rates of their own

  /**
   * Up and down between two rates, with the momentum the other way (CyclicLR): triangles of equal
   * height, momentum between 0.9 and 0.8, unless its {@code with…} methods say otherwise. A rate
   * cannot be changed by hand.
   *
   * @param baseLr the rate at the bottom, at least 0
   * @param maxLr the rate at the top, at least 0
   * @param stepSize steps from one to the other, at least 1
   */
  public static Cyclic cyclic(double baseLr, double maxLr, long stepSize) {
    return Cyclic.between(baseLr, maxLr, stepSize);
  }

  /**
   * Up to a rate and far down in a given number of steps, with the momentum the other way
   * (OneCycleLR): from maxLr / 25 to maxLr in the first 0.3 of the steps, to maxLr / 250000 in the
   * others, along cosines, with a momentum from 0.95 to 0.85 and back, unless its {@code with…}
   * methods say otherwise. A rate cannot be changed by hand.
   *
   * @param maxLr the greatest rate, at least 0
   * @param steps how many optimizer steps there will be, at least 1
   */
  public static OneCycle oneCycle(double maxLr, long steps) {
    return OneCycle.to(maxLr, steps);
  }

  // ---- by a metric

  /**
   * A reduction by the factor 0.1 after more than 10 metrics without an improvement
   * (ReduceLROnPlateau), unless its {@code with…} methods say otherwise. A rate changed by hand is
   * reduced as often as the one before.
   */
  public static ReduceOnPlateau reduceOnPlateau() {
    return ReduceOnPlateau.defaults();
  }

  // ---- combinations

  /**
   * Linear warm-up: {@code B (e + 1) / steps} until the base rate is reached at step {@code steps -
   * 1}. A rate changed by hand is multiplied by the factor of the step.
   *
   * @param steps at least 1
   */
  public static Schedule warmup(long steps) {
    return new Combinations.Warmup(steps, new Combinations.Base());
  }

  /**
   * Linear warm-up, then another schedule, whose own step 0 comes after the {@code steps} of the
   * warm-up. The warm-up ends at what that schedule starts with.
   *
   * @param steps at least 1
   * @param then any but a {@link ReduceOnPlateau}; what it does with a rate changed by hand holds
   */
  public static Schedule warmup(long steps, Schedule then) {
    return new Combinations.Warmup(steps, then);
  }

  /**
   * Schedules one after the other, each from its own step 0 and the base rate (SequentialLR). A
   * rate changed by hand is the base rate of that which is on, and of those to come; where one of
   * them sets the rates itself, it cannot be changed.
   *
   * @param schedules at least one, none a {@link ReduceOnPlateau}
   * @param milestones the step at which each but the first begins, each at least the one before; of
   *     two that begin together, the later is on
   */
  public static Schedule sequential(List<Schedule> schedules, long... milestones) {
    return new Combinations.Sequence(schedules, milestones);
  }

  /**
   * Schedules at the same time, each of the rate that the one before makes, so that factors
   * multiply (ChainedScheduler). A rate changed by hand is the base rate of the first, and cannot
   * be changed where that sets the rates itself.
   *
   * @param schedules at least one, none a {@link ReduceOnPlateau}; one that sets the rates itself
   *     comes first
   */
  public static Schedule chained(Schedule... schedules) {
    return new Combinations.Chain(Arrays.asList(schedules));
  }

  // ---- texts

  /** A schedule as it is printed: in its own words, or {@code custom} where it has none. */
  static String text(Schedule schedule) {
    String words = schedule.toString();
    String inherited =
        schedule.getClass().getName() + "@" + Integer.toHexString(schedule.hashCode());
    return inherited.equals(words) ? "custom" : words;
  }

  static void requireGiven(String who, String what, @Nullable Object given) {
    if (given == null) {
      throw new IllegalArgumentException(who + ": the " + what + " is null; give one");
    }
  }
}
