package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.VectorFloatMath.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** The functions of {@link VectorFloatMath} in loops; what is left goes one by one. */
final class VectorMathF32 implements MathF32 {
  private static final int LANES = SPECIES.length();

  VectorMathF32() {}

  private static FloatVector at(float[] x, int i) {
    return FloatVector.fromArray(SPECIES, x, i);
  }

  @Override
  public void exp(float[] x, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      VectorFloatMath.exp(at(x, i)).intoArray(out, i);
    }
    for (; i < hi; i++) {
      out[i] = FloatMath.exp(x[i]);
    }
  }

  @Override
  public void log(float[] x, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      VectorFloatMath.log(at(x, i)).intoArray(out, i);
    }
    for (; i < hi; i++) {
      out[i] = FloatMath.log(x[i]);
    }
  }

  @Override
  public void tanh(float[] x, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      VectorFloatMath.tanh(at(x, i)).intoArray(out, i);
    }
    for (; i < hi; i++) {
      out[i] = FloatMath.tanh(x[i]);
    }
  }

  @Override
  public void sigmoid(float[] x, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      VectorFloatMath.sigmoid(at(x, i)).intoArray(out, i);
    }
    for (; i < hi; i++) {
      out[i] = FloatMath.sigmoid(x[i]);
    }
  }

  @Override
  public void silu(float[] x, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      VectorFloatMath.silu(at(x, i)).intoArray(out, i);
    }
    for (; i < hi; i++) {
      out[i] = FloatMath.silu(x[i]);
    }
  }

  @Override
  public void gelu(float[] x, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      VectorFloatMath.gelu(at(x, i)).intoArray(out, i);
    }
    for (; i < hi; i++) {
      out[i] = FloatMath.gelu(x[i]);
    }
  }

  @Override
  public void geluTanh(float[] x, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      VectorFloatMath.geluTanh(at(x, i)).intoArray(out, i);
    }
    for (; i < hi; i++) {
      out[i] = FloatMath.geluTanh(x[i]);
    }
  }

  @Override
  public void siluGrad(float[] g, float[] x, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      at(g, i).mul(VectorFloatMath.siluSlope(at(x, i))).intoArray(out, i);
    }
    for (; i < hi; i++) {
      out[i] = g[i] * FloatMath.siluSlope(x[i]);
    }
  }

  @Override
  public void geluGrad(float[] g, float[] x, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      at(g, i).mul(VectorFloatMath.geluSlope(at(x, i))).intoArray(out, i);
    }
    for (; i < hi; i++) {
      out[i] = g[i] * FloatMath.geluSlope(x[i]);
    }
  }

  @Override
  public void geluTanhGrad(float[] g, float[] x, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      at(g, i).mul(VectorFloatMath.geluTanhSlope(at(x, i))).intoArray(out, i);
    }
    for (; i < hi; i++) {
      out[i] = g[i] * FloatMath.geluTanhSlope(x[i]);
    }
  }

  @Override
  public void softplus(float[] x, float beta, float threshold, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      FloatVector v = at(x, i);
      FloatVector w = v.mul(beta);
      VectorFloatMath.softplus(w)
          .div(beta)
          .blend(v, w.compare(VectorOperators.GT, threshold))
          .intoArray(out, i);
    }
    for (; i < hi; i++) {
      float w = beta * x[i];
      out[i] = w > threshold ? x[i] : FloatMath.softplus(w) / beta;
    }
  }

  @Override
  public void softplusGrad(
      float[] g, float[] x, float beta, float threshold, float[] out, int lo, int hi) {
    int i = lo;
    for (; i <= hi - LANES; i += LANES) {
      FloatVector v = at(g, i);
      FloatVector w = at(x, i).mul(beta);
      v.mul(VectorFloatMath.sigmoid(w))
          .blend(v, w.compare(VectorOperators.GT, threshold))
          .intoArray(out, i);
    }
    for (; i < hi; i++) {
      float w = beta * x[i];
      out[i] = w > threshold ? g[i] : g[i] * FloatMath.sigmoid(w);
    }
  }
}
