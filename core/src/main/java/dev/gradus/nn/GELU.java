package dev.gradus.nn;

import dev.gradus.tensor.Tensor;

/**
 * {@code x Phi(x)}, element by element, Phi the normal distribution function (arXiv:1606.08415).
 */
public final class GELU extends Module {
  private final Form form;

  /** How Phi is computed. */
  public enum Form {
    /** By the error function. */
    EXACT,
    /** {@code (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2}. */
    TANH
  }

  /** The activation by the error function. */
  public GELU() {
    this(Form.EXACT);
  }

  /** The activation in a form. */
  public GELU(Form form) {
    this.form = form;
  }

  @Override
  public Tensor forward(Tensor x) {
    return form == Form.EXACT ? x.gelu() : x.geluTanh();
  }

  @Override
  protected String describe() {
    return form == Form.EXACT ? "approximate='none'" : "approximate='tanh'";
  }
}
