package dev.gradus.examples;

import dev.gradus.nn.Embedding;
import dev.gradus.nn.LayerNorm;
import dev.gradus.nn.Linear;
import dev.gradus.nn.ModuleList;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * A small causal transformer in the manner of GPT-2: embeddings of characters and of positions,
 * blocks of attention and perceptron, the scores. It sees a name from its beginning.
 */
final class NamesGpt extends NamesModel {
  private final NamesSizes sizes;
  private final int context;
  private final Embedding tokens;
  private final Embedding positions;
  private final ModuleList<GptBlock> blocks = new ModuleList<>();
  private final LayerNorm norm;
  private final Linear scores;

  /**
   * A model with initial values.
   *
   * @param sizes context, the positions that there are, one more than the letters of the longest
   *     name; dim, the length of the vectors; heads, of which dim is a multiple; blocks
   */
  NamesGpt(Device device, NamesSizes sizes) {
    this.sizes = sizes;
    context = sizes.of("context");
    int dim = sizes.of("dim");
    tokens = register("tokens", new Embedding(device, Alphabet.SIZE, dim));
    positions = register("positions", new Embedding(device, context, dim));
    register("blocks", blocks);
    for (int i = 0; i < sizes.of("blocks"); i++) {
      blocks.add(new GptBlock(device, dim, sizes.of("heads")));
    }
    norm = register("norm", new LayerNorm(device, dim));
    scores = register("scores", new Linear(device, dim, Alphabet.SIZE));
  }

  /** Scores for each place of names: [n, time] to [n, time, 27]. */
  @Override
  public Tensor forward(Tensor ids) {
    Tensor places = ids.device().arange(ids.size(1));
    Tensor x = tokens.forward(ids).add(positions.forward(places));
    for (GptBlock block : blocks) {
      x = block.forward(x);
    }
    return scores.forward(norm.forward(x));
  }

  /** One example a name: it goes in behind an end sign, and comes out one place earlier. */
  @Override
  Examples examples(List<String> names) {
    long[] inputs = new long[names.size() * context];
    long[] targets = new long[names.size() * context];
    Arrays.fill(inputs, Alphabet.END);
    Arrays.fill(targets, Examples.IGNORED);
    for (int row = 0; row < names.size(); row++) {
      String name = names.get(row);
      int at = row * context;
      for (int i = 0; i < name.length(); i++) {
        targets[at + i] = Alphabet.id(name.charAt(i));
        inputs[at + i + 1] = targets[at + i];
      }
      targets[at + name.length()] = Alphabet.END;
    }
    return new Examples(context, context, inputs, targets);
  }

  @Override
  Tensor next(String beginning) {
    long[] ids = new long[beginning.length() + 1];
    ids[0] = Alphabet.END;
    for (int i = 0; i < beginning.length(); i++) {
      ids[i + 1] = Alphabet.id(beginning.charAt(i));
    }
    Tensor all = forward(tokens.weight().device().tensor(ids, 1, ids.length));
    return all.select(0, 0).select(0, ids.length - 1L);
  }

  @Override
  int longest() {
    return context - 1;
  }

  @Override
  NamesKind kind() {
    return NamesKind.GPT;
  }

  @Override
  NamesSizes sizes() {
    return sizes;
  }
}
