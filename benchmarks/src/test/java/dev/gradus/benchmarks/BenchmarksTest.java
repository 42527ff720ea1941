package dev.gradus.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark starts, verifies what it computes, and runs once. */
class BenchmarksTest {
  /** The classes with the smallest case of each; a parameter that is left out takes all values. */
  private static final Map<String, Map<String, String[]>> SMALLEST =
      Map.of(
          "AdamPathBenchmark", Map.of("table", of("SMALL_IN_8")),
          "AdamOptimizerBenchmark", Map.of("table", of("SMALL_IN_8")),
          "MemoryBenchmark", Map.of("values", of("4097")),
          "GemmBenchmark", Map.of("n", of("8", "64")),
          "OpenBlasBenchmark", Map.of("n", of("8", "64")),
          "ElementwiseBenchmark", Map.of("size", of("257")),
          "EmbeddingBenchmark", Map.of(),
          "LaunchBenchmark", Map.of(),
          "TrainStepBenchmark", Map.of("model", of("TOUR", "NAMES_MLP", "NAMES_GPT")));

  private static String[] of(String... values) {
    return values;
  }

  static Set<String> classes() {
    return new TreeSet<>(SMALLEST.keySet());
  }

  @Test
  void noBenchmarkIsForgotten() {
    Set<String> listed =
        new Plan(false, false, List.of(), Map.of(), 1)
            .benchmarks().stream()
                .map(name -> name.substring(0, name.lastIndexOf('.')))
                .map(name -> name.substring(name.lastIndexOf('.') + 1))
                .collect(Collectors.toSet());
    assertEquals(SMALLEST.keySet(), listed);
  }

  @ParameterizedTest
  @MethodSource("classes")
  void verifiesAndRuns(String name) throws Exception {
    boolean launches = name.equals("LaunchBenchmark");
    Assumptions.assumeTrue(
        !launches || NoopDriver.lacking().isEmpty(), "not run: " + NoopDriver.lacking());
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("\\." + name + "\\.")
            .mode(Mode.SingleShotTime)
            // A process loads one CUDA driver in its life.
            .forks(launches ? 1 : 0)
            .param("on", On.usable())
            .warmupIterations(0)
            .measurementIterations(1)
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT);
    SMALLEST.get(name).forEach(options::param);
    Collection<RunResult> results = new Runner(options.build()).run();
    assertFalse(results.isEmpty(), name + " ran nothing");
  }
}
