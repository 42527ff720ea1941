package dev.gradus.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Which figures are compared: of two benchmarks, wherever their other parameters are equal. */
final class Pairs {
  private static final List<Pair> ALL =
      List.of(
          new Pair(
              "Adam's plan ÷ libtorch fused",
              side("AdamPathBenchmark.step", Map.of("path", "ALL_GROUPS", "on", "CPU")),
              side("TorchAdamBenchmark.step", Map.of("way", "FUSED"))),
          new Pair(
              "Adam's plan ÷ libtorch for-loop",
              side("AdamPathBenchmark.step", Map.of("path", "ALL_GROUPS", "on", "CPU")),
              side("TorchAdamBenchmark.step", Map.of("way", "FOR_LOOP"))),
          new Pair(
              "Adam's plan ÷ libtorch foreach",
              side("AdamPathBenchmark.step", Map.of("path", "ALL_GROUPS", "on", "CPU")),
              side("TorchAdamBenchmark.step", Map.of("way", "FOREACH"))),
          new Pair(
              "Adam's plan ÷ DJL",
              side("AdamPathBenchmark.step", Map.of("path", "ALL_GROUPS", "on", "CPU")),
              side("DjlAdamBenchmark.step", Map.of())),
          new Pair(
              "Adam's plan ÷ ND4J",
              side("AdamPathBenchmark.step", Map.of("path", "ALL_GROUPS", "on", "CPU")),
              side("Nd4jAdamBenchmark.step", Map.of())),
          new Pair(
              "Adam.step() ÷ libtorch fused",
              side("AdamOptimizerBenchmark.step", Map.of("on", "CPU")),
              side("TorchAdamBenchmark.step", Map.of("way", "FUSED"))),
          new Pair(
              "Adam.step() ÷ its plan",
              side("AdamOptimizerBenchmark.step", Map.of()),
              side("AdamPathBenchmark.step", Map.of("path", "ALL_GROUPS"))),
          new Pair(
              "Adam's plan: all groups ÷ composed",
              side("AdamPathBenchmark.step", Map.of("path", "ALL_GROUPS")),
              side("AdamPathBenchmark.step", Map.of("path", "COMPOSED"))),
          new Pair(
              "Adam.step(), 1,000 tensors: 64 groups ÷ 1 group",
              side("AdamOptimizerBenchmark.step", Map.of("table", "THOUSAND_IN_64")),
              side("AdamOptimizerBenchmark.step", Map.of("table", "THOUSAND_IN_1"))),
          new Pair(
              "Adam.step(): 1,000 × 1,000 ÷ 1 × 1,000,000",
              side("AdamOptimizerBenchmark.step", Map.of("table", "THOUSAND_IN_1")),
              side("AdamOptimizerBenchmark.step", Map.of("table", "ONE_1M_IN_1"))),
          new Pair(
              "launch: backend ÷ JCuda's pointers",
              side("LaunchBenchmark.run", Map.of("call", "BACKEND")),
              side("LaunchBenchmark.run", Map.of("call", "POINTERS"))),
          new Pair(
              "matmul ÷ OpenBLAS",
              side("GemmBenchmark.matmul", Map.of("on", "CPU", "blas", "tiled")),
              side("OpenBlasBenchmark.sgemm", Map.of())),
          new Pair(
              "matmul, whole ÷ OpenBLAS",
              side("GemmBenchmark.matmul", Map.of("on", "CPU", "blas", "whole")),
              side("OpenBlasBenchmark.sgemm", Map.of())),
          new Pair(
              "matmul in Java ÷ OpenBLAS",
              side("GemmBenchmark.matmul", Map.of("on", "CPU", "blas", "off")),
              side("OpenBlasBenchmark.sgemm", Map.of())),
          new Pair(
              "matmul ÷ libtorch",
              side("GemmBenchmark.matmul", Map.of("on", "CPU", "blas", "tiled")),
              side("TorchGemmBenchmark.matmul", Map.of())),
          new Pair(
              "OpenBLAS ÷ libtorch",
              side("OpenBlasBenchmark.sgemm", Map.of()),
              side("TorchGemmBenchmark.matmul", Map.of())),
          new Pair(
              "elementwise ÷ libtorch",
              side("ElementwiseBenchmark.forward", Map.of("on", "CPU")),
              side("TorchElementwiseBenchmark.forward", Map.of())),
          new Pair(
              "embedding: sparse ÷ dense",
              side("EmbeddingBenchmark.run", Map.of("work", "SPARSE_STEP")),
              side("EmbeddingBenchmark.run", Map.of("work", "DENSE_STEP"))),
          new Pair(
              "embedding ÷ libtorch",
              side("EmbeddingBenchmark.run", Map.of("on", "CPU")),
              side("TorchEmbeddingBenchmark.run", Map.of())),
          new Pair(
              "training step ÷ libtorch",
              side("TrainStepBenchmark.step", Map.of("on", "CPU")),
              side("TorchTrainStepBenchmark.step", Map.of())));

  private Pairs() {}

  /** A benchmark, and the parameters that it must have run with. */
  private record Side(String benchmark, Map<String, String> params) {}

  /** Two benchmarks; the time of the first is divided by that of the second. */
  private record Pair(String title, Side ours, Side other) {}

  /**
   * A comparison of two rows.
   *
   * @param title what is compared
   * @param params what both ran with
   * @param ratios time by time, one a round: below 1 the first is faster
   */
  record Ratio(String title, SortedMap<String, String> params, List<Double> ratios) {}

  private static Side side(String benchmark, Map<String, String> params) {
    return new Side(benchmark, params);
  }

  /** Every comparison that the results allow. */
  static List<Ratio> in(Results results) {
    List<Ratio> found = new ArrayList<>();
    for (Pair pair : ALL) {
      for (Results.Row ours : results.rows()) {
        Optional<SortedMap<String, String>> rest = rest(pair.ours, ours);
        for (Results.Row other : results.rows()) {
          if (rest.isPresent() && rest.equals(rest(pair.other, other))) {
            found.add(new Ratio(pair.title, rest.get(), ratios(ours, other)));
          }
        }
      }
    }
    return found;
  }

  /** The parameters that a side leaves open; empty where the row is not of that side. */
  private static Optional<SortedMap<String, String>> rest(Side side, Results.Row row) {
    if (!row.of().benchmark().equals(side.benchmark)
        || !row.of().params().entrySet().containsAll(side.params.entrySet())) {
      return Optional.empty();
    }
    SortedMap<String, String> rest = new TreeMap<>(row.of().params());
    rest.keySet().removeAll(side.params.keySet());
    return Optional.of(rest);
  }

  private static List<Double> ratios(Results.Row ours, Results.Row other) {
    List<Double> ratios = new ArrayList<>();
    int rounds = Math.min(ours.micros().size(), other.micros().size());
    for (int i = 0; i < rounds; i++) {
      ratios.add(ours.micros().get(i) / other.micros().get(i));
    }
    return ratios;
  }
}
