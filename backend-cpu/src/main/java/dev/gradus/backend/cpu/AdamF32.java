package dev.gradus.backend.cpu;

import dev.gradus.spi.AdamHyper;

/**
 * Adam's update of float32 elements: the scalars of {@link dev.gradus.spi.AdamPlan}'s formulas,
 * each computed in double and rounded once, and the loops.
 *
 * @param sign -1 to maximise
 * @param decay what the parameter is multiplied by first; 1 without decoupled decay
 * @param l2 the decay that is added to the gradient where {@code addsDecay}
 * @param w {@code 1 - beta1}
 * @param beta2 decay of the mean square
 * @param c {@code 1 - beta2}
 * @param root {@code sqrt(biasCorrection2)}
 * @param eps added to the denominator
 * @param step {@code -lr / biasCorrection1}
 * @param addsDecay whether the decay is added to the gradient
 * @param fast whether the vectorised loops apply: a hardware FMA, and w under one half
 * @param fma whether there is a hardware FMA
 */
record AdamF32(
    float sign,
    float decay,
    float l2,
    float w,
    float beta2,
    float c,
    float root,
    float eps,
    float step,
    boolean addsDecay,
    boolean fast,
    boolean fma) {
  /*
   * Multiplying by a sign or a decay of exactly 1 changes no bit, so maximising and decoupled decay
   * need no loops of their own. Adding 0 * theta would (a theta that is not finite), so L2 has. A
   * loop has no branch in its body and one index for all arrays: that is what C2 vectorises.
   */

  static AdamF32 of(AdamHyper h, boolean fma) {
    float w = (float) (1 - h.beta1());
    boolean decays = h.weightDecay() != 0;
    return new AdamF32(
        h.maximize() ? -1 : 1,
        decays && h.decoupled() ? (float) (1 - h.lr() * h.weightDecay()) : 1,
        (float) h.weightDecay(),
        w,
        (float) h.beta2(),
        (float) (1 - h.beta2()),
        (float) Math.sqrt(h.biasCorrection2()),
        (float) h.eps(),
        (float) -(h.lr() / h.biasCorrection1()),
        decays && !h.decoupled(),
        fma && Math.abs(w) < 0.5f,
        fma);
  }

  /**
   * Updates elements lo to hi.
   *
   * @param max the greatest mean squares; empty where there are none
   */
  void update(float[] theta, float[] grad, float[] m, float[] v, float[] max, int lo, int hi) {
    boolean amsgrad = max.length > 0;
    if (!fast) {
      general(theta, grad, m, v, max, lo, hi);
    } else if (addsDecay && amsgrad) {
      amsgradL2(theta, grad, m, v, max, lo, hi, sign, l2, w, beta2, c, root, eps, step);
    } else if (addsDecay) {
      adamL2(theta, grad, m, v, lo, hi, sign, l2, w, beta2, c, root, eps, step);
    } else if (amsgrad) {
      amsgrad(theta, grad, m, v, max, lo, hi, sign, decay, w, beta2, c, root, eps, step);
    } else {
      adam(theta, grad, m, v, lo, hi, sign, decay, w, beta2, c, root, eps, step);
    }
  }

  private static void adam(
      float[] theta,
      float[] grad,
      float[] m,
      float[] v,
      int lo,
      int hi,
      float sign,
      float decay,
      float w,
      float beta2,
      float c,
      float root,
      float eps,
      float step) {
    for (int i = lo; i < hi; i++) {
      float g = grad[i] * sign;
      float mean = Math.fma(w, g - m[i], m[i]);
      float square = Math.fma(c * g, g, v[i] * beta2);
      m[i] = mean;
      v[i] = square;
      theta[i] = theta[i] * decay + (step * mean) / ((float) Math.sqrt(square) / root + eps);
    }
  }

  private static void adamL2(
      float[] theta,
      float[] grad,
      float[] m,
      float[] v,
      int lo,
      int hi,
      float sign,
      float l2,
      float w,
      float beta2,
      float c,
      float root,
      float eps,
      float step) {
    for (int i = lo; i < hi; i++) {
      float g = Math.fma(l2, theta[i], grad[i] * sign);
      float mean = Math.fma(w, g - m[i], m[i]);
      float square = Math.fma(c * g, g, v[i] * beta2);
      m[i] = mean;
      v[i] = square;
      theta[i] = theta[i] + (step * mean) / ((float) Math.sqrt(square) / root + eps);
    }
  }

  private static void amsgrad(
      float[] theta,
      float[] grad,
      float[] m,
      float[] v,
      float[] max,
      int lo,
      int hi,
      float sign,
      float decay,
      float w,
      float beta2,
      float c,
      float root,
      float eps,
      float step) {
    for (int i = lo; i < hi; i++) {
      float g = grad[i] * sign;
      float mean = Math.fma(w, g - m[i], m[i]);
      float square = Math.fma(c * g, g, v[i] * beta2);
      float greatest = Math.max(max[i], square);
      m[i] = mean;
      v[i] = square;
      max[i] = greatest;
      theta[i] = theta[i] * decay + (step * mean) / ((float) Math.sqrt(greatest) / root + eps);
    }
  }

  private static void amsgradL2(
      float[] theta,
      float[] grad,
      float[] m,
      float[] v,
      float[] max,
      int lo,
      int hi,
      float sign,
      float l2,
      float w,
      float beta2,
      float c,
      float root,
      float eps,
      float step) {
    for (int i = lo; i < hi; i++) {
      float g = Math.fma(l2, theta[i], grad[i] * sign);
      float mean = Math.fma(w, g - m[i], m[i]);
      float square = Math.fma(c * g, g, v[i] * beta2);
      float greatest = Math.max(max[i], square);
      m[i] = mean;
      v[i] = square;
      max[i] = greatest;
      theta[i] = theta[i] + (step * mean) / ((float) Math.sqrt(greatest) / root + eps);
    }
  }

  /** Every case, not vectorised. */
  private void general(
      float[] theta, float[] grad, float[] m, float[] v, float[] max, int lo, int hi) {
    boolean near = Math.abs(w) < 0.5f;
    float rest = 1 - w;
    for (int i = lo; i < hi; i++) {
      float p = theta[i] * decay;
      float g = grad[i] * sign;
      if (addsDecay) {
        g = Scalars.multiplyAdd(l2, p, g, fma);
      }
      float d = g - m[i];
      float mean =
          near ? Scalars.multiplyAdd(w, d, m[i], fma) : Scalars.multiplyAdd(-d, rest, g, fma);
      float s = Scalars.multiplyAdd(c * g, g, v[i] * beta2, fma);
      m[i] = mean;
      v[i] = s;
      if (max.length > 0) {
        s = Math.max(max[i], s);
        max[i] = s;
      }
      theta[i] = p + (step * mean) / ((float) Math.sqrt(s) / root + eps);
    }
  }
}
