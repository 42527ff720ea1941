package dev.gradus.examples;

import dev.gradus.tensor.Generator;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Scope;

/** Writes names: draws one character after another by the scores of a model. */
final class NameWriter {
  private final NamesModel model;
  private final Generator generator;
  private final double temperature;

  /**
   * A writer.
   *
   * @param seed decides which names it writes
   * @param temperature above 0: lower keeps to the likeliest characters, 1 is what the model
   *     learned, higher dares more
   */
  NameWriter(NamesModel model, long seed, double temperature) {
    this.model = model;
    this.generator = new Generator(seed);
    this.temperature = temperature;
    model.eval();
  }

  /** A name, with a capital letter. */
  String write() {
    StringBuilder name = new StringBuilder();
    int id = draw("");
    while (id != Alphabet.END && name.length() < model.longest()) {
      name.append(Alphabet.character(id));
      id = draw(name.toString());
    }
    if (name.length() > 0) {
      name.setCharAt(0, Character.toUpperCase(name.charAt(0)));
    }
    return name.toString();
  }

  @SuppressWarnings("try") // scope and block are open for their effect
  private int draw(String beginning) {
    try (Scope scope = Scope.open();
        NoGrad off = NoGrad.open()) {
      float[] chances = model.next(beginning).div(temperature).softmax(0).toFloatArray();
      double[] point = new double[1];
      generator.uniform(point, 0, 1);
      return pick(chances, point[0]);
    }
  }

  /** The first id at which the chances add up to more than a point in [0, 1). */
  private static int pick(float[] chances, double point) {
    double sum = 0;
    for (int id = 0; id < chances.length; id++) {
      sum += chances[id];
      if (point < sum) {
        return id;
      }
    }
    return chances.length - 1; // the chances add up to 1 only but for rounding
  }
}
