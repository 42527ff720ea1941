package dev.gradus.optim;

import java.util.Arrays;
import java.util.function.LongToDoubleFunction;

/**
 * The usual schedules. Each is a closed form of PyTorch's scheduler of that name: e is the step, B
 * the group's base rate. A base rate that is changed by hand is what the form uses from then on.
 */
public final class Schedules {
  private Schedules() {}

  /**
   * {@code B factor(e)}: any course as a factor of the base rate (LambdaLR).
   *
   * @param factor a function of the step alone
   */
  public static Schedule lambda(LongToDoubleFunction factor) {
    return new Lambda(factor);
  }

  /**
   * {@code B gamma^(e / stepSize)}, whole divisions: a decay every stepSize steps (StepLR).
   *
   * @param stepSize at least 1
   * @param gamma at least 0
   */
  public static Schedule step(long stepSize, double gamma) {
    return new Step(stepSize, gamma);
  }

  /**
   * {@code B gamma^(number of milestones <= e)} (MultiStepLR).
   *
   * @param gamma at least 0
   * @param milestones steps, each at least 0; one that is repeated counts again
   */
  public static Schedule multiStep(double gamma, long... milestones) {
    return new MultiStep(gamma, milestones);
  }

  /**
   * {@code B gamma^e} (ExponentialLR).
   *
   * @param gamma at least 0
   */
  public static Schedule exponential(double gamma) {
    return new Exponential(gamma);
  }

  /**
   * {@code B (start + (end - start) min(e, total) / total)} (LinearLR).
   *
   * @param start the factor at step 0, at least 0
   * @param end the factor from step total on, at least 0
   * @param total at least 1
   */
  public static Schedule linear(double start, double end, long total) {
    return new Linear(start, end, total);
  }

  /**
   * Linear warm-up: {@code B (e + 1) / steps} until the base rate is reached at step {@code steps -
   * 1}.
   *
   * @param steps at least 1
   */
  public static Schedule warmup(long steps) {
    return new Warmup(steps, new Base());
  }

  /**
   * Linear warm-up, then another schedule, whose own step 0 comes after the {@code steps} of the
   * warm-up. The warm-up ends at what that schedule starts with.
   *
   * @param steps at least 1
   */
  public static Schedule warmup(long steps, Schedule then) {
    return new Warmup(steps, then);
  }

  /**
   * {@code minimum + (B - minimum) (1 + cos(pi e / period)) / 2} (CosineAnnealingLR). After period
   * steps it rises again. A base rate below the minimum, 0 included, makes it rise to the minimum:
   * freeze parameters to stop them.
   *
   * <p>Source: arXiv:1608.03983, equation 5, without restarts.
   *
   * @param period steps from the base rate to the least, at least 1
   * @param minimum the least rate, at least 0
   */
  public static Schedule cosine(long period, double minimum) {
    return new Cosine(period, minimum);
  }

  /** A schedule as it is printed: in its own words, or {@code custom} where it has none. */
  static String text(Schedule schedule) {
    String words = schedule.toString();
    String inherited =
        schedule.getClass().getName() + "@" + Integer.toHexString(schedule.hashCode());
    return inherited.equals(words) ? "custom" : words;
  }

  private record Base() implements Schedule {
    @Override
    public double rate(long step, double base) {
      return base;
    }
  }

  private record Lambda(LongToDoubleFunction factor) implements Schedule {
    @Override
    public double rate(long step, double base) {
      return base * factor.applyAsDouble(step);
    }

    @Override
    public String toString() {
      return "Lambda";
    }
  }

  private record Step(long stepSize, double gamma) implements Schedule {
    Step {
      OptionChecks.positive("Schedules.step", "stepSize", stepSize);
      OptionChecks.atLeastZero("Schedules.step", "gamma", gamma);
    }

    @Override
    public double rate(long step, double base) {
      long decays = step / stepSize;
      return base * Math.pow(gamma, (double) decays);
    }

    @Override
    public String toString() {
      return "Step(" + stepSize + ", " + PythonFormat.of(gamma) + ")";
    }
  }

  private static final class MultiStep implements Schedule {
    private final double gamma;
    private final long[] milestones;

    MultiStep(double gamma, long[] milestones) {
      OptionChecks.atLeastZero("Schedules.multiStep", "gamma", gamma);
      for (long m : milestones) {
        OptionChecks.atLeastZero("Schedules.multiStep", "milestone", (double) m);
      }
      this.gamma = gamma;
      this.milestones = milestones.clone();
    }

    @Override
    public double rate(long step, double base) {
      int passed = 0;
      for (long m : milestones) {
        passed += m <= step ? 1 : 0;
      }
      return base * Math.pow(gamma, passed);
    }

    @Override
    public String toString() {
      return "MultiStep(" + PythonFormat.of(gamma) + ", " + Arrays.toString(milestones) + ")";
    }
  }

  private record Exponential(double gamma) implements Schedule {
    Exponential {
      OptionChecks.atLeastZero("Schedules.exponential", "gamma", gamma);
    }

    @Override
    public double rate(long step, double base) {
      return base * Math.pow(gamma, (double) step);
    }

    @Override
    public String toString() {
      return "Exponential(" + PythonFormat.of(gamma) + ")";
    }
  }

  private record Linear(double start, double end, long total) implements Schedule {
    Linear {
      OptionChecks.atLeastZero("Schedules.linear", "start", start);
      OptionChecks.atLeastZero("Schedules.linear", "end", end);
      OptionChecks.positive("Schedules.linear", "total", total);
    }

    @Override
    public double rate(long step, double base) {
      return base * (start + (end - start) * Math.min(step, total) / total);
    }

    @Override
    public String toString() {
      return "Linear(" + PythonFormat.of(start) + ", " + PythonFormat.of(end) + ", " + total + ")";
    }
  }

  private record Warmup(long steps, Schedule then) implements Schedule {
    Warmup {
      OptionChecks.positive("Schedules.warmup", "steps", steps);
    }

    @Override
    public double rate(long step, double base) {
      return step < steps ? then.rate(0, base) * (step + 1) / steps : then.rate(step - steps, base);
    }

    @Override
    public String toString() {
      return "Warmup(" + steps + ")" + (then instanceof Base ? "" : " then " + text(then));
    }
  }

  private record Cosine(long period, double minimum) implements Schedule {
    Cosine {
      OptionChecks.positive("Schedules.cosine", "period", period);
      OptionChecks.atLeastZero("Schedules.cosine", "minimum", minimum);
    }

    @Override
    public double rate(long step, double base) {
      return minimum + (base - minimum) * (1 + Math.cos(Math.PI * step / period)) / 2;
    }

    @Override
    public String toString() {
      return "Cosine(" + period + ", " + PythonFormat.of(minimum) + ")";
    }
  }
}
