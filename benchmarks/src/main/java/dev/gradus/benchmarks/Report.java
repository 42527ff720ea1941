package dev.gradus.benchmarks;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The results as a page in Markdown. */
final class Report {
  private static final String TRIAD = "MemoryBenchmark.triad";

  private Report() {}

  /**
   * The page.
   *
   * @param chart the file of the chart, beside the page
   */
  static String of(Results results, Environment environment, String chart) {
    StringBuilder page = new StringBuilder();
    page.append("# Benchmarks, ").append(environment.date()).append("\n\n");
    page.append(environment.sentence()).append("\n\n");
    page.append("![ratios](").append(chart).append(")\n\n");
    ratios(page, Pairs.in(results));
    figures(page, results);
    return page.toString();
  }

  private static void ratios(StringBuilder page, List<Pairs.Ratio> ratios) {
    if (ratios.isEmpty()) {
      return;
    }
    page.append("## Ratios of times\n\nBelow 1 the first is faster. Median, least and greatest of");
    page.append(" the rounds.\n\n| what | with | median | least | greatest |\n");
    page.append("|---|---|---:|---:|---:|\n");
    for (Pairs.Ratio r : ratios) {
      line(
          page,
          r.title(),
          String.join(" ", r.params().values()),
          figure(Results.median(r.ratios())),
          figure(Results.min(r.ratios())),
          figure(Results.max(r.ratios())));
    }
    page.append('\n');
  }

  private static void figures(StringBuilder page, Results results) {
    Optional<Double> limit = triad(results);
    page.append("## Figures\n\nMicroseconds of an operation: median, least and greatest of the");
    page.append(
        " rounds. GB/s: the bytes that it must move, by time, and as a part of the triad's");
    page.append(" of this run. Allocated: bytes on the Java heap.\n\n");
    page.append("| benchmark | with | µs | least | greatest | GB/s | ÷ triad | allocated |\n");
    page.append("|---|---|---:|---:|---:|---:|---:|---:|\n");
    for (Results.Row row : results.rows()) {
      Optional<Double> moved = medianOf(row.gigabytes());
      line(
          page,
          row.of().benchmark(),
          String.join(" ", row.of().params().values()),
          figure(Results.median(row.micros())),
          figure(Results.min(row.micros())),
          figure(Results.max(row.micros())),
          moved.map(Report::figure).orElse(""),
          moved.flatMap(m -> limit.map(t -> figure(m / t))).orElse(""),
          medianOf(row.allocated()).map(a -> String.format(Locale.ROOT, "%,.0f", a)).orElse(""));
    }
  }

  /** The gigabytes a second of the triad with all threads, where it was measured. */
  private static Optional<Double> triad(Results results) {
    return results.rows().stream()
        .filter(row -> row.of().benchmark().equals(TRIAD))
        .filter(row -> "ALL".equals(row.of().params().get("threads")))
        .findFirst()
        .flatMap(row -> medianOf(row.gigabytes()));
  }

  private static Optional<Double> medianOf(List<Double> figures) {
    return figures.isEmpty() ? Optional.empty() : Optional.of(Results.median(figures));
  }

  private static void line(StringBuilder page, String... cells) {
    page.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  /** Three digits: 0.123, 1.23, 12.3, 1,234. */
  private static String figure(double x) {
    int decimals = x >= 100 ? 0 : x >= 10 ? 1 : x >= 1 ? 2 : 3;
    return String.format(Locale.ROOT, "%,." + decimals + "f", x);
  }
}
