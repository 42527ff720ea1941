package dev.gradus.optim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The rules for values of options, with their messages. */
final class OptionChecks {
  private OptionChecks() {}

  /** A finite number that is at least 0. */
  static void atLeastZero(String who, String option, double value) {
    if (!(value >= 0)) {
      throw new IllegalArgumentException(who + " " + option + " must be >= 0 but is " + value);
    }
    if (value == Double.POSITIVE_INFINITY) {
      throw new IllegalArgumentException(who + " " + option + " must be finite but is " + value);
    }
  }

  /** A finite number greater than 0. */
  static void greaterThanZero(String who, String option, double value) {
    if (!(value > 0)) {
      throw new IllegalArgumentException(who + " " + option + " must be > 0 but is " + value);
    }
    if (value == Double.POSITIVE_INFINITY) {
      throw new IllegalArgumentException(who + " " + option + " must be finite but is " + value);
    }
  }

  /** A number in [0, 1). */
  static void decayRate(String who, String option, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new IllegalArgumentException(who + " " + option + " must be in [0, 1) but is " + value);
    }
  }

  /** A number in [0, 1]. */
  static void fraction(String who, String option, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(who + " " + option + " must be in [0, 1] but is " + value);
    }
  }

  /** A finite number. */
  static void finite(String who, String option, double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(who + " " + option + " must be finite but is " + value);
    }
  }

  /** One of the constants, not null. */
  static <E extends Enum<E>> void oneOf(
      String who, String option, @Nullable E value, E[] constants) {
    if (value == null) {
      throw new IllegalArgumentException(
          who + " " + option + " must be one of " + Arrays.toString(constants) + " but is null");
    }
  }

  /** A whole number that is at least 0. */
  static void atLeastZero(String who, String option, long value) {
    if (value < 0) {
      throw new IllegalArgumentException(who + " " + option + " must be >= 0 but is " + value);
    }
  }

  /** A whole number that is at least 1. */
  static void positive(String who, String option, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(who + " " + option + " must be >= 1 but is " + value);
    }
  }
}
