package dev.gradus.examples;

import java.io.PrintWriter;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** What a user sees of an error: one line, and the stack trace only where it was asked for. */
final class Failures implements IParameterExceptionHandler, IExecutionExceptionHandler {
  private final BooleanSupplier stackTrace;

  Failures(BooleanSupplier stackTrace) {
    this.stackTrace = stackTrace;
  }

  /** The command line was wrong: what, and where help is. */
  @Override
  public int handleParseException(ParameterException e, String[] args) {
    CommandLine line = e.getCommandLine();
    String hint = "; see '" + line.getCommandSpec().qualifiedName() + " --help'";
    print(line.getErr(), oneLine(String.valueOf(e.getMessage())) + suggestion(e) + hint, e);
    return line.getCommandSpec().exitCodeOnInvalidInput();
  }

  /** The command failed. */
  @Override
  public int handleExecutionException(Exception e, CommandLine line, ParseResult parsed) {
    print(line.getErr(), message(e), e);
    return line.getCommandSpec().exitCodeOnExecutionException();
  }

  private void print(PrintWriter err, String message, Exception e) {
    err.println("gradus: " + message);
    if (stackTrace.getAsBoolean()) {
      e.printStackTrace(err);
    }
  }

  private static String suggestion(ParameterException e) {
    if (!(e instanceof UnmatchedArgumentException unmatched)) {
      return "";
    }
    List<String> near = unmatched.getSuggestions();
    return near.isEmpty()
        ? ""
        : near.stream()
            .map(s -> "'" + s + "'")
            .collect(Collectors.joining(" or ", "; did you mean ", ""));
  }

  private static String message(Exception e) {
    String text = e.getMessage();
    // An error without words of its own is a fault of the program: its kind is all there is to say.
    return text == null || text.isBlank()
        ? e + "; run it again with --stacktrace to see where"
        : oneLine(text);
  }

  private static String oneLine(String text) {
    return text.strip().replaceAll("\\s*\\R\\s*", "; ");
  }
}
