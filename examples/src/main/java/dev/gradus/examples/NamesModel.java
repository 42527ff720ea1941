package dev.gradus.examples;

import dev.gradus.nn.CrossEntropyOptions;
import dev.gradus.nn.Losses;
import dev.gradus.nn.Module;
import dev.gradus.tensor.Tensor;
import java.util.List;

/** A model that tells the next character of a name from those before it. */
abstract class NamesModel extends Module {
  private static final CrossEntropyOptions PER_CHARACTER =
      CrossEntropyOptions.defaults().withIgnoreIndex(Examples.IGNORED);

  /** Which model it is. */
  abstract NamesKind kind();

  /** The sizes that it was made with, by name: with {@link #kind()} enough to make it again. */
  abstract NamesSizes sizes();

  /** What there is to learn from names: each character once, and the end of each name. */
  abstract Examples examples(List<String> names);

  /** The scores of each character to come after the beginning of a name: [27]. */
  abstract Tensor next(String beginning);

  /** The longest name that it can write. */
  abstract int longest();

  /**
   * The mean cross-entropy of the characters in a batch, the end of a name being one: the same
   * measure for every model.
   */
  final Tensor loss(Examples.Batch batch) {
    Tensor scores = forward(batch.inputs()).reshape(-1, Alphabet.SIZE);
    return Losses.crossEntropy(scores, batch.targets(), PER_CHARACTER);
  }
}
