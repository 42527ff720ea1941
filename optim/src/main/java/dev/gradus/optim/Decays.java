package dev.gradus.optim;

import java.util.Arrays;
import java.util.function.LongToDoubleFunction;

/** Schedules that are a factor of the base rate. */
final class Decays {
  private Decays() {}

  record Lambda(LongToDoubleFunction factor) implements Schedule {
    Lambda {
      Schedules.requireGiven("Schedules.lambda", "factor", factor);
    }

    @Override
    public double rate(long step, double base) {
      return base * factor.applyAsDouble(step);
    }

    @Override
    public String toString() {
      return "Lambda";
    }
  }

  static final class Multiplicative implements Schedule {
    private final LongToDoubleFunction factor;

    /* The product up to a step, so that a step more costs one factor more. Groups and optimizers may
    share it: whoever comes too late only multiplies again, in the same order. */
    private Reached reached = new Reached(0, 1);

    private record Reached(long step, double product) {}

    Multiplicative(LongToDoubleFunction factor) {
      Schedules.requireGiven("Schedules.multiplicative", "factor", factor);
      this.factor = factor;
    }

    @Override
    public double rate(long step, double base) {
      Reached last = reached;
      boolean ahead = last.step > step;
      double product = ahead ? 1 : last.product;
      for (long e = ahead ? 1 : last.step + 1; e <= step; e++) {
        product *= factor.applyAsDouble(e);
      }
      reached = new Reached(step, product);
      return base * product;
    }

    @Override
    public String toString() {
      return "Multiplicative";
    }
  }

  record Step(long stepSize, double gamma) implements Schedule {
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

  static final class MultiStep implements Schedule {
    private final double gamma;
    private final long[] milestones;

    MultiStep(double gamma, long[] milestones) {
      OptionChecks.atLeastZero("Schedules.multiStep", "gamma", gamma);
      for (long m : milestones) {
        OptionChecks.atLeastZero("Schedules.multiStep", "milestone", m);
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

  record Constant(double factor, long total) implements Schedule {
    Constant {
      OptionChecks.atLeastZero("Schedules.constant", "factor", factor);
      OptionChecks.atLeastZero("Schedules.constant", "total", total);
    }

    @Override
    public double rate(long step, double base) {
      return step < total ? base * factor : base;
    }

    @Override
    public String toString() {
      return "Constant(" + PythonFormat.of(factor) + ", " + total + ")";
    }
  }

  record Linear(double start, double end, long total) implements Schedule {
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

  record Exponential(double gamma) implements Schedule {
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

  record Polynomial(long total, double power) implements Schedule {
    Polynomial {
      OptionChecks.positive("Schedules.polynomial", "total", total);
      OptionChecks.atLeastZero("Schedules.polynomial", "power", power);
    }

    @Override
    public double rate(long step, double base) {
      double left = 1 - (double) Math.min(step, total) / total;
      return base * Math.pow(left, power);
    }

    @Override
    public String toString() {
      return "Polynomial(" + total + ", " + PythonFormat.of(power) + ")";
    }
  }
}
