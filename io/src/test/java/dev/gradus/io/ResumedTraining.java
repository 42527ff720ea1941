package dev.gradus.io;

import dev.gradus.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;

/** A program that goes on from the checkpoints of another one. */
final class ResumedTraining {
  private ResumedTraining() {}

  /** Goes on with every training in the folder of the first argument. */
  public static void main(String[] args) throws IOException {
    for (Training.Kind kind : Training.Kind.values()) {
      resume(kind, Path.of(args[0]));
    }
  }

  private static void resume(Training.Kind kind, Path folder) throws IOException {
    try (Device device = Device.open("cpu")) {
      // Another seed: nothing of what it gives may remain.
      Training training = new Training(kind, device, 999);
      training.order.manualSeed(999);
      training.noise.manualSeed(999);
      training.checkpoint.load(folder.resolve(kind + ".half"));
      training.train(Training.EPOCHS);
      SafeTensors.save(folder.resolve(kind + ".resumed.model"), training.model);
      training.checkpoint.save(folder.resolve(kind + ".resumed"), Notes.at(2));
    }
  }
}
