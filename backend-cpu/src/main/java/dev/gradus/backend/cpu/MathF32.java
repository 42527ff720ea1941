package dev.gradus.backend.cpu;

/**
 * The transcendental functions of float32, from array to array: the elements {@code lo} (inclusive)
 * to {@code hi} (exclusive). {@code out} may be an operand. An element's result depends on that
 * element alone: not on where a range begins, not on the width of a vector, nor, where there is a
 * hardware FMA, on the implementation.
 *
 * <p>Errors are in units in the last place of the exact result, over all floats; a subnormal result
 * has the same bound in units of the least float. NaN gives NaN, infinities the limit.
 */
interface MathF32 {
  /** e^x; error under 1 ulp. */
  void exp(float[] x, float[] out, int lo, int hi);

  /** The natural logarithm; error under 1 ulp. Of 0 it is -infinity, below 0 NaN. */
  void log(float[] x, float[] out, int lo, int hi);

  /** The hyperbolic tangent; error under 3 ulp. */
  void tanh(float[] x, float[] out, int lo, int hi);

  /** 1 / (1 + e^-x); error under 2.5 ulp. */
  void sigmoid(float[] x, float[] out, int lo, int hi);

  /** x sigmoid(x); error under 3.5 ulp. */
  void silu(float[] x, float[] out, int lo, int hi);

  /** x Phi(x); error under 5 ulp for x of at least -3, under 7 below. */
  void gelu(float[] x, float[] out, int lo, int hi);

  /**
   * x sigmoid(w) with w = 2 sqrt(2 / pi) (x + 0.044715 x^3), which is GELU by tanh; error under 4
   * ulp and, for negative x, 3 |w| ulp more: w is rounded three times, and e^w has its error times
   * |w|.
   */
  void geluTanh(float[] x, float[] out, int lo, int hi);

  /**
   * ln(1 + e^(beta x)) / beta, x itself where beta x is above the threshold; error for beta = 1
   * under 2 ulp.
   */
  void softplus(float[] x, float beta, float threshold, float[] out, int lo, int hi);

  /**
   * g times the derivative of silu. The derivatives change sign or come near 0: these four have an
   * error under 4 ulp of 1 times g.
   */
  void siluGrad(float[] g, float[] x, float[] out, int lo, int hi);

  /** g times the derivative of gelu. */
  void geluGrad(float[] g, float[] x, float[] out, int lo, int hi);

  /** g times the derivative of geluTanh. */
  void geluTanhGrad(float[] g, float[] x, float[] out, int lo, int hi);

  /** g times the derivative of softplus. */
  void softplusGrad(float[] g, float[] x, float beta, float threshold, float[] out, int lo, int hi);
}
