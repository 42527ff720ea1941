package dev.gradus.nn;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A matrix for the last dimension: {@code y = x weight' + bias}, {@code [..., in]} to {@code [...,
 * out]}.
 *
 * <p>Weight {@code [out, in]} and bias {@code [out]} start uniform in {@code (-1/sqrt(in),
 * 1/sqrt(in))}.
 */
public final class Linear extends Module {
  private final Parameter weight;
  private final @Nullable Parameter bias;

  /** A float32 matrix from {@code in} to {@code out} features, with a bias. */
  public Linear(Device device, long in, long out) {
    this(newWeight(device, in, out), newBias(device, in, out));
  }

  private Linear(Parameter weight, @Nullable Parameter bias) {
    this.weight = registerParameter("weight", weight);
    this.bias = bias == null ? null : registerParameter("bias", bias);
  }

  /** A float32 matrix from {@code in} to {@code out} features, without a bias. */
  public static Linear withoutBias(Device device, long in, long out) {
    return new Linear(newWeight(device, in, out), null);
  }

  /**
   * A matrix that is a parameter of another module too, without a bias: tied weights.
   *
   * @param weight [out, in]
   */
  public static Linear tied(Parameter weight) {
    requireMatrix(weight);
    return new Linear(weight, null);
  }

  /**
   * A matrix and a bias that exist already.
   *
   * @param weight [out, in]
   * @param bias [out]
   */
  public static Linear of(Parameter weight, Parameter bias) {
    requireMatrix(weight);
    if (bias.shape().rank() != 1 || bias.size(0) != weight.size(0)) {
      throw new IllegalArgumentException(
          "Linear: weight is "
              + weight.shape()
              + " and bias "
              + bias.shape()
              + "; they must be [out, in] and [out]");
    }
    return new Linear(weight, bias);
  }

  private static void requireMatrix(Parameter weight) {
    if (weight.shape().rank() != 2) {
      throw new IllegalArgumentException(
          "Linear: weight is " + weight.shape() + "; it must be [out, in]");
    }
  }

  private static Parameter newWeight(Device device, long in, long out) {
    requireSize("in", in);
    requireSize("out", out);
    Parameter weight = Init.parameter(device, out, in);
    Init.kaimingUniform(weight, Init.Nonlinearity.leakyRelu(Math.sqrt(5)), Init.Fan.IN);
    return weight;
  }

  private static Parameter newBias(Device device, long in, long out) {
    Parameter bias = Init.parameter(device, out);
    double bound = in > 0 ? 1 / Math.sqrt((double) in) : 0;
    Init.uniform(bias, 0 - bound, bound); // not -0.0 where the bound is 0
    return bias;
  }

  private static void requireSize(String what, long size) {
    if (size < 0) {
      throw new IllegalArgumentException("Linear " + what + " must be >= 0 but is " + size);
    }
  }

  /** The matrix, [out, in]. */
  public Parameter weight() {
    return weight;
  }

  /**
   * The bias, [out].
   *
   * @throws IllegalStateException if it has none
   */
  public Parameter bias() {
    if (bias == null) {
      throw new IllegalStateException("Linear: has no bias; ask hasBias() before");
    }
    return bias;
  }

  /** Whether it has a bias. */
  public boolean hasBias() {
    return bias != null;
  }

  @Override
  public Tensor forward(Tensor x) {
    return bias == null ? x.linear(weight) : x.linear(weight, bias);
  }

  @Override
  protected String describe() {
    return "in_features="
        + weight.size(1)
        + ", out_features="
        + weight.size(0)
        + ", bias="
        + ModulePrinter.truth(bias != null);
  }
}
