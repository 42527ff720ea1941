package dev.gradus.backend.cpu;

/** Adam's update of float32 elements by plain loops. */
final class PlainAdam implements AdamKernel {
  /*
   * Multiplying by a sign or a decay of exactly 1 changes no bit, so maximising and decoupled decay
   * need no loops of their own. Adding 0 * theta would (a theta that is not finite), so L2 has. A
   * loop has no branch in its body and one index for all arrays: that is what C2 vectorises.
   */

  @Override
  public void update(
      AdamF32 s, float[] theta, float[] grad, float[] m, float[] v, float[] max, int lo, int hi) {
    float sign = s.sign();
    float decay = s.decay();
    float l2 = s.l2();
    float w = s.w();
    float beta2 = s.beta2();
    float c = s.c();
    float root = s.root();
    float eps = s.eps();
    float step = s.step();
    boolean amsgrad = max.length > 0;
    if (!s.fast()) {
      general(s, theta, grad, m, v, max, lo, hi);
    } else if (s.addsDecay() && amsgrad) {
      amsgradL2(theta, grad, m, v, max, lo, hi, sign, l2, w, beta2, c, root, eps, step);
    } else if (s.addsDecay()) {
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
  private static void general(
      AdamF32 s, float[] theta, float[] grad, float[] m, float[] v, float[] max, int lo, int hi) {
    boolean near = Math.abs(s.w()) < 0.5f;
    float rest = 1 - s.w();
    for (int i = lo; i < hi; i++) {
      float p = theta[i] * s.decay();
      float g = grad[i] * s.sign();
      if (s.addsDecay()) {
        g = Scalars.multiplyAdd(s.l2(), p, g, s.fma());
      }
      float d = g - m[i];
      float mean =
          near
              ? Scalars.multiplyAdd(s.w(), d, m[i], s.fma())
              : Scalars.multiplyAdd(-d, rest, g, s.fma());
      float square = Scalars.multiplyAdd(s.c() * g, g, v[i] * s.beta2(), s.fma());
      m[i] = mean;
      v[i] = square;
      if (max.length > 0) {
        square = Math.max(max[i], square);
        max[i] = square;
      }
      theta[i] = p + (s.step() * mean) / ((float) Math.sqrt(square) / s.root() + s.eps());
    }
  }
}
