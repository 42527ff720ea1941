package dev.gradus.examples;

import dev.gradus.io.Checkpoint;
import dev.gradus.optim.Adam;
import dev.gradus.optim.AdamW;
import dev.gradus.optim.ParamGroup;
import dev.gradus.optim.RateCurve;
import dev.gradus.optim.RateFinder;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Generator;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Profiler;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.io.IOException;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.regex.Pattern;

/** A model of names in training: AdamW with a group for the embeddings and one for the rest. */
final class NamesTraining {
  private static final Pattern EMBEDDINGS = Pattern.compile("(embedding|tokens|positions)\\..*");
  private static final double LEAST_RATE = 1e-5;
  private static final double GREATEST_RATE = 1;
  private static final MathContext RATE_DIGITS = new MathContext(3);

  private final NamesModel model;
  private final Device device;
  private final NamesSettings settings;
  private final long names;
  private final Examples training;
  private final Examples validation;
  private final Generator order;
  private final AdamW optimizer;
  private final Checkpoint checkpoint;

  /** What is done when an epoch is over. */
  @FunctionalInterface
  interface AfterEpoch {
    /** Does it. */
    void run(int epoch) throws IOException;
  }

  /**
   * A training about to begin.
   *
   * @param seed decides in which order the examples are taken
   */
  NamesTraining(NamesModel model, Device device, NamesSettings settings, Names names, long seed) {
    this.model = model;
    this.device = device;
    this.settings = settings;
    this.names = names.training().size();
    training = model.examples(names.training());
    validation = model.examples(names.validation());
    order = new Generator(seed);
    optimizer =
        AdamW.withDefaults(o -> o.withLr(settings.lr()).withWeightDecay(settings.weightDecay()))
            .group(
                "embedding",
                model.namedParameters().matching(EMBEDDINGS),
                o -> o.withLr(settings.embeddingLr()))
            .group("rest", model.namedParameters().others())
            .build();
    settings.schedule().attach(optimizer, settings.epochs());
    checkpoint =
        new Checkpoint()
            .model(model)
            .optimizer(optimizer)
            .generator("device", device.generator())
            .generator("order", order);
  }

  /** All that goes on from epoch to epoch. */
  Checkpoint checkpoint() {
    return checkpoint;
  }

  /** The groups of the optimizer as a table. */
  String groups() {
    return optimizer.describe();
  }

  /** Losses at rates that grow from step to step; the training begins all the same afterwards. */
  RateCurve findRate() {
    model.train();
    long[] shuffled = new long[training.count()];
    new Generator(order.seed()).randperm(shuffled);
    int batch = Math.min(settings.batch(), shuffled.length);
    return RateFinder.between(LEAST_RATE, GREATEST_RATE)
        .run(
            optimizer,
            model,
            step -> {
              int from = (int) ((long) step * batch % (shuffled.length - batch + 1));
              return model.loss(training.batch(device, shuffled, from, from + batch));
            });
  }

  /**
   * Trains, and prints a line after each epoch.
   *
   * @param done the epochs that are done
   */
  void run(int done, PrintWriter out, Progress progress, AfterEpoch after) throws IOException {
    for (int epoch = done + 1; epoch <= settings.epochs(); epoch++) {
      if (settings.cuts().contains(epoch)) {
        optimizer.groups().forEach(group -> group.scaleLr(settings.cutTo()));
      }
      progress.begin(epoch);
      double trained = epoch(progress);
      progress.close();
      double validation = validate();
      out.printf(
          Locale.ROOT,
          "epoch %2d  training loss %.4f  validation loss %.4f  lr %s%n",
          epoch,
          trained,
          validation,
          rates());
      optimizer.stepSchedules(validation);
      after.run(epoch);
    }
  }

  /** One pass over the examples in a new order; the mean loss of its steps. */
  private double epoch(Progress progress) {
    model.train();
    long[] shuffled = new long[training.count()];
    order.randperm(shuffled);
    String rates = rates();
    double sum = 0;
    int steps = 0;
    for (int from = 0; from < shuffled.length; from += settings.batch()) {
      int to = Math.min(from + settings.batch(), shuffled.length);
      double loss = step(shuffled, from, to);
      sum += loss;
      steps++;
      progress.step(names * to / shuffled.length, loss, rates);
    }
    return sum / steps;
  }

  /** One step of the optimizer; the loss before it. */
  @SuppressWarnings("try") // scope and span are open for their effect
  private double step(long[] shuffled, int from, int to) {
    try (Scope scope = Scope.open();
        Profiler.Span measured = device.profiler().step()) {
      optimizer.zeroGrad();
      Tensor loss = model.loss(training.batch(device, shuffled, from, to));
      loss.backward();
      optimizer.step();
      return loss.item();
    }
  }

  /** The loss on the names that no step saw. */
  @SuppressWarnings("try") // scope and block are open for their effect
  double validate() {
    model.eval();
    try (Scope scope = Scope.open();
        NoGrad off = NoGrad.open()) {
      return model.loss(validation.all(device)).item();
    }
  }

  /** The learning rates in force, as {@code embedding 0.01, rest 0.005}. */
  private String rates() {
    StringJoiner rates = new StringJoiner(", ");
    for (ParamGroup<Adam.Options> group : optimizer.groups()) {
      BigDecimal rate = BigDecimal.valueOf(group.lrNow()).round(RATE_DIGITS);
      rates.add(group.name() + " " + rate.stripTrailingZeros().toPlainString());
    }
    return rates.toString();
  }
}
