package dev.gradus.examples;

import dev.gradus.nn.Embedding;
import dev.gradus.nn.Linear;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * A perceptron that sees a fixed number of characters, after Bengio and others, "A Neural
 * Probabilistic Language Model" (2003): their embeddings in one row, a hidden layer, the scores.
 */
final class NamesMlp extends NamesModel {
  private static final int LONGEST = 20;

  private final NamesSizes sizes;
  private final int context;
  private final Embedding embedding;
  private final Linear hidden;
  private final Linear scores;

  /**
   * A model with initial values.
   *
   * @param sizes context, the characters that it sees; embedding, the length of a character's
   *     vector; hidden, the units of the hidden layer
   */
  NamesMlp(Device device, NamesSizes sizes) {
    this.sizes = sizes;
    context = sizes.of("context");
    int length = sizes.of("embedding");
    int units = sizes.of("hidden");
    embedding = register("embedding", new Embedding(device, Alphabet.SIZE, length));
    hidden = register("hidden", new Linear(device, (long) context * length, units));
    scores = register("scores", new Linear(device, units, Alphabet.SIZE));
  }

  /** Scores for windows of characters: [n, context] to [n, 27]. */
  @Override
  public Tensor forward(Tensor ids) {
    Tensor seen = embedding.forward(ids).flatten(1, 2);
    return scores.forward(hidden.forward(seen).tanh());
  }

  /** One example a character: the window before it, and itself. */
  @Override
  Examples examples(List<String> names) {
    int count = names.stream().mapToInt(name -> name.length() + 1).sum();
    long[] inputs = new long[count * context];
    long[] targets = new long[count];
    int row = 0;
    for (String name : names) {
      for (int i = 0; i <= name.length(); i++) {
        System.arraycopy(window(name.substring(0, i)), 0, inputs, row * context, context);
        targets[row++] = i < name.length() ? Alphabet.id(name.charAt(i)) : Alphabet.END;
      }
    }
    return new Examples(context, 1, inputs, targets);
  }

  /** The last characters of a beginning, with padding before them where they are too few. */
  private long[] window(String beginning) {
    long[] ids = new long[context];
    Arrays.fill(ids, Alphabet.END);
    int seen = Math.min(context, beginning.length());
    for (int i = 0; i < seen; i++) {
      ids[context - 1 - i] = Alphabet.id(beginning.charAt(beginning.length() - 1 - i));
    }
    return ids;
  }

  @Override
  Tensor next(String beginning) {
    Tensor ids = embedding.weight().device().tensor(window(beginning), 1, context);
    return forward(ids).select(0, 0);
  }

  @Override
  int longest() {
    return LONGEST;
  }

  @Override
  NamesKind kind() {
    return NamesKind.MLP;
  }

  @Override
  NamesSizes sizes() {
    return sizes;
  }
}
