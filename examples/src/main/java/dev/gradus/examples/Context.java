package dev.gradus.examples;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What every command has: where it prints, and how it refuses the value of an option. */
@Command // a mixin without options has to say that it is one
final class Context {
  @SuppressWarnings("NullAway.Init") // set before the command runs
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  /** Standard output: what the command was asked for. */
  PrintWriter out() {
    return spec.commandLine().getOut();
  }

  /** Standard error: everything else. */
  PrintWriter err() {
    return spec.commandLine().getErr();
  }

  /** Prints the command's help. */
  void printHelp(PrintWriter to) {
    spec.commandLine().usage(to);
  }

  /** The error of a wrong command line. */
  ParameterException wrong(String text) {
    return new ParameterException(spec.commandLine(), text);
  }

  /** Whether an option stands on the command line. */
  boolean isGiven(String option) {
    return spec.commandLine().getParseResult().hasMatchedOption(option);
  }

  /** Refuses a file that could not be written. */
  void writable(String option, Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file)) {
      throw wrong(option + ": '" + file + "' is a folder; name a file in it");
    }
    if (folder == null || !Files.isDirectory(folder)) {
      throw wrong(
          option
              + ": '"
              + file
              + "' is in a folder that does not exist; make '"
              + folder
              + "' first");
    }
  }

  /** The value of an option that must be at least 1. */
  int atLeastOne(String option, int value) {
    if (value < 1) {
      throw wrong(option + " must be at least 1 but is " + value);
    }
    return value;
  }

  /** The value of an option that must be above 0. */
  double positive(String option, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw wrong(option + " must be > 0 and finite but is " + value);
    }
    return value;
  }

  /** The value of an option that must not be below 0. */
  double notNegative(String option, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw wrong(option + " must be >= 0 and finite but is " + value);
    }
    return value;
  }
}
