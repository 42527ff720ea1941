package dev.gradus.optim;

/** Schedules along half a cosine between the base rate and a least one. */
final class Cosines {
  private Cosines() {}

  record Cosine(long period, double minimum) implements Schedule {
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

  record WarmRestarts(long period, long multiplier, double minimum) implements Schedule {
    private static final String WHO = "Schedules.cosineWarmRestarts";

    WarmRestarts {
      OptionChecks.positive(WHO, "period", period);
      OptionChecks.positive(WHO, "multiplier", multiplier);
      OptionChecks.atLeastZero(WHO, "minimum", minimum);
    }

    @Override
    public double rate(long step, double base) {
      long since = multiplier == 1 ? step % period : step;
      long length = period;
      while (since >= length) {
        since -= length;
        // A period that no step reaches the end of is as long as any that is longer.
        length = length > Long.MAX_VALUE / multiplier ? Long.MAX_VALUE : length * multiplier;
      }
      return minimum + (base - minimum) * (1 + Math.cos(Math.PI * since / length)) / 2;
    }

    @Override
    public String toString() {
      return "CosineWarmRestarts("
          + period
          + ", "
          + multiplier
          + ", "
          + PythonFormat.of(minimum)
          + ")";
    }
  }
}
