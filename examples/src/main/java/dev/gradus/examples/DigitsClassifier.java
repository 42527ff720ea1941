package dev.gradus.examples;

import dev.gradus.nn.Linear;
import dev.gradus.nn.Module;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;

/** Two layers that tell a digit from its pixels: [n, 64] to scores [n, 10]. */
final class DigitsClassifier extends Module {
  private static final int UNITS = 256;

  private final Linear hidden;
  private final Linear scores;

  DigitsClassifier(Device device) {
    hidden = register("hidden", new Linear(device, Digits.PIXELS, UNITS));
    scores = register("scores", new Linear(device, UNITS, Digits.CLASSES));
  }

  @Override
  public Tensor forward(Tensor pixels) {
    return scores.forward(hidden.forward(pixels).relu());
  }
}
