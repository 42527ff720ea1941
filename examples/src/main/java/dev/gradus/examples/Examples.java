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

  /**
   * Those that stand in an order from one place to before another. Of examples with many answers
   * only as many places are taken as the longest has: the others are padding.
   */
  Batch batch(Device device, long[] order, int from, int to) {
    int out = longest(order, from, to);
    int in = answers == 1 ? width : out;
    long[] ids = new long[(to - from) * in];
    long[] wanted = new long[(to - from) * out];
    for (int i = from; i < to; i++) {
      int row = (int) order[i];
      System.arraycopy(inputs, row * width, ids, (i - from) * in, in);
      System.arraycopy(targets, row * answers, wanted, (i - from) * out, out);
    }
    return new Batch(device.tensor(ids, to - from, in), device.tensor(wanted));
  }

  private int longest(long[] order, int from, int to) {
    int longest = 1;
    for (int i = from; i < to; i++) {
      int end = (int) (order[i] + 1) * answers;
      int places = answers;
      while (places > longest && targets[end - answers + places - 1] == IGNORED) {
        places--;
      }
      longest = Math.max(longest, places);
    }
    return longest;
  }
}
