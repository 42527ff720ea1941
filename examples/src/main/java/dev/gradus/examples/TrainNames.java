package dev.gradus.examples;

import dev.gradus.io.Checkpoint;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Profiler;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code gradus train names}: learns how first names are spelled, and writes some. */
@Command(
    name = "names",
    description = {
      "Learns how first names are spelled, and writes some.",
      "The validation loss is the mean cross-entropy of a character in names that were not trained"
          + " on, the end of a name being one: models can be compared by it. One seed gives one"
          + " output, whatever the number of threads; times go to standard error."
    })
final class TrainNames implements Callable<Integer> {
  private static final int NAMES_WRITTEN = 10;
  private static final double NANOS_PER_SECOND = 1e9;

  @Mixin private Context context = new Context();

  @Mixin private DeviceOptions deviceOptions = new DeviceOptions();

  @Mixin private SeedOption seed = new SeedOption();

  @Mixin private SaveOption save = new SaveOption();

  @Mixin private CheckpointOptions checkpoints = new CheckpointOptions();

  @Mixin private ProfileOption profile = new ProfileOption();

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      defaultValue = "mlp",
      description = "mlp sees eight characters, gpt is a small transformer; default: mlp.")
  private NamesKind model = NamesKind.MLP;

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the names.")
  private @Nullable Integer epochs;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Examples in a step: characters for mlp, names for gpt.")
  private @Nullable Integer batch;

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      description = "Learning rate of all but the embeddings.")
  private @Nullable Double lr;

  @Option(
      names = "--embedding-lr",
      paramLabel = "RATE",
      description = "Learning rate of the embeddings.")
  private @Nullable Double embeddingLr;

  @Option(
      names = "--weight-decay",
      paramLabel = "DECAY",
      description = "AdamW's decoupled weight decay.")
  private @Nullable Double weightDecay;

  @Option(
      names = "--schedule",
      paramLabel = "COURSE",
      description =
          "How the rates change from epoch to epoch: none; linear or cosine, which fall to 0;"
              + " onecycle, which rises first; plateau, a tenth where the validation loss stalls."
              + " With another than the model's there are no cuts but those given.")
  private @Nullable RateSchedule schedule;

  @Option(
      names = "--cut-at",
      paramLabel = "EPOCH",
      split = ",",
      description = "Epochs, from 1, that begin with a cut of both rates.")
  private @Nullable List<Integer> cuts;

  @Option(names = "--cut-to", paramLabel = "PART", description = "What a cut leaves of the rates.")
  private @Nullable Double cutTo;

  @Option(
      names = "--find-rate",
      description = {
        "Trains nothing: prints the loss at learning rates that grow from step to step, and marks"
            + " one to start from."
      })
  private boolean findRate;

  @Option(names = "--no-progress", description = "Shows no progress on standard error.")
  private boolean noProgress;

  /** Adds to the help what the options are unless given. */
  @Spec
  void describeDefaults(CommandSpec spec) {
    List<String> lines = new ArrayList<>(List.of("", "Unless given, these are:"));
    for (NamesKind kind : NamesKind.values()) {
      lines.add("  --model " + kind + " " + kind.settings());
    }
    spec.usageMessage().footer(lines.toArray(String[]::new));
  }

  @Override
  public Integer call() throws IOException {
    checkpoints.check(
        context,
        "--model",
        "--seed",
        "--batch",
        "--lr",
        "--embedding-lr",
        "--weight-decay",
        "--schedule",
        "--cut-at",
        "--cut-to");
    save.check(context);
    Path resume = checkpoints.resume();
    NamesRun run =
        resume == null
            ? new NamesRun(model, settings(model.settings()), seed.value())
            : resumed(NamesRun.of(resume, Checkpoint.notes(resume)));
    Profiler profiler = profile.profiler();
    try (Device device = deviceOptions.open(profiler)) {
      train(device, run);
    }
    profile.report(context, profiler);
    return ExitCode.OK;
  }

  /** The run of a checkpoint, with the epochs of this command line. */
  private NamesRun resumed(NamesRun run) {
    return new NamesRun(run.kind(), settings(run.settings()), run.seed());
  }

  private void train(Device device, NamesRun run) throws IOException {
    device.manualSeed(run.seed());
    NamesModel net = run.kind().create(device, run.kind().sizes());
    Names names = Names.split(Names.load(), run.seed());
    NamesTraining training = new NamesTraining(net, device, run.settings(), names, run.seed());
    int done = checkpoints.load(context, training.checkpoint(), run.settings().epochs());
    describe(net, names, training);
    if (findRate) {
      context
          .out()
          .println("rate of the group with the greatest; the others keep their ratio to it");
      context.out().print(training.findRate());
      return;
    }

    int perEpoch = names.training().size();
    long begun = System.nanoTime();
    training.run(
        done,
        context.out(),
        Progress.of(form(), context.err(), perEpoch),
        epoch -> checkpoints.save(training.checkpoint(), run.notes(epoch)));
    double seconds = (System.nanoTime() - begun) / NANOS_PER_SECOND;
    int epochs = run.settings().epochs() - done;
    if (epochs > 0) {
      double perSecond = (double) epochs * perEpoch / seconds;
      context
          .err()
          .printf(Locale.ROOT, "took %.1f s, %,.0f names per second%n", seconds, perSecond);
    }

    if (save.file() != null) {
      NamesFile.save(save.file(), net);
      context.out().println("saved as " + save.file());
    }
    write(net, run.seed());
  }

  private void describe(NamesModel net, Names names, NamesTraining training) {
    PrintWriter out = context.out();
    out.printf(Locale.ROOT, "%d names to train on, ", names.training().size());
    out.printf(Locale.ROOT, "%d to validate with%n", names.validation().size());
    out.println(net);
    out.printf(
        Locale.ROOT, "%d parameters%n", net.parameters().stream().mapToLong(p -> p.numel()).sum());
    out.println(training.groups());
  }

  private void write(NamesModel net, long seedOfRun) {
    NameWriter writer = new NameWriter(net, seedOfRun, 1);
    context.out().println();
    for (int i = 0; i < NAMES_WRITTEN; i++) {
      context.out().println(writer.write());
    }
  }

  private Progress.Form form() {
    if (noProgress) {
      return Progress.Form.NONE;
    }
    return Terminal.isInteractive() ? Progress.Form.BAR : Progress.Form.LINES;
  }

  /** The usual settings, with those that options replace. */
  private NamesSettings settings(NamesSettings usual) {
    return new NamesSettings(
        context.atLeastOne("--epochs", given(epochs, usual.epochs())),
        context.atLeastOne("--batch", given(batch, usual.batch())),
        context.positive("--lr", given(lr, usual.lr())),
        context.positive("--embedding-lr", given(embeddingLr, usual.embeddingLr())),
        context.notNegative("--weight-decay", given(weightDecay, usual.weightDecay())),
        given(schedule, usual.schedule()),
        cuts(usual),
        context.positive("--cut-to", given(cutTo, usual.cutTo())));
  }

  private List<Integer> cuts(NamesSettings usual) {
    RateSchedule course = given(schedule, usual.schedule());
    List<Integer> epochsOfCuts = given(cuts, course == usual.schedule() ? usual.cuts() : List.of());
    if (!epochsOfCuts.isEmpty() && !course.takesCuts()) {
      throw context.wrong("--cut-at cannot be used with --schedule " + course);
    }
    epochsOfCuts.forEach(epoch -> context.atLeastOne("--cut-at", epoch));
    return epochsOfCuts;
  }

  private static <T> T given(@Nullable T option, T usual) {
    return option == null ? usual : option;
  }
}
