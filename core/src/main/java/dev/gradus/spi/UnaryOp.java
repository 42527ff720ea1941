package dev.gradus.spi;

/**
 * The elementwise operations on one operand, each with its derivative. Two parameters {@code a} and
 * {@code b} go with a call; a constant that uses them says so. Floating-point types only, but for
 * {@link #NEG}, {@link #ABS}, {@link #ADD_SCALAR}, {@link #MUL_SCALAR} and {@link #CLAMP}, which
 * also take I64.
 *
 * <p>{@link PrimitiveOps#unaryGrad} multiplies the incoming gradient by the derivative given here,
 * computed from the operand {@code x} or from the result {@code y}, as {@link #saves} tells.
 */
public enum UnaryOp {
  /** {@code -x}; derivative -1. */
  NEG(Saves.NOTHING),
  /** {@code x + a}; derivative 1. */
  ADD_SCALAR(Saves.NOTHING),
  /** {@code x * a}; derivative a. */
  MUL_SCALAR(Saves.NOTHING),
  /** {@code x / a}, a true division; derivative 1/a: the gradient is divided too. */
  DIV_SCALAR(Saves.NOTHING),
  /** {@code a - x}; derivative -1. */
  RSUB_SCALAR(Saves.NOTHING),
  /** {@code a / x}; derivative {@code -y / x}, computed from x as {@code -(a / x) / x}. */
  RDIV_SCALAR(Saves.INPUT),
  /** {@code x ^ a}; derivative {@code a * x^(a-1)}, which is 0 where a is 0. */
  POW_SCALAR(Saves.INPUT),
  /** {@code a ^ x}; derivative {@code y * ln a}, which is 0 where a is 0 and x >= 0. */
  RPOW_SCALAR(Saves.OUTPUT),
  /** {@code e^x}; derivative y. */
  EXP(Saves.OUTPUT),
  /** {@code ln x}; derivative 1/x. */
  LOG(Saves.INPUT),
  /** The square root, correctly rounded; derivative {@code 1 / (2y)}. */
  SQRT(Saves.OUTPUT),
  /** {@code |x|}; derivative the sign of x, 0 at 0 and at NaN. */
  ABS(Saves.INPUT),
  /**
   * {@code min(max(x, a), b)}; NaN stays NaN; the gradient passes where {@code a <= x <= b}, else
   * it is 0, also if it is not finite. Either bound may be infinite.
   */
  CLAMP(Saves.INPUT),
  /** {@code 1 / (1 + e^-x)}; derivative {@code y (1 - y)}. */
  SIGMOID(Saves.OUTPUT),
  /** The hyperbolic tangent; derivative {@code 1 - y^2}. */
  TANH(Saves.OUTPUT),
  /**
   * {@code max(x, 0)}; NaN stays NaN; the gradient is 0 where y is 0, also if it is not finite,
   * else it passes.
   */
  RELU(Saves.OUTPUT),
  /** {@code x > 0 ? x : a x}; derivative 1 where {@code x > 0}, else a. */
  LEAKY_RELU(Saves.INPUT),
  /**
   * {@code x * Phi(x)}, Phi the normal distribution function by erf; derivative {@code Phi(x) + x
   * phi(x)}.
   */
  GELU(Saves.INPUT),
  /**
   * {@code x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))} and its own derivative
   * (arXiv:1606.08415).
   */
  GELU_TANH(Saves.INPUT),
  /** {@code x * sigmoid(x)}; derivative {@code s (1 + x (1 - s))}, s the sigmoid. */
  SILU(Saves.INPUT),
  /**
   * {@code ln(1 + e^(a x)) / a}, and x itself where {@code a x > b}; derivative {@code sigmoid(a
   * x)}, and 1 there.
   */
  SOFTPLUS(Saves.INPUT);

  /** What the derivative is computed from. */
  public enum Saves {
    /** Neither: the derivative is a constant. */
    NOTHING,
    /** The operand. */
    INPUT,
    /** The result. */
    OUTPUT
  }

  private final Saves saves;

  UnaryOp(Saves saves) {
    this.saves = saves;
  }

  /** What {@link PrimitiveOps#unaryGrad} needs beside the incoming gradient. */
  public Saves saves() {
    return saves;
  }
}
