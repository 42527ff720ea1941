package dev.gradus.examples;

import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Rules on the values of options: one that is broken is a wrong command line. */
final class OptionChecks {
  private final CommandLine line;

  OptionChecks(CommandLine line) {
    this.line = line;
  }

  /** A whole number that must be at least 1. */
  int atLeastOne(String option, int value) {
    if (value < 1) {
      throw wrong(option + " must be at least 1 but is " + value);
    }
    return value;
  }

  /** A number that must be above 0. */
  double positive(String option, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw wrong(option + " must be > 0 and finite but is " + value);
    }
    return value;
  }

  /** A number that must not be below 0. */
  double notNegative(String option, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw wrong(option + " must be >= 0 and finite but is " + value);
    }
    return value;
  }

  private ParameterException wrong(String text) {
    return new ParameterException(line, text);
  }
}
