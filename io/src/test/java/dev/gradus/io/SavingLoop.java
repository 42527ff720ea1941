package dev.gradus.io;

import dev.gradus.nn.Module;
import dev.gradus.nn.Parameter;
import dev.gradus.optim.SGD;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;

/** A program that trains and replaces one checkpoint again and again, until it is killed. */
final class SavingLoop {
  /** Several parts, so that a kill finds the file half written. */
  private static final int ELEMENTS = 2 * Parts.ELEMENTS + 5;

  final Parameter weight;
  final SGD optimizer;
  final Checkpoint checkpoint;

  /** A parameter whose elements are all the same. */
  private static final class Net extends Module {
    final Parameter weight;

    Net(Device device) {
      weight = registerParameter("weight", new Parameter(device.zeros(ELEMENTS)));
    }
  }

  SavingLoop(Device device) {
    Net net = new Net(device);
    weight = net.weight;
    optimizer = SGD.of(net.namedParameters(), o -> o.withLr(1).withMomentum(0.5));
    checkpoint =
        new Checkpoint().model(net).optimizer(optimizer).generator("device", device.generator());
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private void step(Path file) throws IOException {
    try (Scope scope = Scope.open()) {
      optimizer.zeroGrad();
      weight.sum().backward();
      optimizer.step();
      double[] both = {first(weight), first(buffer())};
      checkpoint.save(
          file,
          Notes.at(optimizer.stepsOf(weight)).with("weight", both[0]).with("buffer", both[1]));
    }
  }

  /** Its momentum. */
  Tensor buffer() {
    return optimizer
        .stateDict()
        .parameters()
        .get("weight")
        .buffers()
        .get("momentum_buffer")
        .on(weight.device());
  }

  private static double first(Tensor t) {
    return t.narrow(0, 0, 1).item();
  }

  /** Saves to the path in the first argument; a line says that the first file is there. */
  public static void main(String[] args) throws Exception {
    try (Device device = Device.open("cpu")) {
      SavingLoop loop = new SavingLoop(device);
      loop.step(Path.of(args[0]));
      System.out.println("saved");
      while (true) {
        loop.step(Path.of(args[0]));
      }
    }
  }
}
