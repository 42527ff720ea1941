package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.nn.Embedding;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Losses;
import dev.gradus.nn.Module;
import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.nn.Sigmoid;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.Golden;
import dev.gradus.types.DType;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A model trained with groups of their own rates, cut by hand before epoch 10. */
class TrainGroupsTest {
  private static final long[] X = {0, 1, 2, 3, 4, 1, 3};
  private static final double[] Y = {0, 1, 0, 1, 1, 1, 0};
  private static final int EPOCHS = 20;
  private static final int CUT = 10;

  /** The options that the golden file was recorded with. */
  private static final Map<String, Function<NamedParameters, Optimizer<?>>> RUNS =
      Map.of(
          "Adam two groups",
          named ->
              Adam.withDefaults(o -> o.withLr(0.1))
                  .group("emb", named.matching("emb.**"))
                  .group(
                      "linear",
                      named.others(),
                      o -> o.withLr(0.01).withBetas(0.8, 0.99).withWeightDecay(0.01))
                  .build(),
          "AdamW three groups, bias w/o decay",
          named ->
              AdamW.withDefaults(o -> o.withLr(0.01))
                  .group("bias", named.matching("**.bias"), o -> o.withWeightDecay(0))
                  .group("emb", named.matching("emb.*"), o -> o.withLr(0.05).withEps(1e-6))
                  .group("rest", named.others(), o -> o.withWeightDecay(0.1))
                  .build(),
          "SGD nesterov two groups",
          named ->
              SGD.withDefaults(o -> o.withLr(0.5))
                  .group(
                      "emb",
                      named.matching("emb.**"),
                      o -> o.withLr(1).withMomentum(0.9).withNesterov(true))
                  .group("rest", named.others())
                  .build());

  private static final class Model extends Module {
    private final Embedding emb;
    private final Linear linear;
    private final Sigmoid sigmoid;

    Model(Device device) {
      emb = register("emb", new Embedding(device, 5, 5));
      linear = register("linear", new Linear(device, 5, 1));
      sigmoid = register("sigmoid", new Sigmoid());
    }

    @Override
    public Tensor forward(Tensor ids) {
      return sigmoid.forward(linear.forward(emb.forward(ids)));
    }
  }

  @ParameterizedTest
  @EnumSource
  void trainingFollowsTheGoldenFile(Fixture.Where where) {
    Map<String, Object> runs = Golden.map(Golden.load("train_groups.json").get("runs"));
    assertEquals(RUNS.keySet(), runs.keySet());
    // 20 steps of float32 with sums in another order; float64 has 9 more digits
    for (String run : RUNS.keySet()) {
      follow(where, run, DType.F32, 2e-6, Golden.map(Golden.map(runs.get(run)).get("float32")));
      follow(where, run, DType.F64, 1e-12, Golden.map(Golden.map(runs.get(run)).get("float64")));
    }
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private static void follow(
      Fixture.Where where, String run, DType dtype, double tolerance, Map<String, Object> golden) {
    try (Device device = where.open()) {
      device.manualSeed(0);
      Model model = new Model(device);
      model.to(dtype);
      NamedParameters named = model.namedParameters();
      same(run, 0, named, Golden.map(golden.get("init")));
      Optimizer<?> optimizer = RUNS.get(run).apply(named);
      Tensor x = device.tensor(X);
      Tensor y = device.tensor(Y, Y.length, 1).to(dtype);
      double[] losses = new double[EPOCHS];
      for (int epoch = 0; epoch < EPOCHS; epoch++) {
        if (epoch == CUT) {
          optimizer.groups().forEach(g -> g.scaleLr(0.1));
        }
        try (Scope step = Scope.open()) {
          optimizer.zeroGrad();
          Tensor loss = Losses.binaryCrossEntropy(model.forward(x), y);
          loss.backward();
          optimizer.step();
          losses[epoch] = loss.item();
        }
        Object after = Golden.map(golden.get("after_epoch")).get(String.valueOf(epoch));
        if (after != null) {
          same(run + " " + dtype + " epoch " + epoch, tolerance, named, Golden.map(after));
        }
      }
      assertArrayEquals(Golden.doubles(golden.get("losses")), losses, tolerance, run);
    }
  }

  private static void same(
      String what, double tolerance, NamedParameters named, Map<String, Object> golden) {
    assertEquals(List.copyOf(golden.keySet()), named.names());
    for (Map.Entry<String, Parameter> e : named) {
      assertArrayEquals(
          Golden.doubles(golden.get(e.getKey())),
          Fixture.values(e.getValue()),
          tolerance,
          what + " " + e.getKey());
    }
  }
}
