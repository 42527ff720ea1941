package dev.gradus.io;

import dev.gradus.nn.Dropout;
import dev.gradus.nn.Embedding;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Losses;
import dev.gradus.nn.Module;
import dev.gradus.nn.NamedParameters;
import dev.gradus.optim.ASGD;
import dev.gradus.optim.Adadelta;
import dev.gradus.optim.Adafactor;
import dev.gradus.optim.Adagrad;
import dev.gradus.optim.Adam;
import dev.gradus.optim.AdamW;
import dev.gradus.optim.Adamax;
import dev.gradus.optim.AveragedModel;
import dev.gradus.optim.LBFGS;
import dev.gradus.optim.Lion;
import dev.gradus.optim.Muon;
import dev.gradus.optim.NAdam;
import dev.gradus.optim.Optimizer;
import dev.gradus.optim.OptimizerBuilder;
import dev.gradus.optim.OptimizerOptions;
import dev.gradus.optim.RAdam;
import dev.gradus.optim.RMSprop;
import dev.gradus.optim.Rprop;
import dev.gradus.optim.SGD;
import dev.gradus.optim.Schedules;
import dev.gradus.optim.SparseAdam;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Generator;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * A training with all that a checkpoint has to remember: dropout, shuffled examples, noise,
 * averages of the model, schedules, an optimizer of two groups, and another for what that one does
 * not take.
 */
final class Training {
  static final int EPOCHS = 2;

  private static final int EXAMPLES = 23;
  private static final int BATCH = 5;
  private static final int WORDS = 7;
  private static final int WINDOW = 3;
  private static final long DATA_SEED = 77;

  final Net model;
  final Generator order = new Generator(3);

  /** Gives an odd count of normal numbers in an epoch: the second of a pair is kept. */
  final Generator noise = new Generator(4);

  final AveragedModel averages;
  final List<Optimizer<?>> optimizers;
  final Checkpoint checkpoint;
  private final Device device;
  private final long[] ids = new long[EXAMPLES * WINDOW];
  private final float[] targets = new float[EXAMPLES];

  /**
   * The optimizers: each as it is made for the model, with one for the rest where it needs that.
   */
  enum Kind {
    ADAM(p -> List.of(twoGroups(Adam.withDefaults(o -> o.withAmsgrad(true)), p))),
    ADAM_W(p -> List.of(twoGroups(AdamW.withDefaults(), p))),
    SGD_WITH_MOMENTUM(p -> List.of(twoGroups(SGD.withDefaults(o -> o.withMomentum(0.9)), p))),
    NADAM(p -> List.of(twoGroups(NAdam.withDefaults(), p))),
    RADAM(p -> List.of(twoGroups(RAdam.withDefaults(), p))),
    ADAMAX(p -> List.of(twoGroups(Adamax.withDefaults(), p))),
    ADAGRAD(p -> List.of(twoGroups(Adagrad.withDefaults(), p))),
    ADADELTA(p -> List.of(twoGroups(Adadelta.withDefaults(), p))),
    RMSPROP(p -> List.of(twoGroups(RMSprop.withDefaults(o -> o.withMomentum(0.5)), p))),
    RPROP(p -> List.of(twoGroups(Rprop.withDefaults(), p))),
    ASGD_FROM_STEP_3(p -> List.of(twoGroups(ASGD.withDefaults(o -> o.withT0(3)), p))),
    LION(p -> List.of(twoGroups(Lion.withDefaults(), p))),
    ADAFACTOR(p -> List.of(twoGroups(Adafactor.withDefaults(), p))),
    MUON(
        p ->
            List.of(
                Muon.withDefaults(o -> o.withLr(0.01))
                    .group("table", p.matching("table.**"), o -> o.withNesterov(false))
                    .group("layers", p.matching(Pattern.compile("(hidden|out).weight")))
                    .allowUnused()
                    .build(),
                rest(p, "**.bias"))),
    SPARSE_ADAM(
        p ->
            List.of(
                SparseAdam.withDefaults()
                    .group("table", p.matching("table.**"))
                    .allowUnused()
                    .build(),
                rest(p, "hidden.**", "out.**"))),
    LBFGS_WITH_SEARCH(
        p ->
            List.of(
                LBFGS.of(
                    p,
                    o ->
                        o.withLr(0.1)
                            .withMaxIter(3)
                            .withHistorySize(5)
                            .withLineSearch(LBFGS.LineSearch.STRONG_WOLFE))));

    private final Function<NamedParameters, List<Optimizer<?>>> maker;

    Kind(Function<NamedParameters, List<Optimizer<?>>> maker) {
      this.maker = maker;
    }
  }

  /** A table, dropout, a layer, dropout, a layer. */
  static final class Net extends Module {
    private final Embedding table;
    private final Dropout dropout;
    private final Linear hidden;
    private final Linear out;

    Net(Device device) {
      table = register("table", new Embedding(device, WORDS, 4));
      dropout = register("dropout", new Dropout(0.25));
      hidden = register("hidden", new Linear(device, 4 * WINDOW, 6));
      out = register("out", new Linear(device, 6, 1));
    }

    @Override
    public Tensor forward(Tensor words) {
      Tensor x = dropout.forward(table.forward(words).flatten(1, 2));
      return out.forward(dropout.forward(hidden.forward(x).tanh()));
    }
  }

  Training(Kind kind, Device device, long seed) {
    this.device = device;
    device.manualSeed(seed);
    model = new Net(device);
    optimizers = kind.maker.apply(model.namedParameters());
    averages = AveragedModel.ema(model, 0.8);
    optimizers.get(optimizers.size() - 1).afterStep(averages::update);
    checkpoint = new Checkpoint().model(model).averages(averages);
    for (int i = 0; i < optimizers.size(); i++) {
      Optimizer<?> optimizer = optimizers.get(i);
      optimizer.schedule(Schedules.warmup(3, Schedules.cosine(40, 1e-5)));
      checkpoint.optimizer("optimizer" + i, optimizer);
    }
    optimizers
        .get(0)
        .groups()
        .get(0)
        .schedule(Schedules.reduceOnPlateau().withPatience(1).withFactor(0.7));
    checkpoint
        .generator("device", device.generator())
        .generator("order", order)
        .generator("noise", noise);
    Generator data = new Generator(DATA_SEED);
    data.randint(ids, 0, WORDS);
    data.normal(targets, 0, 1);
  }

  private static <O extends OptimizerOptions<O>, T extends Optimizer<O>> T twoGroups(
      OptimizerBuilder<O, T> builder, NamedParameters p) {
    return builder
        .group("bias", p.matching("**.bias"), o -> o.withLr(0.02))
        .group("rest", p.others(), o -> o.withLr(0.01))
        .build();
  }

  private static Optimizer<?> rest(NamedParameters p, String... patterns) {
    var builder = SGD.withDefaults(o -> o.withLr(0.01).withMomentum(0.5)).allowUnused();
    for (String pattern : patterns) {
      builder.group(pattern, p.matching(pattern));
    }
    return builder.build();
  }

  /** Trains for some epochs, and steps the schedules after each step. */
  void train(int epochs) {
    model.train();
    long[] shuffled = new long[EXAMPLES];
    for (int epoch = 0; epoch < epochs; epoch++) {
      order.randperm(shuffled);
      for (int from = 0; from < EXAMPLES; from += BATCH) {
        step(shuffled, from, Math.min(from + BATCH, EXAMPLES));
      }
    }
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private void step(long[] shuffled, int from, int to) {
    try (Scope scope = Scope.open()) {
      int n = to - from;
      long[] words = new long[n * WINDOW];
      float[] wanted = new float[n];
      noise.normal(wanted, 0, 0.1);
      for (int i = 0; i < n; i++) {
        int row = (int) shuffled[from + i];
        System.arraycopy(ids, row * WINDOW, words, i * WINDOW, WINDOW);
        wanted[i] += targets[row];
      }
      Tensor read = device.tensor(words, n, WINDOW);
      Tensor expected = device.tensor(wanted, n, 1);
      double loss = optimizers.get(0).step(() -> backward(read, expected));
      optimizers.stream().skip(1).forEach(Optimizer::step);
      optimizers.forEach(o -> o.stepSchedules(loss));
    }
  }

  private Tensor backward(Tensor read, Tensor expected) {
    optimizers.forEach(Optimizer::zeroGrad);
    Tensor loss = Losses.mse(model.forward(read), expected);
    loss.backward();
    return loss;
  }
}
