package dev.gradus.benchmarks;

import static java.util.stream.Collectors.toCollection;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Which benchmarks are run, and how.
 *
 * @param quick whether only few cases are run, shortly
 * @param peers whether those of other engines are run too
 * @param filters expressions of which one must be found in a benchmark's name; none for all
 * @param params values of parameters, separated by commas, in place of all
 * @param threads the threads of every engine
 */
record Plan(
    boolean quick, boolean peers, List<String> filters, Map<String, String> params, int threads) {
  /** The classes of other engines' benchmarks. */
  private static final Pattern PEER = Pattern.compile("\\.(Torch|Djl|Nd4j)\\w+\\.\\w+$");

  /**
   * JavaCPP reads the process's size from a file of the system whenever a tensor of libtorch's is
   * made, to limit it: half of the time of a small operation.
   */
  private static final String UNWATCHED = "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0";

  private static final String ON = "on";

  /** What needs more than the other benchmarks. */
  private static final Pattern LAUNCH = Pattern.compile("\\.LaunchBenchmark\\.\\w+$");

  /** The names of the benchmarks that are chosen. */
  Set<String> benchmarks() {
    return entries().map(BenchmarkListEntry::getUsername).collect(toCollection(TreeSet::new));
  }

  /** The names of those that can run on this machine. */
  Set<String> runnable() {
    Set<String> names = benchmarks();
    if (!NoopDriver.lacking().isEmpty()) {
      names.removeIf(LAUNCH.asPredicate());
    }
    return names;
  }

  /** What cannot run on this machine and why, a line each. */
  List<String> leftOut() {
    List<String> lines = new ArrayList<>();
    if (parameters().contains(ON) && !params.containsKey(ON)) {
      for (On on : On.values()) {
        if (!on.problem().isEmpty()) {
          lines.add("on=" + on + " is not measured: " + on.problem());
        }
      }
    }
    if (runnable().size() < benchmarks().size()) {
      lines.add("LaunchBenchmark does not run: " + NoopDriver.lacking());
    }
    return lines;
  }

  /** The names of the parameters that they have. */
  Set<String> parameters() {
    return entries()
        .flatMap(entry -> entry.getParams().orElse(Map.of()).keySet().stream())
        .collect(toCollection(TreeSet::new));
  }

  private Stream<BenchmarkListEntry> entries() {
    return BenchmarkList.defaultList()
        .getAll(OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT), List.of())
        .stream()
        .filter(entry -> isWanted(entry.getUsername()));
  }

  private boolean isWanted(String name) {
    return (filters.isEmpty()
            || filters.stream().anyMatch(f -> Pattern.compile(f).matcher(name).find()))
        && (peers || !PEER.matcher(name).find());
  }

  /**
   * Runs every benchmark once in each round, each in a JVM of its own.
   *
   * @param json where the results of all rounds go, as JMH writes those of one
   */
  void run(int rounds, Path json) throws IOException, RunnerException {
    ObjectMapper mapper = new ObjectMapper();
    ArrayNode all = mapper.createArrayNode();
    for (int i = 0; i < rounds; i++) {
      Path round = Files.createTempFile("round", ".json");
      try {
        new Runner(options().resultFormat(ResultFormatType.JSON).result(round.toString()).build())
            .run();
        mapper.readTree(round.toFile()).forEach(entry -> all.add(withoutPaths(entry)));
      } finally {
        Files.deleteIfExists(round);
      }
      // After each round, so that an end before the last leaves something.
      mapper.writerWithDefaultPrettyPrinter().writeValue(json.toFile(), all);
    }
  }

  /** A result without the places of this machine: its JVM and the folder that it ran in. */
  private static JsonNode withoutPaths(JsonNode entry) {
    ((ObjectNode) entry).remove(List.of("jvm", "jvmArgs"));
    return entry;
  }

  private ChainedOptionsBuilder options() {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .forks(1)
            .shouldFailOnError(true)
            .addProfiler(GCProfiler.class)
            .jvmArgsAppend("-D" + Cores.PROPERTY + "=" + threads, UNWATCHED)
            .warmupIterations(quick ? 1 : 3)
            .measurementIterations(quick ? 1 : 3)
            // Work of a microsecond is compiled late: on JDK 25 after two seconds.
            .warmupTime(TimeValue.milliseconds(quick ? 200 : 1000))
            .measurementTime(TimeValue.milliseconds(quick ? 200 : 500));
    runnable().forEach(name -> options.include("^" + Pattern.quote(name) + "$"));
    values().forEach(options::param);
    return options;
  }

  /** The values of the parameters that do not take all. */
  Map<String, String[]> values() {
    Map<String, String[]> values = new TreeMap<>();
    values.put(ON, On.usable());
    if (quick) {
      values.put("table", one(AdamTable.SMALL_IN_465));
      values.put("variant", one(AdamVariant.ADAM));
      values.put("form", one(GemmForm.PLAIN));
      values.put("blas", one("tiled"));
      values.put("n", one("1000"));
      values.put("size", one("1000"));
      values.put("op", new String[] {ElementwiseOp.EXP.name(), ElementwiseOp.ADD.name()});
      values.put("values", one("1048576"));
      values.put("threads", one(MemoryBenchmark.Threads.ALL));
    }
    params.forEach((name, text) -> values.put(name, text.split(",", -1)));
    return values;
  }

  private static String[] one(Object value) {
    return new String[] {value.toString()};
  }
}
