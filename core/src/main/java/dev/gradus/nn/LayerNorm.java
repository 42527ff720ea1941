package dev.gradus.nn;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.Shape;
import org.jspecify.annotations.Nullable;

/**
 * Layer normalisation (arXiv:1607.06450): the last dimensions, taken together, brought to mean 0
 * and variance 1, then element by element times a weight, which starts as 1, plus a bias, which
 * starts as 0.
 */
public final class LayerNorm extends Module {
  private final Shape normalized;
  private final Options options;
  private final @Nullable Parameter weight;
  private final @Nullable Parameter bias;

  /** What is learned after the normalisation. */
  public enum Affine {
    /** Nothing. */
    NONE,
    /** A weight. */
    WEIGHT,
    /** A weight and a bias. */
    WEIGHT_AND_BIAS
  }

  /**
   * How a layer norm computes.
   *
   * @param eps added to the variance, at least 0
   * @param affine what is learned
   */
  public record Options(double eps, Affine affine) {

    /** Options with these values. */
    public Options {
      if (!(eps >= 0)) {
        throw new IllegalArgumentException("LayerNorm eps must be >= 0 but is " + eps);
      }
    }

    /** Eps 1e-5, weight and bias. */
    public static Options defaults() {
      return new Options(1e-5, Affine.WEIGHT_AND_BIAS);
    }

    /** These, with another eps. */
    public Options withEps(double value) {
      return new Options(value, affine);
    }

    /** These, with another choice of what is learned. */
    public Options withAffine(Affine value) {
      return new Options(eps, value);
    }
  }

  /**
   * A layer norm with default options.
   *
   * @param sizes of the last dimensions, those that are normalised
   */
  public LayerNorm(Device device, long... sizes) {
    this(device, Options.defaults(), sizes);
  }

  /**
   * A layer norm.
   *
   * @param sizes of the last dimensions, those that are normalised
   */
  public LayerNorm(Device device, Options options, long... sizes) {
    if (sizes.length == 0) {
      throw new IllegalArgumentException(
          "LayerNorm: no sizes are given; name those of the last dimensions");
    }
    this.normalized = Shape.of(sizes);
    this.options = options;
    boolean weighted = options.affine() != Affine.NONE;
    this.weight = weighted ? registerParameter("weight", Init.parameter(device, sizes)) : null;
    if (weight != null) {
      Init.ones(weight);
    }
    boolean biased = options.affine() == Affine.WEIGHT_AND_BIAS;
    this.bias = biased ? registerParameter("bias", Init.parameter(device, sizes)) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    int rank = x.shape().rank();
    int dims = normalized.rank();
    if (rank < dims || !x.shape().slice(rank - dims, rank).equals(normalized)) {
      throw new IllegalArgumentException(
          "LayerNorm: the input is " + x.shape() + "; its last dimensions must be " + normalized);
    }
    Tensor y = x.normalize(dims, options.eps());
    y = weight == null ? y : y.mul(weight);
    return bias == null ? y : y.add(bias);
  }

  @Override
  protected String describe() {
    return ModulePrinter.tuple(normalized.toArray())
        + ", eps="
        + ModulePrinter.number(options.eps())
        + ", elementwise_affine="
        + ModulePrinter.truth(weight != null)
        + ", bias="
        + ModulePrinter.truth(bias != null);
  }
}
