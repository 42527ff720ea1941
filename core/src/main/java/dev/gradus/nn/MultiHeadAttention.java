package dev.gradus.nn;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;

/**
 * Self-attention with several heads (arXiv:1706.03762): {@code [batch, time, dim]} to the same
 * shape.
 *
 * <p>{@code inProj} makes queries, keys and values, in this order along its output, {@code 3 dim};
 * head h takes the h-th stretch of {@code dim / heads} of each; {@code outProj} mixes what the
 * heads found. The weight of {@code inProj} starts by {@link Init#xavierUniform(Tensor)}, that of
 * {@code outProj} as in {@link Linear}, the biases as 0.
 */
public final class MultiHeadAttention extends Module {
  private final int heads;
  private final Options options;
  private final Linear inProj;
  private final Linear outProj;

  /**
   * How attention computes.
   *
   * @param mask which positions a position may attend to
   * @param dropout the probability, in training, that an attention weight is dropped, in [0, 1]
   */
  public record Options(AttentionMask mask, double dropout) {

    /** Options with these values. */
    public Options {
      Dropout.requireProbability("MultiHeadAttention dropout", dropout);
    }

    /** No mask, no dropout. */
    public static Options defaults() {
      return new Options(AttentionMask.NONE, 0);
    }

    /** These, with a mask. */
    public Options withMask(AttentionMask value) {
      return new Options(value, dropout);
    }

    /** These, with dropout. */
    public Options withDropout(double p) {
      return new Options(mask, p);
    }
  }

  /** Attention without mask and dropout. */
  public MultiHeadAttention(Device device, long dim, int heads) {
    this(device, dim, heads, Options.defaults());
  }

  /**
   * Attention.
   *
   * @param dim the size of a vector, a multiple of heads
   * @param heads at least 1
   */
  public MultiHeadAttention(Device device, long dim, int heads, Options options) {
    if (heads < 1 || dim < 1 || dim % heads != 0) {
      throw new IllegalArgumentException(
          "MultiHeadAttention: dim is "
              + dim
              + " and heads is "
              + heads
              + "; both must be at least 1 and dim a multiple of heads");
    }
    this.heads = heads;
    this.options = options;
    Linear mixing = new Linear(device, dim, dim);
    Init.zeros(mixing.bias());
    Parameter weight = Init.parameter(device, 3 * dim, dim);
    Init.xavierUniform(weight);
    this.inProj = register("inProj", Linear.of(weight, Init.parameter(device, 3 * dim)));
    this.outProj = register("outProj", mixing);
  }

  /**
   * Lets each position attend to the others.
   *
   * @param x [batch, time, dim]
   */
  @Override
  public Tensor forward(Tensor x) {
    long dim = outProj.weight().size(0);
    if (x.shape().rank() != 3 || x.size(2) != dim) {
      throw new IllegalArgumentException(
          "MultiHeadAttention: the input is "
              + x.shape()
              + "; it must be [batch, time, "
              + dim
              + "]");
    }
    long batch = x.size(0);
    long time = x.size(1);
    Tensor qkv =
        inProj.forward(x).reshape(batch, time, 3, heads, dim / heads).permute(2, 0, 3, 1, 4);
    Tensor weights =
        Functional.attentionWeights(qkv.select(0, 0), qkv.select(0, 1), options.mask());
    if (isTraining() && options.dropout() > 0) {
      weights = weights.dropout(options.dropout());
    }
    Tensor found = weights.matmul(qkv.select(0, 2));
    return outProj.forward(found.permute(0, 2, 1, 3).reshape(batch, time, dim));
  }

  @Override
  protected String describe() {
    String mask = options.mask() == AttentionMask.CAUSAL ? ", causal=True" : "";
    String dropout =
        options.dropout() > 0 ? ", dropout=" + ModulePrinter.number(options.dropout()) : "";
    return "heads=" + heads + mask + dropout;
  }
}
