package dev.gradus.examples;

import dev.gradus.nn.AttentionMask;
import dev.gradus.nn.Dropout;
import dev.gradus.nn.GELU;
import dev.gradus.nn.LayerNorm;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Module;
import dev.gradus.nn.MultiHeadAttention;
import dev.gradus.nn.Sequential;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;

/** Attention, then a perceptron for each place; each takes normed vectors and adds to them. */
final class GptBlock extends Module {
  private static final int WIDER = 4;
  private static final double DROPPED = 0.1;

  private final LayerNorm norm1;
  private final MultiHeadAttention attention;
  private final LayerNorm norm2;
  private final Sequential perceptron;
  private final Dropout dropout;

  GptBlock(Device device, long dim, int heads) {
    MultiHeadAttention.Options causal =
        MultiHeadAttention.Options.defaults().withMask(AttentionMask.CAUSAL);
    norm1 = register("norm1", new LayerNorm(device, dim));
    attention = register("attention", new MultiHeadAttention(device, dim, heads, causal));
    norm2 = register("norm2", new LayerNorm(device, dim));
    perceptron =
        register(
            "perceptron",
            new Sequential(
                new Linear(device, dim, WIDER * dim),
                new GELU(GELU.Form.TANH),
                new Linear(device, WIDER * dim, dim)));
    dropout = register("dropout", new Dropout(DROPPED));
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor attended = x.add(dropout.forward(attention.forward(norm1.forward(x))));
    return attended.add(dropout.forward(perceptron.forward(norm2.forward(attended))));
  }
}
