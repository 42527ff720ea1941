package dev.gradus.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What JMH wrote goes in, a page and a chart come out. */
class ReportTest {
  private static final Environment HERE =
      new Environment(
          "2026-11-25",
          "0123456789ab",
          17,
          "A VM 17",
          "AMD EPYC 9B14 96-Core Processor",
          2,
          2,
          23,
          "Linux 6 amd64",
          "backend: cpu");

  @TempDir Path folder;

  private static String entry(String benchmark, String params, String score, String secondary) {
    return """
    {"benchmark": "dev.gradus.benchmarks.%s", "mode": "avgt", "params": {%s},
     "primaryMetric": {"score": %s, "scoreUnit": "us/op"}, "secondaryMetrics": {%s}}\
    """
        .formatted(benchmark, params, score, secondary);
  }

  private Results results(String... entries) throws IOException {
    Path json = folder.resolve("results.json");
    Files.writeString(json, "[" + String.join(",\n", entries) + "]");
    return Results.read(json);
  }

  private Results threeRounds() throws IOException {
    String n = "\"n\": \"1024\", \"form\": \"PLAIN\"";
    String on = n + ", \"on\": \"CPU\", \"blas\": \"tiled\"";
    String alloc = "\"gc.alloc.rate.norm\": {\"score\": 2048.4}";
    String perByte = "\"bytes\": {\"score\": 0.00002}";
    String half = "\"bytes\": {\"score\": 0.00004}";
    String all = "\"threads\": \"ALL\"";
    return results(
        entry("GemmBenchmark.matmul", on, "10", alloc),
        entry("OpenBlasBenchmark.sgemm", n, "8", ""),
        entry("MemoryBenchmark.triad", all, "20000", perByte),
        entry("MemoryBenchmark.copy", all, "30000", half),
        entry("GemmBenchmark.matmul", on, "20", alloc),
        entry("OpenBlasBenchmark.sgemm", n, "10", ""),
        entry("GemmBenchmark.matmul", on, "12", alloc),
        entry("OpenBlasBenchmark.sgemm", n, "12", ""));
  }

  @Test
  void ratiosAreOfOneRoundAndTheirMedianIsShown() throws IOException {
    String page = Report.of(threeRounds(), HERE, "chart.svg");
    assertTrue(page.contains("| matmul ÷ OpenBLAS | PLAIN 1024 | 1.25 | 1.00 | 2.00 |\n"), page);
  }

  @Test
  void figuresHaveMedianRangeAndPartOfTheTriad() throws IOException {
    String page = Report.of(threeRounds(), HERE, "chart.svg");
    assertTrue(
        page.contains(
            "| GemmBenchmark.matmul | tiled PLAIN 1024 CPU | 12.0 | 10.0 | 20.0 |  |  | 2,048 |\n"),
        page);
    assertTrue(
        page.contains(
            "| MemoryBenchmark.copy | ALL | 30,000 | 30,000 | 30,000 | 25.0 | 0.500 |  |\n"),
        page);
    assertTrue(page.contains("AMD EPYC 9B14 96-Core Processor, 2 cores"), page);
  }

  /** The points of a chart; its text is drawn as outlines. */
  private int points(Results results) throws IOException {
    Path svg = folder.resolve("chart.svg");
    Chart.write(results, svg);
    String text = Files.readString(svg);
    assertTrue(text.contains("<svg"), text);
    return text.split("<ellipse", -1).length - 1;
  }

  @Test
  void theChartHasAPointForEachRatio() throws IOException {
    assertEquals(1, points(threeRounds()));
  }

  @Test
  void theChartHasAPointForEachTimeWhereNothingIsCompared() throws IOException {
    assertEquals(
        2,
        points(
            results(
                entry("MemoryBenchmark.triad", "", "20000", ""),
                entry("MemoryBenchmark.copy", "", "30000", ""))));
  }

  @Test
  void otherUnitsAreRefused() throws IOException {
    String wrong = entry("GemmBenchmark.matmul", "", "1", "").replace("us/op", "ms/op");
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> results(wrong));
    assertEquals("results.json: a score is in ms/op; the report reads us/op", e.getMessage());
  }

  @Test
  void filesAreNamedByDayProcessorAndJdk() {
    assertEquals("2026-11-25-amd-epyc-9b14-2-cores-jdk-17", HERE.fileName());
  }
}
