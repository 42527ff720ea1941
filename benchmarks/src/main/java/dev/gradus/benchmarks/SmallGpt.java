package dev.gradus.benchmarks;

import dev.gradus.nn.AttentionMask;
import dev.gradus.nn.Dropout;
import dev.gradus.nn.Embedding;
import dev.gradus.nn.GELU;
import dev.gradus.nn.LayerNorm;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Module;
import dev.gradus.nn.ModuleList;
import dev.gradus.nn.MultiHeadAttention;
import dev.gradus.nn.Sequential;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;

/** A small causal transformer in the manner of GPT-2, as the program's model of names is one. */
final class SmallGpt extends Module {
  private final Embedding tokens;
  private final Embedding positions;
  private final ModuleList<Block> blocks = new ModuleList<>();
  private final LayerNorm norm;
  private final Linear scores;

  SmallGpt(Device device, int vocabulary, int context, int dim, int heads, int depth) {
    tokens = register("tokens", new Embedding(device, vocabulary, dim));
    positions = register("positions", new Embedding(device, context, dim));
    register("blocks", blocks);
    for (int i = 0; i < depth; i++) {
      blocks.add(new Block(device, dim, heads));
    }
    norm = register("norm", new LayerNorm(device, dim));
    scores = register("scores", new Linear(device, dim, vocabulary));
  }

  @Override
  public Tensor forward(Tensor ids) {
    Tensor places = ids.device().arange(ids.size(1));
    Tensor x = tokens.forward(ids).add(positions.forward(places));
    for (Block block : blocks) {
      x = block.forward(x);
    }
    return scores.forward(norm.forward(x));
  }

  /** Attention, then a perceptron for each place. */
  private static final class Block extends Module {
    private final Sequential attention;
    private final Sequential perceptron;

    Block(Device device, int dim, int heads) {
      MultiHeadAttention.Options causal =
          MultiHeadAttention.Options.defaults().withMask(AttentionMask.CAUSAL);
      attention =
          register(
              "attention",
              new Sequential(
                  new LayerNorm(device, dim),
                  new MultiHeadAttention(device, dim, heads, causal),
                  new Dropout(0.1)));
      perceptron =
          register(
              "perceptron",
              new Sequential(
                  new LayerNorm(device, dim),
                  new Linear(device, dim, 4L * dim),
                  new GELU(GELU.Form.TANH),
                  new Linear(device, 4L * dim, dim),
                  new Dropout(0.1)));
    }

    @Override
    public Tensor forward(Tensor x) {
      Tensor attended = x.add(attention.forward(x));
      return attended.add(perceptron.forward(attended));
    }
  }
}
