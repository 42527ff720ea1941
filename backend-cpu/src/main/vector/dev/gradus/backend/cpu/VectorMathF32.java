package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.VectorFloatMath.SPECIES;
import static dev.gradus.backend.cpu.VectorFloatMath.TWO_BIASES;
import static dev.gradus.backend.cpu.VectorFloatMath.USUAL_EXPONENT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The functions of {@link VectorFloatMath} in loops, and the usual case of exp; what is left goes
 * one by one.
 */
final class VectorMathF32 implements MathF32 {
  private static final int LANES = SPECIES.length();

  VectorMathF32() {}

  private static FloatVector at(float[] x, int i) {
    return FloatVector.fromArray(SPECIES, x, i);
  }

  /*
   * For usual values it calls the Vector API alone, whose methods C2 always inlines. A method of
   * which C2 is not sure, since it was called too rarely or is compiled already, is called, and the
   * vectors go there and back in objects. And this one is too big to be inlined itself: in the
   * softmax of a small classifier that cost 30 KB a step. Hence two vectors a round, written out.
   */
  @Override
  public void exp(float[] x, float[] out, int lo, int hi) {
    FloatVector log2e = FloatVector.broadcast(SPECIES, FloatMath.LOG2_E);
    FloatVector shift = FloatVector.broadcast(SPECIES, FloatMath.SHIFT);
    FloatVector high = FloatVector.broadcast(SPECIES, -FloatMath.LN2_HIGH);
    FloatVector low = FloatVector.broadcast(SPECIES, -FloatMath.LN2_LOW);
    FloatVector e2 = FloatVector.broadcast(SPECIES, FloatMath.E2);
    FloatVector e3 = FloatVector.broadcast(SPECIES, FloatMath.E3);
    FloatVector e4 = FloatVector.broadcast(SPECIES, FloatMath.E4);
    FloatVector e5 = FloatVector.broadcast(SPECIES, FloatMath.E5);
    FloatVector e6 = FloatVector.broadcast(SPECIES, FloatMath.E6);
    FloatVector e7 = FloatVector.broadcast(SPECIES, FloatMath.E7);
    FloatVector one = FloatVector.broadcast(SPECIES, 1);
    int vectors = (hi - lo) / LANES;
    int end = lo + vectors * LANES;
    for (int round = 0; round < (vectors + 1) / 2; round++) { // i + 2 * LANES may overflow
      int i = lo + round * 2 * LANES;
      int j = Math.min(i + LANES, end - LANES); // one that is left alone goes twice
      FloatVector x0 = FloatVector.fromArray(SPECIES, x, i);
      FloatVector x1 = FloatVector.fromArray(SPECIES, x, j);
      FloatVector shifted0 = x0.fma(log2e, shift);
      FloatVector shifted1 = x1.fma(log2e, shift);
      FloatVector k0 = shifted0.sub(shift);
      FloatVector k1 = shifted1.sub(shift);
      FloatVector r0 = k0.fma(low, k0.fma(high, x0));
      FloatVector r1 = k1.fma(low, k1.fma(high, x1));
      FloatVector s0 = r0.fma(r0.fma(r0.fma(e7, e6), e5), e4);
      FloatVector s1 = r1.fma(r1.fma(r1.fma(e7, e6), e5), e4);
      FloatVector p0 = r0.fma(r0.fma(r0.fma(r0.fma(s0, e3), e2), one), one);
      FloatVector p1 = r1.fma(r1.fma(r1.fma(r1.fma(s1, e3), e2), one), one);
      if (x0.abs().max(x1.abs()).compare(VectorOperators.LT, USUAL_EXPONENT).allTrue()) {
        IntVector power0 =
            shifted0.reinterpretAsInts().lanewise(VectorOperators.LSHL, FloatMath.EXPONENT_BITS);
        p0.reinterpretAsInts().add(power0.sub(TWO_BIASES)).reinterpretAsFloats().intoArray(out, i);
        IntVector power1 =
            shifted1.reinterpretAsInts().lanewise(VectorOperators.LSHL, FloatMath.EXPONENT_BITS);
        p1.reinterpretAsInts().add(power1.sub(TWO_BIASES)).reinterpretAsFloats().intoArray(out, j);
      } else {
        expOfAny(x, out, i);
        if (i != j) { // out may be x
          expOfAny(x, out, j);
        }
      }
    }
    for (int i = end; i < hi; i++) {
      out[i] = FloatMath.exp(x[i]);
    }
  }

  /** One vector of any values: by arrays, since a vector that is handed on goes into an object. */
  private static void expOfAny(float[] x, float[] out, int i) {
    VectorFloatMath.expOfAny(at(x, i)).intoArray(out, i);
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
