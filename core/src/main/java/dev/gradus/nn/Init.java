package dev.gradus.nn;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.function.Supplier;

/**
 * Initial values: each method overwrites a float32 or float64 tensor, outside of autograd. Random
 * ones come from the stream of the tensor's device, so that one seed gives one model on every
 * backend.
 *
 * <p>Fans are those of a weight {@code [out, in, …]}: fan in is {@code in}, fan out is {@code out},
 * each times the sizes of further dimensions.
 */
public final class Init {
  private Init() {}

  /** Which fan scales the values. */
  public enum Fan {
    /** Keeps the variance of what flows forward. */
    IN,
    /** Keeps the variance of the gradients that flow back. */
    OUT
  }

  /**
   * A nonlinearity after a weight, and the gain that makes up for what it takes from the variance.
   *
   * @param name for prints
   * @param gain a factor on the standard deviation
   */
  public record Nonlinearity(String name, double gain) {
    /** None: gain 1. */
    public static final Nonlinearity LINEAR = new Nonlinearity("linear", 1);

    /** Sigmoid: gain 1. */
    public static final Nonlinearity SIGMOID = new Nonlinearity("sigmoid", 1);

    /** Tanh: gain 5/3. */
    public static final Nonlinearity TANH = new Nonlinearity("tanh", 5.0 / 3);

    /** ReLU: gain sqrt(2). */
    public static final Nonlinearity RELU = new Nonlinearity("relu", Math.sqrt(2));

    /** SELU: gain 3/4. */
    public static final Nonlinearity SELU = new Nonlinearity("selu", 0.75);

    /** Leaky ReLU with a slope for negative values: gain {@code sqrt(2 / (1 + slope^2))}. */
    public static Nonlinearity leakyRelu(double slope) {
      return new Nonlinearity("leaky_relu", Math.sqrt(2 / (1 + slope * slope)));
    }
  }

  // ---- plain

  /** Numbers drawn uniformly from [from, to). */
  public static void uniform(Tensor t, double from, double to) {
    requireFloating("uniform", t);
    write(t, () -> t.device().uniform(t.dtype(), from, to, t.shape().toArray()));
  }

  /** Numbers drawn from the normal distribution. */
  public static void normal(Tensor t, double mean, double std) {
    requireFloating("normal", t);
    write(t, () -> t.device().normal(t.dtype(), mean, std, t.shape().toArray()));
  }

  /** One value everywhere; of any type. */
  public static void constant(Tensor t, double value) {
    write(t, () -> t.device().full(t.dtype(), value, t.shape().toArray()));
  }

  /** Zeros. */
  public static void zeros(Tensor t) {
    constant(t, 0);
  }

  /** Ones. */
  public static void ones(Tensor t) {
    constant(t, 1);
  }

  // ---- by fan

  /** {@link #kaimingUniform(Tensor, Nonlinearity, Fan)} for ReLU, by fan in. */
  public static void kaimingUniform(Tensor t) {
    kaimingUniform(t, Nonlinearity.RELU, Fan.IN);
  }

  /**
   * Numbers drawn uniformly from [-b, b), {@code b = gain sqrt(3 / fan)} (arXiv:1502.01852).
   *
   * @throws IllegalArgumentException if the tensor has less than two dimensions
   */
  public static void kaimingUniform(Tensor t, Nonlinearity nonlinearity, Fan fan) {
    double bound =
        Math.sqrt(3.0) * (nonlinearity.gain() / Math.sqrt(fan("kaimingUniform", t.shape(), fan)));
    if (t.numel() > 0) {
      uniform(t, -bound, bound);
    }
  }

  /** {@link #kaimingNormal(Tensor, Nonlinearity, Fan)} for ReLU, by fan in. */
  public static void kaimingNormal(Tensor t) {
    kaimingNormal(t, Nonlinearity.RELU, Fan.IN);
  }

  /**
   * Numbers drawn from the normal distribution with mean 0 and standard deviation {@code gain /
   * sqrt(fan)} (arXiv:1502.01852).
   *
   * @throws IllegalArgumentException if the tensor has less than two dimensions
   */
  public static void kaimingNormal(Tensor t, Nonlinearity nonlinearity, Fan fan) {
    double std = nonlinearity.gain() / Math.sqrt(fan("kaimingNormal", t.shape(), fan));
    if (t.numel() > 0) {
      normal(t, 0, std);
    }
  }

  /** {@link #xavierUniform(Tensor, Nonlinearity)} with gain 1. */
  public static void xavierUniform(Tensor t) {
    xavierUniform(t, Nonlinearity.LINEAR);
  }

  /**
   * Numbers drawn uniformly from [-b, b), {@code b = gain sqrt(6 / (fan in + fan out))} (Glorot and
   * Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html).
   *
   * @throws IllegalArgumentException if the tensor has less than two dimensions
   */
  public static void xavierUniform(Tensor t, Nonlinearity nonlinearity) {
    double bound = Math.sqrt(3.0) * xavierStd("xavierUniform", t, nonlinearity);
    if (t.numel() > 0) {
      uniform(t, -bound, bound);
    }
  }

  /** {@link #xavierNormal(Tensor, Nonlinearity)} with gain 1. */
  public static void xavierNormal(Tensor t) {
    xavierNormal(t, Nonlinearity.LINEAR);
  }

  /**
   * Numbers drawn from the normal distribution with mean 0 and standard deviation {@code gain
   * sqrt(2 / (fan in + fan out))} (Glorot and Bengio 2010).
   *
   * @throws IllegalArgumentException if the tensor has less than two dimensions
   */
  public static void xavierNormal(Tensor t, Nonlinearity nonlinearity) {
    double std = xavierStd("xavierNormal", t, nonlinearity);
    if (t.numel() > 0) {
      normal(t, 0, std);
    }
  }

  private static double xavierStd(String who, Tensor t, Nonlinearity nonlinearity) {
    double in = fan(who, t.shape(), Fan.IN);
    double out = fan(who, t.shape(), Fan.OUT);
    return nonlinearity.gain() * Math.sqrt(2.0 / (in + out));
  }

  private static double fan(String who, Shape shape, Fan fan) {
    if (shape.rank() < 2) {
      throw new IllegalArgumentException(
          "Init."
              + who
              + ": the tensor is "
              + shape
              + "; fan in and fan out need at least two dimensions");
    }
    return (double) shape.dim(fan == Fan.IN ? 1 : 0) * (double) shape.numel(2, shape.rank());
  }

  private static void requireFloating(String who, Tensor t) {
    if (!t.dtype().isFloating()) {
      throw new UnsupportedOperationException(
          "Init."
              + who
              + ": the tensor is "
              + t.dtype().label()
              + "; random values are "
              + DType.F32.label()
              + " or "
              + DType.F64.label());
    }
  }

  @SuppressWarnings("try") // the blocks are open for their effect
  private static void write(Tensor t, Supplier<Tensor> values) {
    try (NoGrad off = NoGrad.open();
        Scope scope = Scope.open()) {
      t.copyFrom(values.get());
    }
  }

  /** A float32 parameter of zeros, to be initialised. */
  @SuppressWarnings("try") // the scope is open for its effect
  static Parameter parameter(Device device, long... dims) {
    try (Scope scope = Scope.open()) {
      return new Parameter(device.zeros(dims));
    }
  }
}
