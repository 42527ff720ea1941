package dev.gradus.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What JMH measured, round by round.
 *
 * @param rows a row for each benchmark with its parameters, in the order of the first round
 */
record Results(List<Row> rows) {
  private static final double GIGABYTE_PER_MICROSECOND = 1e-3;

  /** A benchmark, and the parameters that it ran with. */
  record Case(String benchmark, SortedMap<String, String> params) {
    /** As {@code GemmBenchmark.matmul form=PLAIN n=8}. */
    @Override
    public String toString() {
      StringBuilder s = new StringBuilder(benchmark);
      params.forEach((k, v) -> s.append(' ').append(k).append('=').append(v));
      return s.toString();
    }
  }

  /**
   * A case and its figures, one a round.
   *
   * @param micros microseconds of an operation
   * @param gigabytes gigabytes a second of what it must move; empty where it does not count bytes
   * @param allocated bytes allocated on the heap by an operation; empty where not profiled
   */
  record Row(Case of, List<Double> micros, List<Double> gigabytes, List<Double> allocated) {}

  /** Reads the results of one or more rounds. */
  static Results read(Path json) throws IOException {
    Map<Case, Row> rows = new LinkedHashMap<>();
    for (JsonNode entry : new ObjectMapper().readTree(json.toFile())) {
      JsonNode metric = entry.get("primaryMetric");
      String unit = metric.get("scoreUnit").asText();
      if (!unit.equals("us/op")) {
        throw new IllegalArgumentException(
            json.getFileName() + ": a score is in " + unit + "; the report reads us/op");
      }
      Row row =
          rows.computeIfAbsent(
              caseOf(entry),
              k -> new Row(k, new ArrayList<>(), new ArrayList<>(), new ArrayList<>()));
      row.micros.add(metric.get("score").asDouble());
      JsonNode secondary = entry.path("secondaryMetrics");
      score(secondary, "bytes").ifPresent(s -> row.gigabytes.add(GIGABYTE_PER_MICROSECOND / s));
      score(secondary, "gc.alloc.rate.norm").ifPresent(row.allocated::add);
    }
    return new Results(List.copyOf(rows.values()));
  }

  private static Case caseOf(JsonNode entry) {
    String name = entry.get("benchmark").asText();
    int method = name.lastIndexOf('.');
    SortedMap<String, String> params = new TreeMap<>();
    entry.path("params").properties().forEach(p -> params.put(p.getKey(), p.getValue().asText()));
    return new Case(name.substring(name.lastIndexOf('.', method - 1) + 1), params);
  }

  private static Optional<Double> score(JsonNode secondary, String name) {
    JsonNode metric = secondary.get(name);
    return metric == null ? Optional.empty() : Optional.of(metric.get("score").asDouble());
  }

  /** The middle of some figures, or the mean of the two in the middle. */
  static double median(List<Double> figures) {
    double[] sorted = figures.stream().mapToDouble(x -> x).sorted().toArray();
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  static double min(List<Double> figures) {
    return Arrays.stream(figures.stream().mapToDouble(x -> x).toArray()).min().orElseThrow();
  }

  static double max(List<Double> figures) {
    return Arrays.stream(figures.stream().mapToDouble(x -> x).toArray()).max().orElseThrow();
  }
}
