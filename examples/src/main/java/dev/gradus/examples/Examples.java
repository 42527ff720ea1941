package dev.gradus.examples;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;

/** What a model learns from: rows of ids that go in, each with the ids that should come out. */
final class Examples {
  /** The target of a place that does not count: padding behind the end of a name. */
  static final long IGNORED = -100;

  private final int width;
  private final int answers;
  private final long[] inputs;
  private final long[] targets;

  /**
   * Examples over these arrays.
   *
   * @param width the ids of a row that goes in
   * @param answers the ids that should come out for a row
   * @param inputs all rows, one after the other
   * @param targets all answers, one after the other
   */
  Examples(int width, int answers, long[] inputs, long[] targets) {
    this.width = width;
    this.answers = answers;
    this.inputs = inputs;
    this.targets = targets;
  }

  /** Some examples on a device: inputs [n, width] and targets [n * answers]. */
  record Batch(Tensor inputs, Tensor targets) {}

  /** The number of examples. */
  int count() {
    return inputs.length / width;
  }

  /** All of them, in order. */
  Batch all(Device device) {
    return new Batch(device.tensor(inputs, count(), width), device.tensor(targets));
  }

  /** Those that stand in an order from one place to before another. */
  Batch batch(Device device, long[] order, int from, int to) {
    long[] in = new long[(to - from) * width];
    long[] out = new long[(to - from) * answers];
    for (int i = from; i < to; i++) {
      int row = (int) order[i];
      System.arraycopy(inputs, row * width, in, (i - from) * width, width);
      System.arraycopy(targets, row * answers, out, (i - from) * answers, answers);
    }
    return new Batch(device.tensor(in, to - from, width), device.tensor(out));
  }
}
