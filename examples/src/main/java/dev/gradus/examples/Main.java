package dev.gradus.examples;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The program {@code gradus}; alone it prints its commands. */
@Command(
    name = "gradus",
    description = "Trains small models on the JVM, and shows how.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      Tour.class,
      Train.class,
      Generate.class,
      Doctor.class,
      Parity.class,
      GpuCheck.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed",
      "2:the command line was wrong",
      "3:doctor: a required backend cannot be used",
      "4:parity: a difference above the tolerance"
    },
    footer = {
      "",
      "Examples:",
      "  gradus tour",
      "  gradus train names --save names.safetensors",
      "  gradus train names --model gpt --checkpoint run.safetensors",
      "  gradus train names --resume run.safetensors",
      "  gradus generate names.safetensors --count 20"
    })
public final class Main implements Callable<Integer> {
  @Mixin private Context context = new Context();

  @SuppressWarnings("UnusedVariable") // picocli acts on it
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Prints this help.")
  private boolean help;

  @Option(
      names = "--stacktrace",
      scope = ScopeType.INHERIT,
      description = "Prints the stack trace of an error too.")
  private boolean stackTrace;

  private Main() {}

  /** Runs the program and ends the process with its exit code. */
  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    System.exit(run(out, err, args));
  }

  /**
   * Runs the program.
   *
   * @return its exit code
   */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    Main main = new Main();
    Failures failures = new Failures(() -> main.stackTrace);
    CommandLine line =
        new CommandLine(main)
            .setOut(out)
            .setErr(err)
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setParameterExceptionHandler(failures)
            .setExecutionExceptionHandler(failures);
    int code = line.execute(args);
    out.flush();
    err.flush();
    return code;
  }

  /** Without a command: prints the commands. */
  @Override
  public Integer call() {
    context.printHelp(context.out());
    return CommandLine.ExitCode.OK;
  }
}
