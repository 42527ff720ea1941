package dev.gradus.benchmarks;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.runner.RunnerException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program {@code gradus bench}: runs benchmarks in rounds and writes the report. */
@Command(
    name = "gradus bench",
    sortOptions = false,
    description = {
      "Measures the engine, in rounds that run every benchmark once, and writes table, chart,"
          + " results and environment.",
      "Ratios are of figures of one round; the report has their median and range."
    },
    footer = {
      "",
      "Examples:",
      "  gradus bench --quick",
      "  gradus bench --peers --filter 'Gemm|OpenBlas' --param n=1024,2048 --param form=PLAIN"
    })
public final class Main implements Callable<Integer> {
  private static final int ROUNDS = 5;

  @SuppressWarnings("NullAway.Init") // set before the command runs
  @Spec
  private CommandSpec spec;

  @Option(names = "--quick", description = "Few cases, shortly, in one round: whether it runs.")
  private boolean quick;

  @Option(
      names = "--filter",
      paramLabel = "REGEX",
      description = "Only benchmarks whose class and method it is found in; may be repeated.")
  private List<String> filters = new ArrayList<>();

  @Option(
      names = "--param",
      paramLabel = "NAME=VALUES",
      description = "Only these values, separated by commas, of a parameter; may be repeated.")
  private Map<String, String> params = new TreeMap<>();

  @Option(names = "--rounds", paramLabel = "N", description = "Rounds; default: 5, quick 1.")
  private @Nullable Integer rounds;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of every engine; default: one for each processor.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--peers",
      description = "Other engines too; the first time this fetches some hundred megabytes.")
  private boolean peers;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "Where the report goes; default: docs/benchmarks of the project.")
  private Path out = Environment.project().resolve("docs").resolve("benchmarks");

  @Option(names = "--list", description = "Prints the benchmarks and runs none.")
  private boolean list;

  @SuppressWarnings("UnusedVariable") // picocli acts on it
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Prints this help.")
  private boolean help;

  private Main() {}

  /** Runs the program and ends the process with its exit code. */
  public static void main(String[] args) {
    System.exit(line().execute(args));
  }

  static CommandLine line() {
    return new CommandLine(new Main());
  }

  @Override
  public Integer call() throws IOException, RunnerException {
    PrintWriter text = spec.commandLine().getOut();
    atLeastOne("--threads", threads);
    int times = rounds == null ? (quick ? 1 : ROUNDS) : rounds;
    atLeastOne("--rounds", times);
    Plan plan = new Plan(quick, peers, filters, params, threads);
    Set<String> benchmarks;
    try {
      benchmarks = plan.benchmarks();
    } catch (PatternSyntaxException e) {
      throw wrong(
          "--filter '" + e.getPattern() + "' is not a regular expression: " + e.getDescription());
    }
    if (benchmarks.isEmpty()) {
      throw wrong("--filter " + filters + " matches no benchmark; --list prints them");
    }
    Set<String> known = plan.parameters();
    for (String name : params.keySet()) {
      if (!known.contains(name)) {
        throw wrong(
            "--param " + name + ": none of the chosen benchmarks has it; they have " + known);
      }
    }
    if (list) {
      benchmarks.forEach(text::println);
      text.flush();
      return CommandLine.ExitCode.OK;
    }
    requireUsable(params.getOrDefault("on", ""));
    plan.leftOut().forEach(text::println);
    text.flush();
    if (plan.runnable().isEmpty()) {
      throw wrong("--filter " + filters + " matches nothing that can run here");
    }
    run(plan, times, text);
    return CommandLine.ExitCode.OK;
  }

  private void run(Plan plan, int times, PrintWriter text) throws IOException, RunnerException {
    Files.createDirectories(out);
    // So that the report of the backends here is that of the JVMs that measure.
    System.setProperty(Cores.PROPERTY, Integer.toString(threads));
    Environment environment = Environment.here(threads);
    String name = environment.fileName() + (quick ? "-quick" : "");
    Path json = out.resolve(name + ".json");
    plan.run(times, json);
    environment.write(out.resolve(name + ".env.json"));
    Results results = Results.read(json);
    String chart = name + ".svg";
    Chart.write(results, out.resolve(chart));
    Path table = out.resolve(name + ".md");
    Files.writeString(table, Report.of(results, environment, chart));
    text.println("written: " + table);
    text.flush();
  }

  /** Refuses a backend that was asked for by name and cannot be used. */
  private void requireUsable(String backends) {
    for (On on : On.values()) {
      if (List.of(backends.split(",", -1)).contains(on.name()) && !on.problem().isEmpty()) {
        throw wrong("--param on=" + on + ": it is not usable here: " + on.problem());
      }
    }
  }

  private void atLeastOne(String option, int value) {
    if (value < 1) {
      throw wrong(option + " must be at least 1 but is " + value);
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
