package dev.gradus.examples;

import dev.gradus.nn.Losses;
import dev.gradus.nn.Parameter;
import dev.gradus.optim.Adam;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code gradus tour}: a model, its parameters, optimizers with groups, and a short training. */
@Command(
    name = "tour",
    description = "Shows a model, its parameters, optimizers with groups, and a training.")
final class Tour implements Runnable {
  private static final int EPOCHS = 20;
  private static final int CUT_EPOCH = 10;
  private static final double CUT = 0.1;

  @Mixin private Context context = new Context();

  @Mixin private DeviceOptions deviceOptions = new DeviceOptions();

  @Mixin private SeedOption seed = new SeedOption();

  @Override
  public void run() {
    PrintWriter out = context.out();
    try (Device device = deviceOptions.open()) {
      device.manualSeed(seed.value());
      SeedModel model = new SeedModel(device);
      showParameters(model, out);
      showOneGroup(model, out);
      Adam adam = showTwoGroups(model, out);
      train(model, adam, device, out);
      heading(out, "The embedding after training");
      out.println(model.emb.weight());
    }
  }

  private static void showParameters(SeedModel model, PrintWriter out) {
    out.println("The model");
    out.println(model);

    heading(out, "A parameter, linear2.weight, and its data");
    out.println(model.linear2.weight());
    out.println(model.linear2.weight().detach());

    heading(out, "All parameters, with type and data");
    for (Parameter p : model.parameters()) {
      out.println(p.getClass().getSimpleName() + " of " + p.dtype().label());
      out.println(p.detach());
    }

    heading(out, "All names, with sizes");
    for (Map.Entry<String, Parameter> e : model.namedParameters()) {
      out.println(e.getKey() + " " + e.getValue().shape());
    }
  }

  private static void showOneGroup(SeedModel model, PrintWriter out) {
    heading(out, "An Adam with all parameters in one group");
    Adam adam = Adam.of(model.namedParameters(), o -> o.withLr(0.001));
    out.println(adam);
  }

  private static Adam showTwoGroups(SeedModel model, PrintWriter out) {
    heading(out, "An Adam with linear2 in a group of its own");
    Adam adam =
        Adam.withDefaults(o -> o.withLr(0.01))
            .group("head", model.namedParameters().matching("linear2.**"), o -> o.withLr(0.1))
            .group("rest", model.namedParameters().others())
            .build();
    out.println(adam);
    return adam;
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private static void train(SeedModel model, Adam adam, Device device, PrintWriter out) {
    heading(out, "Training; at epoch " + CUT_EPOCH + " both rates are cut to a tenth");
    Tensor x = device.arange(5);
    Tensor y = device.tensor(new float[] {0, 1, 0, 1, 1}, 5, 1);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      if (epoch == CUT_EPOCH) {
        adam.groups().forEach(g -> g.scaleLr(CUT));
      }
      try (Scope step = Scope.open()) {
        adam.zeroGrad();
        Tensor loss = Losses.binaryCrossEntropy(model.forward(x), y);
        loss.backward();
        adam.step();
        out.printf(
            Locale.ROOT,
            "epoch %2d  loss %.4f  lr head %.4f  rest %.4f%n",
            epoch,
            loss.item(),
            adam.group("head").lr(),
            adam.group("rest").lr());
      }
    }
  }

  private static void heading(PrintWriter out, String text) {
    out.println();
    out.println(text);
  }
}
