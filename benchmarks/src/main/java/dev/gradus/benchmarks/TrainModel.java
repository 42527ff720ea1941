package dev.gradus.benchmarks;

import dev.gradus.nn.Embedding;
import dev.gradus.nn.Flatten;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Losses;
import dev.gradus.nn.Module;
import dev.gradus.nn.ReLU;
import dev.gradus.nn.Sequential;
import dev.gradus.nn.Sigmoid;
import dev.gradus.nn.Tanh;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;

/** Models that are trained, of the sizes of the program's, with a batch that stays. */
public enum TrainModel {
  /** The model of the tour: five ids, each to a probability; linear2 in a group of its own. */
  TOUR("2.**") {
    @Override
    Module model(Device device) {
      return new Sequential(
          new Embedding(device, 5, 5),
          new Linear(device, 5, 3),
          new Linear(device, 3, 1),
          new Sigmoid());
    }

    @Override
    Batch batch(Device device) {
      Tensor wanted = device.tensor(new float[] {0, 1, 0, 1, 1}, 5, 1);
      return new Batch(device.arange(5), wanted);
    }

    @Override
    Tensor loss(Tensor scores, Tensor targets) {
      return Losses.binaryCrossEntropy(scores, targets);
    }
  },

  /** 784-512-512-10 with 64 pictures a step. */
  PERCEPTRON_64("0.**") {
    @Override
    Module model(Device device) {
      return perceptron(device);
    }

    @Override
    Batch batch(Device device) {
      return pictures(device, 64);
    }
  },

  /** 784-512-512-10 with 256 pictures a step. */
  PERCEPTRON_256("0.**") {
    @Override
    Module model(Device device) {
      return perceptron(device);
    }

    @Override
    Batch batch(Device device) {
      return pictures(device, 256);
    }
  },

  /** The perceptron of names: 256 windows of eight characters a step. */
  NAMES_MLP("0.**") {
    @Override
    Module model(Device device) {
      return new Sequential(
          new Embedding(device, CHARACTERS, 24),
          new Flatten(1, 2),
          new Linear(device, 8 * 24, 128),
          new Tanh(),
          new Linear(device, 128, CHARACTERS));
    }

    @Override
    Batch batch(Device device) {
      return characters(device, 256, 8, 1);
    }
  },

  /** The transformer of names: 64 names of 14 places a step. */
  NAMES_GPT("tokens.**") {
    @Override
    Module model(Device device) {
      return new SmallGpt(device, CHARACTERS, 14, 64, 4, 2);
    }

    @Override
    Batch batch(Device device) {
      return characters(device, 64, 14, 14);
    }
  };

  private static final int CHARACTERS = 27;

  private final String group;

  TrainModel(String group) {
    this.group = group;
  }

  /** Some examples: what goes in, and what should come out. */
  record Batch(Tensor inputs, Tensor targets) {}

  abstract Module model(Device device);

  abstract Batch batch(Device device);

  /** The names of the parameters that have a group of their own. */
  String group() {
    return group;
  }

  /** Cross-entropy, unless the model says otherwise. */
  Tensor loss(Tensor scores, Tensor targets) {
    return Losses.crossEntropy(scores.reshape(-1, scores.size(-1)), targets);
  }

  private static Module perceptron(Device device) {
    return new Sequential(
        new Linear(device, 784, 512),
        new ReLU(),
        new Linear(device, 512, 512),
        new ReLU(),
        new Linear(device, 512, 10));
  }

  private static Batch pictures(Device device, int count) {
    return new Batch(
        device.tensor(pixels(count), count, 784), device.tensor(Numbers.ids(count, 2, 10)));
  }

  /**
   * Of either sign. Were all of them positive, many units would be dead for the whole batch: their
   * first moments, which decay, are subnormal after 800 steps, and Adam takes several times as
   * long.
   */
  static float[] pixels(int count) {
    return Numbers.uniform(count * 784, 1, -1, 1);
  }

  private static Batch characters(Device device, int count, int width, int answers) {
    Tensor ids = device.tensor(Numbers.ids(count * width, 1, CHARACTERS), count, width);
    return new Batch(ids, device.tensor(Numbers.ids(count * answers, 2, CHARACTERS)));
  }
}
