package dev.gradus.examples;

import dev.gradus.io.Checkpoint;
import dev.gradus.io.SafeTensors;
import dev.gradus.nn.Losses;
import dev.gradus.optim.AdamW;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Generator;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Profiler;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gradus train digits}: learns to read handwritten digits. */
@Command(
    name = "digits",
    description = "Learns to read handwritten digits of 8×8 pixels; a fifth of them is held out.")
final class TrainDigits implements Callable<Integer> {
  private static final double CUT = 0.1;
  private static final double PERCENT = 100;

  @Mixin private Context context = new Context();

  @Mixin private DeviceOptions deviceOptions = new DeviceOptions();

  @Mixin private SeedOption seed = new SeedOption();

  @Mixin private SaveOption save = new SaveOption();

  @Mixin private CheckpointOptions checkpoints = new CheckpointOptions();

  @Mixin private ProfileOption profile = new ProfileOption();

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "30",
      description =
          "Passes over the digits, the last third at a tenth of the rate; default:"
              + " ${DEFAULT-VALUE}.")
  private int epochs;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "32",
      description = "Digits in a step; default: ${DEFAULT-VALUE}.")
  private int batch;

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      defaultValue = "0.005",
      description = "Learning rate; default: ${DEFAULT-VALUE}.")
  private double lr;

  @Override
  public Integer call() throws IOException {
    checkpoints.check(context, "--seed", "--batch", "--lr");
    save.check(context);
    DigitsRun run = run();
    PrintWriter out = context.out();
    Profiler profiler = profile.profiler();
    try (Device device = deviceOptions.open(profiler)) {
      device.manualSeed(run.seed());
      DigitsClassifier model = new DigitsClassifier(device);
      Digits.Split digits = Digits.load().split(run.seed());
      out.println(model);
      train(run, model, digits.training(), device);
      report(confusion(model, digits.heldOut(), device), out);
      if (save.file() != null) {
        SafeTensors.save(save.file(), model, Map.of("model", "digits"));
        out.println("saved as " + save.file());
      }
    }
    profile.report(context, profiler);
    return ExitCode.OK;
  }

  /** What the command line asks for, or the checkpoint, with the epochs of this command line. */
  private DigitsRun run() throws IOException {
    Path resume = checkpoints.resume();
    DigitsRun given = new DigitsRun(epochs, batch, lr, seed.value());
    if (resume != null) {
      DigitsRun saved = DigitsRun.of(resume, Checkpoint.notes(resume));
      int asked = context.isGiven("--epochs") ? epochs : saved.epochs();
      given = new DigitsRun(asked, saved.batch(), saved.lr(), saved.seed());
    }
    context.atLeastOne("--epochs", given.epochs());
    context.atLeastOne("--batch", given.batch());
    context.positive("--lr", given.lr());
    return given;
  }

  @SuppressWarnings("try") // scope and span are open for their effect
  private void train(DigitsRun run, DigitsClassifier model, Digits digits, Device device)
      throws IOException {
    AdamW optimizer = AdamW.of(model.namedParameters(), o -> o.withLr(run.lr()));
    Generator shuffle = new Generator(run.seed());
    Checkpoint checkpoint =
        new Checkpoint()
            .model(model)
            .optimizer(optimizer)
            .generator("device", device.generator())
            .generator("order", shuffle);
    long[] order = new long[digits.count()];
    int done = checkpoints.load(context, checkpoint, run.epochs());
    for (int epoch = done + 1; epoch <= run.epochs(); epoch++) {
      if (epoch == run.epochs() * 2 / 3 + 1) {
        optimizer.groups().forEach(group -> group.scaleLr(CUT));
      }
      shuffle.randperm(order);
      double loss = 0;
      for (int from = 0; from < order.length; from += run.batch()) {
        int to = Math.min(from + run.batch(), order.length);
        try (Scope scope = Scope.open();
            Profiler.Span measured = device.profiler().step()) {
          Digits.Batch some = digits.batch(device, order, from, to);
          optimizer.zeroGrad();
          Tensor mean = Losses.crossEntropy(model.forward(some.pixels()), some.labels());
          mean.backward();
          optimizer.step();
          loss += mean.item() * (to - from);
        }
      }
      context
          .out()
          .printf(Locale.ROOT, "epoch %2d  training loss %.4f%n", epoch, loss / digits.count());
      checkpoints.save(checkpoint, run.notes(epoch));
    }
  }

  /** How often each digit, the row, was read as each, the column. */
  @SuppressWarnings("try") // scope and block are open for their effect
  private static int[][] confusion(DigitsClassifier model, Digits digits, Device device) {
    int[][] counts = new int[Digits.CLASSES][Digits.CLASSES];
    try (Scope scope = Scope.open();
        NoGrad off = NoGrad.open()) {
      Tensor scores = model.forward(digits.all(device).pixels());
      long[] read = scores.argmax(1, false).toLongArray();
      for (int i = 0; i < read.length; i++) {
        counts[digits.label(i)][(int) read[i]]++;
      }
    }
    return counts;
  }

  private static void report(int[][] confusion, PrintWriter out) {
    int right = 0;
    int all = 0;
    StringBuilder table = new StringBuilder("is \\ read as");
    for (int digit = 0; digit < Digits.CLASSES; digit++) {
      table.append(String.format(Locale.ROOT, "%4d", digit));
    }
    for (int digit = 0; digit < Digits.CLASSES; digit++) {
      table.append(String.format(Locale.ROOT, "%n%12d", digit));
      for (int read = 0; read < Digits.CLASSES; read++) {
        table.append(String.format(Locale.ROOT, "%4d", confusion[digit][read]));
        all += confusion[digit][read];
      }
      right += confusion[digit][digit];
    }
    out.printf(Locale.ROOT, "%naccuracy %.2f %%%n%n%s%n", PERCENT * right / all, table);
  }
}
