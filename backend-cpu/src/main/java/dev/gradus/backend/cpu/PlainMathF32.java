package dev.gradus.backend.cpu;

/** The functions of {@link FloatMath} in plain loops. */
final class PlainMathF32 implements MathF32 {
  /*
   * C2 of JDK 17 makes no vectors of loops that reinterpret a float as an int. So a block goes
   * through two loops: one up to the two parts of an exponential, of which it does make vectors, and
   * one that puts them together, element by element.
   */

  private static final int BLOCK = 256;

  /** A thread's parts: what e^x is a multiple of, and the shifted exponent. */
  private static final class Parts {
    final float[] p = new float[BLOCK];
    final float[] shifted = new float[BLOCK];
  }

  private final ThreadLocal<Parts> parts = ThreadLocal.withInitial(Parts::new);

  private static int size(int from, int hi) {
    return Math.min(BLOCK, hi - from);
  }

  /** Replaces exponents in p by their parts. */
  private static void split(float[] p, float[] shifted, int n) {
    for (int i = 0; i < n; i++) {
      float c = FloatMath.clamp(p[i], FloatMath.LEAST_EXPONENT, FloatMath.GREATEST_EXPONENT);
      float s = FloatMath.fma(c, FloatMath.LOG2_E, FloatMath.SHIFT);
      shifted[i] = s;
      p[i] = FloatMath.expOf(FloatMath.remainder(c, s));
    }
  }

  /** The parts of e^-|x|. */
  private static void splitDecay(float[] x, int from, float[] p, float[] shifted, int n) {
    System.arraycopy(x, from, p, 0, n);
    for (int i = 0; i < n; i++) {
      p[i] = -Math.abs(p[i]);
    }
    split(p, shifted, n);
  }

  @Override
  public void exp(float[] x, float[] out, int lo, int hi) {
    Parts t = parts.get();
    float[] p = t.p;
    float[] s = t.shifted;
    for (int b = lo; b < hi; b += BLOCK) {
      int n = size(b, hi);
      System.arraycopy(x, b, p, 0, n);
      split(p, s, n);
      for (int i = 0; i < n; i++) {
        out[b + i] = FloatMath.scale(p[i], s[i]);
      }
    }
  }

  @Override
  public void log(float[] x, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = FloatMath.log(x[i]);
    }
  }

  @Override
  public void tanh(float[] x, float[] out, int lo, int hi) {
    Parts t = parts.get();
    float[] p = t.p;
    float[] s = t.shifted;
    for (int b = lo; b < hi; b += BLOCK) {
      int n = size(b, hi);
      System.arraycopy(x, b, p, 0, n);
      for (int i = 0; i < n; i++) {
        float e = -2 * Math.min(Math.abs(p[i]), FloatMath.TANH_END);
        float shifted = FloatMath.fma(e, FloatMath.LOG2_E, FloatMath.SHIFT);
        s[i] = shifted;
        p[i] = FloatMath.expMinusOneOf(FloatMath.remainder(e, shifted));
      }
      for (int i = 0; i < n; i++) {
        out[b + i] = FloatMath.tanhOf(p[i], s[i], x[b + i]);
      }
    }
  }

  @Override
  public void sigmoid(float[] x, float[] out, int lo, int hi) {
    Parts t = parts.get();
    for (int b = lo; b < hi; b += BLOCK) {
      int n = size(b, hi);
      splitDecay(x, b, t.p, t.shifted, n);
      for (int i = 0; i < n; i++) {
        out[b + i] = FloatMath.sigmoidOf(FloatMath.scale(t.p[i], t.shifted[i]), x[b + i]);
      }
    }
  }

  @Override
  public void silu(float[] x, float[] out, int lo, int hi) {
    Parts t = parts.get();
    for (int b = lo; b < hi; b += BLOCK) {
      int n = size(b, hi);
      splitDecay(x, b, t.p, t.shifted, n);
      for (int i = 0; i < n; i++) {
        float c = Math.max(x[b + i], -FloatMath.SIGMOID_END);
        out[b + i] = FloatMath.timesSigmoidOf(t.p[i], t.shifted[i], c);
      }
    }
  }

  @Override
  public void siluGrad(float[] g, float[] x, float[] out, int lo, int hi) {
    Parts t = parts.get();
    for (int b = lo; b < hi; b += BLOCK) {
      int n = size(b, hi);
      splitDecay(x, b, t.p, t.shifted, n);
      for (int i = 0; i < n; i++) {
        float e = FloatMath.scale(t.p[i], t.shifted[i]);
        out[b + i] = g[b + i] * FloatMath.siluSlopeOf(e, x[b + i]);
      }
    }
  }

  @Override
  public void gelu(float[] x, float[] out, int lo, int hi) {
    Parts t = parts.get();
    float[] p = t.p;
    float[] s = t.shifted;
    for (int b = lo; b < hi; b += BLOCK) {
      int n = size(b, hi);
      System.arraycopy(x, b, p, 0, n);
      for (int i = 0; i < n; i++) {
        float a = Math.min(Math.abs(p[i]), FloatMath.TAIL_END);
        float h = a * a;
        float shifted = FloatMath.bellShifted(h);
        s[i] = shifted;
        p[i] = a * FloatMath.tail(a) * FloatMath.expOf(FloatMath.bellRemainder(a, h, shifted));
      }
      for (int i = 0; i < n; i++) {
        out[b + i] = FloatMath.geluOf(p[i], s[i], x[b + i]);
      }
    }
  }

  @Override
  public void geluGrad(float[] g, float[] x, float[] out, int lo, int hi) {
    Parts t = parts.get();
    float[] p = t.p;
    float[] s = t.shifted;
    for (int b = lo; b < hi; b += BLOCK) {
      int n = size(b, hi);
      System.arraycopy(x, b, p, 0, n);
      for (int i = 0; i < n; i++) {
        float a = Math.min(Math.abs(p[i]), FloatMath.TAIL_END);
        float h = a * a;
        float shifted = FloatMath.bellShifted(h);
        s[i] = shifted;
        p[i] = FloatMath.bend(a) * FloatMath.expOf(FloatMath.bellRemainder(a, h, shifted));
      }
      for (int i = 0; i < n; i++) {
        out[b + i] = g[b + i] * FloatMath.geluSlopeOf(p[i], s[i], x[b + i]);
      }
    }
  }

  /** The parts of e^-|w|, w what the GELU by tanh has the sigmoid of. */
  private static void splitCubic(float[] x, int from, float[] p, float[] shifted, int n) {
    System.arraycopy(x, from, p, 0, n);
    for (int i = 0; i < n; i++) {
      p[i] = -Math.abs(FloatMath.cubic(p[i]));
    }
    split(p, shifted, n);
  }

  @Override
  public void geluTanh(float[] x, float[] out, int lo, int hi) {
    Parts t = parts.get();
    for (int b = lo; b < hi; b += BLOCK) {
      int n = size(b, hi);
      splitCubic(x, b, t.p, t.shifted, n);
      for (int i = 0; i < n; i++) {
        float c = Math.max(x[b + i], -FloatMath.GELU_END);
        out[b + i] = FloatMath.timesSigmoidOf(t.p[i], t.shifted[i], c);
      }
    }
  }

  @Override
  public void geluTanhGrad(float[] g, float[] x, float[] out, int lo, int hi) {
    Parts t = parts.get();
    for (int b = lo; b < hi; b += BLOCK) {
      int n = size(b, hi);
      splitCubic(x, b, t.p, t.shifted, n);
      for (int i = 0; i < n; i++) {
        float e = FloatMath.scale(t.p[i], t.shifted[i]);
        out[b + i] = g[b + i] * FloatMath.geluTanhSlopeOf(e, x[b + i]);
      }
    }
  }

  @Override
  public void softplus(float[] x, float beta, float threshold, float[] out, int lo, int hi) {
    Parts t = parts.get();
    for (int b = lo; b < hi; b += BLOCK) {
      int n = size(b, hi);
      splitScaled(x, b, beta, t.p, t.shifted, n);
      for (int i = 0; i < n; i++) {
        float v = x[b + i];
        float e = FloatMath.scale(t.p[i], t.shifted[i]);
        float w = beta * v;
        out[b + i] = w > threshold ? v : FloatMath.softplusOf(e, w) / beta;
      }
    }
  }

  @Override
  public void softplusGrad(
      float[] g, float[] x, float beta, float threshold, float[] out, int lo, int hi) {
    Parts t = parts.get();
    for (int b = lo; b < hi; b += BLOCK) {
      int n = size(b, hi);
      splitScaled(x, b, beta, t.p, t.shifted, n);
      for (int i = 0; i < n; i++) {
        float e = FloatMath.scale(t.p[i], t.shifted[i]);
        float w = beta * x[b + i];
        out[b + i] = w > threshold ? g[b + i] : g[b + i] * FloatMath.sigmoidOf(e, w);
      }
    }
  }

  /** The parts of e^-|beta x|. */
  private static void splitScaled(
      float[] x, int from, float beta, float[] p, float[] shifted, int n) {
    System.arraycopy(x, from, p, 0, n);
    for (int i = 0; i < n; i++) {
      p[i] = -Math.abs(beta * p[i]);
    }
    split(p, shifted, n);
  }
}
