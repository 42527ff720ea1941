package dev.gradus.optim;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Schedules that are made of others. */
final class Combinations {
  private Combinations() {}

  /** Parts that are given and go by steps. */
  private static List<Schedule> checked(String who, List<Schedule> parts) {
    Schedules.requireGiven(who, "list of schedules", parts);
    if (parts.isEmpty()) {
      throw new IllegalArgumentException(who + ": there are no schedules; give at least one");
    }
    for (Schedule part : parts) {
      Schedules.requireGiven(who, "schedule", part);
      if (part instanceof ReduceOnPlateau) {
        throw new IllegalArgumentException(
            who
                + ": "
                + part
                + " goes by a metric and not by steps, and cannot be a part; attach it by itself,"
                + " at the step where it shall begin");
      }
    }
    return List.copyOf(parts);
  }

  private static boolean anyMovesMomentum(List<Schedule> parts) {
    return parts.stream().anyMatch(Schedule::movesMomentum);
  }

  private static boolean anySetsRates(List<Schedule> parts) {
    return parts.stream().anyMatch(Schedule::setsRates);
  }

  /** A number of steps after others; without an end where the sum has none. */
  private static long after(long begin, long steps) {
    return steps > Long.MAX_VALUE - begin ? Long.MAX_VALUE : begin + steps;
  }

  private static String texts(List<Schedule> parts) {
    return parts.stream().map(Schedules::text).toList().toString();
  }

  /** One after the other, each from its own step 0. */
  static final class Sequence implements Schedule {
    private static final String WHO = "Schedules.sequential";
    private final List<Schedule> parts;
    private final long[] milestones;

    Sequence(List<Schedule> parts, long[] milestones) {
      this.parts = checked(WHO, parts);
      this.milestones = milestones.clone();
      if (milestones.length != parts.size() - 1) {
        throw new IllegalArgumentException(
            WHO
                + ": there are "
                + parts.size()
                + " schedules and "
                + milestones.length
                + " milestones; each schedule but the first begins at one");
      }
      long last = 0;
      for (long m : milestones) {
        if (m < last) {
          throw new IllegalArgumentException(
              WHO
                  + ": the milestones are "
                  + Arrays.toString(milestones)
                  + "; they must be >= 0 and not fall");
        }
        last = m;
      }
    }

    private int at(long step) {
      int part = 0;
      while (part < milestones.length && milestones[part] <= step) {
        part++;
      }
      return part;
    }

    private long begin(int part) {
      return part == 0 ? 0 : milestones[part - 1];
    }

    @Override
    public double rate(long step, double base) {
      int part = at(step);
      return parts.get(part).rate(step - begin(part), base);
    }

    @Override
    public double momentum(long step, double base) {
      int part = at(step);
      return parts.get(part).momentum(step - begin(part), base);
    }

    @Override
    public boolean movesMomentum() {
      return anyMovesMomentum(parts);
    }

    @Override
    public boolean setsRates() {
      return anySetsRates(parts);
    }

    @Override
    public long steps() {
      int last = milestones.length;
      return after(begin(last), parts.get(last).steps());
    }

    @Override
    public String toString() {
      return "Sequential(" + texts(parts) + ", " + Arrays.toString(milestones) + ")";
    }
  }

  /** All at once: each takes what the one before makes as its base. */
  static final class Chain implements Schedule {
    private static final String WHO = "Schedules.chained";
    private final List<Schedule> parts;

    Chain(List<Schedule> parts) {
      this.parts = checked(WHO, parts);
      for (Schedule part : this.parts.subList(1, parts.size())) {
        if (part.setsRates()) {
          throw new IllegalArgumentException(
              WHO
                  + ": "
                  + Schedules.text(part)
                  + " sets the rates itself, so that those before it have no effect; put it first");
        }
      }
    }

    @Override
    public double rate(long step, double base) {
      double rate = base;
      for (int i = 0; i < parts.size(); i++) {
        rate = parts.get(i).rate(step, rate);
      }
      return rate;
    }

    @Override
    public double momentum(long step, double base) {
      double momentum = base;
      for (int i = 0; i < parts.size(); i++) {
        momentum = parts.get(i).momentum(step, momentum);
      }
      return momentum;
    }

    @Override
    public boolean movesMomentum() {
      return anyMovesMomentum(parts);
    }

    @Override
    public boolean setsRates() {
      return anySetsRates(parts);
    }

    @Override
    public long steps() {
      return parts.stream().mapToLong(Schedule::steps).min().orElse(Long.MAX_VALUE);
    }

    @Override
    public String toString() {
      return "Chained(" + texts(parts) + ")";
    }
  }

  /** What a warm-up alone goes to. */
  record Base() implements Schedule {
    @Override
    public double rate(long step, double base) {
      return base;
    }
  }

  record Warmup(long length, Schedule then) implements Schedule {
    private static final String WHO = "Schedules.warmup";

    Warmup {
      OptionChecks.positive(WHO, "steps", length);
      checked(WHO, Collections.singletonList(then));
    }

    @Override
    public double rate(long step, double base) {
      return step < length
          ? then.rate(0, base) * (step + 1) / length
          : then.rate(step - length, base);
    }

    @Override
    public double momentum(long step, double base) {
      return then.momentum(Math.max(step - length, 0), base);
    }

    @Override
    public boolean movesMomentum() {
      return then.movesMomentum();
    }

    @Override
    public boolean setsRates() {
      return then.setsRates();
    }

    @Override
    public long steps() {
      return after(length, then.steps());
    }

    @Override
    public String toString() {
      return "Warmup("
          + length
          + ")"
          + (then instanceof Base ? "" : " then " + Schedules.text(then));
    }
  }
}
