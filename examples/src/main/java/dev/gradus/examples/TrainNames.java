package dev.gradus.examples;

import dev.gradus.tensor.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code gradus train names}: learns how first names are spelled, and writes some. */
@Command(
    name = "names",
    description = {
      "Learns how first names are spelled, and writes some.",
      "One seed gives one output. The validation loss is the mean cross-entropy of a character,"
          + " the end of a name being one, in names that were not trained on: the models can be"
          + " compared by it."
    })
final class TrainNames implements Callable<Integer> {
  private static final int NAMES_WRITTEN = 10;

  @Spec private CommandSpec spec;

  @Mixin private DeviceOptions deviceOptions;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      defaultValue = "mlp",
      description = "mlp, which sees eight characters, or gpt, a small transformer; default: mlp.")
  private NamesKind kind = NamesKind.MLP;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes over the names; default: 12, gpt 16.")
  private @Nullable Integer epochs;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Examples in a step: characters, gpt names; default: 256, gpt 64.")
  private @Nullable Integer batch;

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      description = "Learning rate of all but the embeddings; default: 0.005, gpt 0.003.")
  private @Nullable Double lr;

  @Option(
      names = "--embedding-lr",
      paramLabel = "RATE",
      description = "Learning rate of the embeddings; default: 0.01, gpt 0.003.")
  private @Nullable Double embeddingLr;

  @Option(
      names = "--weight-decay",
      paramLabel = "PART",
      description = "Weight decay of AdamW; default: 0.01.")
  private @Nullable Double weightDecay;

  @Option(
      names = "--cut-at",
      paramLabel = "EPOCH",
      split = ",",
      description = "Epochs before which the rates are cut to a tenth; default: 7,11, gpt 10,15.")
  private @Nullable List<Integer> cuts;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Start of the random numbers; default: 0.")
  private long seed;

  @Option(
      names = "--save",
      paramLabel = "FILE",
      description = "Writes the trained model to this safetensors file.")
  private @Nullable Path save;

  @Option(names = "--no-progress", description = "Shows no progress on standard error.")
  private boolean noProgress;

  @Override
  public Integer call() throws IOException {
    NamesSettings settings = settings();
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    try (Device device = deviceOptions.open()) {
      device.manualSeed(seed);
      NamesModel model = kind.create(device, kind.sizes());
      Names names = Names.split(Names.load(), seed);
      NamesTraining training = new NamesTraining(model, device, settings, names, seed);
      describe(out, model, names, training);

      long begun = System.nanoTime();
      training.run(out, Progress.of(progress(), err, names.training().size()));
      if (!noProgress) {
        err.println(took(System.nanoTime() - begun, settings, names));
      }
      if (save != null) {
        NamesFile.save(save, model);
      }
      out.println();
      NameWriter writer = new NameWriter(model, seed, 1);
      for (int i = 0; i < NAMES_WRITTEN; i++) {
        out.println(writer.write());
      }
    }
    return 0;
  }
}
