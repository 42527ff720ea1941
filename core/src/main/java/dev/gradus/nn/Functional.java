package dev.gradus.nn;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;

/** Operations composed of those of {@link Tensor}. */
public final class Functional {
  private Functional() {}

  /**
   * Layer normalisation of the last dimensions: {@code (x - mean) / sqrt(var + eps) * weight +
   * bias}.
   *
   * @param weight of the shape of the normalised dimensions
   * @param bias of the same shape
   */
  public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
    return x.normalize(weight.shape().rank(), eps).mul(weight).add(bias);
  }

  /**
   * {@code softmax(q k' / sqrt(d)) v} over the last two dimensions (arXiv:1706.03762); leading
   * dimensions broadcast.
   *
   * @param q [..., time, d]
   * @param k [..., source, d]
   * @param v [..., source, e]
   * @return [..., time, e]
   */
  public static Tensor scaledDotProductAttention(Tensor q, Tensor k, Tensor v, AttentionMask mask) {
    return attentionWeights(q, k, mask).matmul(v);
  }

  /**
   * {@code softmax(q k' / sqrt(d))}: how much each position takes from each, [..., time, source].
   */
  static Tensor attentionWeights(Tensor q, Tensor k, AttentionMask mask) {
    if (q.shape().rank() < 2 || k.shape().rank() < 2) {
      throw new IllegalArgumentException(
          "attention: q is "
              + q.shape()
              + " and k "
              + k.shape()
              + "; they must be [..., time, d] and [..., source, d]");
    }
    Tensor scores = q.mul(1 / Math.sqrt((double) q.size(-1))).matmul(k.transpose(-2, -1));
    if (mask == AttentionMask.CAUSAL) {
      scores = scores.add(causalBias(scores));
    }
    return scores.softmax(-1);
  }

  /** 0 where a position may attend, minus infinity where it may not, [time, source]. */
  private static Tensor causalBias(Tensor scores) {
    Device device = scores.device();
    long time = scores.size(-2);
    long source = scores.size(-1);
    Tensor at = device.arange(time).reshape(time, 1);
    Tensor later = device.arange(source).reshape(1, source).gt(at);
    return device.zeros(scores.dtype(), time, source).maskedFill(later, Double.NEGATIVE_INFINITY);
  }
}
