package dev.gradus.examples;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Generator;
import dev.gradus.tensor.Tensor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * Handwritten digits of 8×8 pixels with their labels; PROVENANCE.md beside the file tells where
 * they come from.
 */
final class Digits {
  /** The pixels of a digit. */
  static final int PIXELS = 64;

  /** The labels that there are. */
  static final int CLASSES = 10;

  private static final float WHITEST = 16;
  private static final int HELD_OUT_PART = 5;

  private final float[] pixels;
  private final long[] labels;

  /** So many digits, to be filled. */
  private Digits(int count) {
    pixels = new float[count * PIXELS];
    labels = new long[count];
  }

  /** Digits to train on, and a fifth that no training sees. */
  record Split(Digits training, Digits heldOut) {}

  /** Some digits on a device: pixels [n, 64] and labels [n]. */
  record Batch(Tensor pixels, Tensor labels) {}

  /** All 1,797 digits, in the file's order. */
  static Digits load() throws IOException {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Resources.open("digits.csv.gz")), StandardCharsets.UTF_8))) {
      List<String> rows = lines.lines().toList();
      Digits digits = new Digits(rows.size());
      for (int i = 0; i < rows.size(); i++) {
        String[] values = rows.get(i).split(",", -1);
        for (int p = 0; p < PIXELS; p++) {
          digits.pixels[i * PIXELS + p] = Float.parseFloat(values[p]) / WHITEST;
        }
        digits.labels[i] = Long.parseLong(values[PIXELS]);
      }
      return digits;
    }
  }

  /** The number of digits. */
  int count() {
    return labels.length;
  }

  /** What a digit is, 0 to 9. */
  int label(int index) {
    return (int) labels[index];
  }

  /** The digits in an order drawn from the seed, a fifth of them set aside. */
  Split split(long seed) {
    long[] order = new long[count()];
    new Generator(seed).randperm(order);
    int held = count() / HELD_OUT_PART;
    return new Split(pick(order, held, count()), pick(order, 0, held));
  }

  /** All of them, in order. */
  Batch all(Device device) {
    return new Batch(device.tensor(pixels, count(), PIXELS), device.tensor(labels));
  }

  /** Those that stand in an order from one place to before another. */
  Batch batch(Device device, long[] order, int from, int to) {
    return pick(order, from, to).all(device);
  }

  private Digits pick(long[] order, int from, int to) {
    Digits picked = new Digits(to - from);
    for (int i = from; i < to; i++) {
      int row = (int) order[i];
      System.arraycopy(pixels, row * PIXELS, picked.pixels, (i - from) * PIXELS, PIXELS);
      picked.labels[i - from] = labels[row];
    }
    return picked;
  }
}
