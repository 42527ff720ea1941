package dev.gradus.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The functions of {@link FloatMath} for a vector, each the same operations in the same order. */
final class VectorFloatMath {
  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  /** Below it, and above its negative, e^x is a normal number. */
  static final float USUAL_EXPONENT = 87;

  /** What a shifted exponent has too much, at the place of a float's exponent. */
  static final int TWO_BIASES = 2 * FloatMath.EXPONENT_BIAS << FloatMath.EXPONENT_BITS;

  /*
   * The constants as vectors: each broadcast would be many nodes for C2, which stops to inline when
   * it has too many, and what is not inlined puts its vectors into objects.
   */

  private static final FloatVector MINUS_HALF = all(-0.5f);
  private static final FloatVector BELL_LOG2_E = all(-0.5f * FloatMath.LOG2_E);
  private static final FloatVector GELU_CUBIC_SLOPE = all(3 * FloatMath.GELU_CUBIC);
  private static final FloatVector MINUS_LN2_HIGH = all(-FloatMath.LN2_HIGH);
  private static final FloatVector MINUS_LN2_LOW = all(-FloatMath.LN2_LOW);
  private static final FloatVector ONE = all(1);
  private static final FloatVector T_SCALE = all(FloatMath.T_SCALE);
  private static final FloatVector T0 = all(FloatMath.T0);
  private static final FloatVector T1 = all(FloatMath.T1);
  private static final FloatVector T2 = all(FloatMath.T2);
  private static final FloatVector T3 = all(FloatMath.T3);
  private static final FloatVector T4 = all(FloatMath.T4);
  private static final FloatVector T5 = all(FloatMath.T5);
  private static final FloatVector T6 = all(FloatMath.T6);
  private static final FloatVector T7 = all(FloatMath.T7);
  private static final FloatVector T8 = all(FloatMath.T8);
  private static final FloatVector T9 = all(FloatMath.T9);
  private static final FloatVector TAIL_END = all(FloatMath.TAIL_END);
  private static final FloatVector INV_SQRT_2PI = all(FloatMath.INV_SQRT_2PI);
  private static final FloatVector GELU_LINEAR = all(FloatMath.GELU_LINEAR);
  private static final FloatVector GELU_CUBIC = all(FloatMath.GELU_CUBIC);
  private static final FloatVector GELU_END = all(FloatMath.GELU_END);
  private static final FloatVector MINUS_GELU_END = all(-FloatMath.GELU_END);

  private VectorFloatMath() {}

  static FloatVector all(float v) {
    return FloatVector.broadcast(SPECIES, v);
  }

  private static FloatVector shifted(FloatVector exponent) {
    return exponent.fma(all(FloatMath.LOG2_E), all(FloatMath.SHIFT));
  }

  private static FloatVector remainder(FloatVector x, FloatVector shifted) {
    FloatVector k = shifted.sub(all(FloatMath.SHIFT));
    FloatVector r = k.fma(MINUS_LN2_HIGH, x);
    return k.fma(MINUS_LN2_LOW, r);
  }

  private static FloatVector expTail(FloatVector r) {
    FloatVector s = r.fma(all(FloatMath.E7), all(FloatMath.E6));
    s = r.fma(s, all(FloatMath.E5));
    s = r.fma(s, all(FloatMath.E4));
    s = r.fma(s, all(FloatMath.E3));
    return r.fma(s, all(FloatMath.E2));
  }

  private static FloatVector expOf(FloatVector r) {
    return r.fma(r.fma(expTail(r), all(1)), all(1));
  }

  private static FloatVector scale(FloatVector p, FloatVector shifted) {
    IntVector i = shifted.reinterpretAsInts();
    IntVector half = i.lanewise(VectorOperators.ASHR, 1);
    FloatVector s = shiftedLeft(half);
    return p.mul(s).mul(shiftedLeft(i.sub(half)));
  }

  private static FloatVector shiftedLeft(IntVector exponent) {
    return exponent.lanewise(VectorOperators.LSHL, FloatMath.EXPONENT_BITS).reinterpretAsFloats();
  }

  /** v where x is negative, otherwise w; for -0 both are the same. */
  private static FloatVector bySign(FloatVector x, FloatVector v, FloatVector w) {
    return w.blend(v, x.compare(VectorOperators.LT, 0));
  }

  /** {@code -|x|}. */
  private static FloatVector decay(FloatVector x) {
    return x.reinterpretAsInts().or(FloatMath.SIGN_BIT).reinterpretAsFloats();
  }

  /** x, but not below the least exponent; by comparison, which takes half of the time of max. */
  private static FloatVector atLeast(FloatVector x) {
    return x.blend(
        FloatMath.LEAST_EXPONENT, x.compare(VectorOperators.LT, FloatMath.LEAST_EXPONENT));
  }

  /** {@code e^x} where no result is subnormal: the exponent is added, which is as exact. */
  private static FloatVector expOfUsual(FloatVector x) {
    FloatVector shifted = shifted(x);
    IntVector exponent =
        shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, FloatMath.EXPONENT_BITS);
    IntVector p = expOf(remainder(x, shifted)).reinterpretAsInts();
    return p.add(exponent.sub(TWO_BIASES)).reinterpretAsFloats();
  }

  /** {@code e^x} of any x. */
  static FloatVector expOfAny(FloatVector x) {
    VectorMask<Float> above = x.compare(VectorOperators.GT, FloatMath.GREATEST_EXPONENT);
    return expOfAnyDecay(x.blend(FloatMath.GREATEST_EXPONENT, above));
  }

  /** {@code e^t} for t at most 0. */
  private static FloatVector expOfDecay(FloatVector t) {
    boolean usual = t.compare(VectorOperators.GT, -USUAL_EXPONENT).allTrue();
    return usual ? expOfUsual(t) : expOfAnyDecay(t);
  }

  private static FloatVector expOfAnyDecay(FloatVector t) {
    FloatVector c = atLeast(t);
    FloatVector shifted = shifted(c);
    return scale(expOf(remainder(c, shifted)), shifted);
  }

  static FloatVector log(FloatVector x) {
    VectorMask<Float> low = x.compare(VectorOperators.LT, Float.MIN_NORMAL);
    IntVector bits = x.blend(x.mul(all(FloatMath.LIFT)), low).reinterpretAsInts();
    IntVector e = bits.sub(FloatMath.TWO_THIRDS_BITS).and(FloatMath.EXPONENT_MASK);
    FloatVector k =
        (FloatVector)
            e.lanewise(VectorOperators.ASHR, FloatMath.EXPONENT_BITS)
                .convert(VectorOperators.I2F, 0);
    k = k.sub(all(0).blend(FloatMath.EXPONENT_BITS, low));
    FloatVector f = bits.sub(e).reinterpretAsFloats().sub(all(1));
    FloatVector y = k.fma(all(FloatMath.LN2), f.mul(f).fma(logTail(f), f));
    // What is true for NaN, infinity, 0 and below: one test for the usual case.
    VectorMask<Float> usual =
        x.compare(VectorOperators.GT, 0)
            .and(x.compare(VectorOperators.LT, Float.POSITIVE_INFINITY));
    return usual.allTrue() ? y : logLimits(x, y, usual);
  }

  private static FloatVector logLimits(FloatVector x, FloatVector y, VectorMask<Float> usual) {
    return all(Float.NaN)
        .blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.EQ, Float.POSITIVE_INFINITY))
        .blend(Float.NEGATIVE_INFINITY, x.compare(VectorOperators.EQ, 0))
        .blend(y, usual);
  }

  private static FloatVector logTail(FloatVector f) {
    FloatVector s = f.fma(all(FloatMath.L10), all(FloatMath.L9));
    s = f.fma(s, all(FloatMath.L8));
    s = f.fma(s, all(FloatMath.L7));
    s = f.fma(s, all(FloatMath.L6));
    s = f.fma(s, all(FloatMath.L5));
    s = f.fma(s, all(FloatMath.L4));
    s = f.fma(s, all(FloatMath.L3));
    return f.fma(s, all(FloatMath.L2));
  }

  static FloatVector tanh(FloatVector x) {
    FloatVector t = x.abs().min(all(FloatMath.TANH_END)).mul(all(-2));
    FloatVector shifted = shifted(t);
    FloatVector r = remainder(t, shifted);
    FloatVector p = r.mul(r).fma(expTail(r), r);
    FloatVector s = shiftedLeft(shifted.reinterpretAsInts().sub(FloatMath.EXPONENT_BIAS));
    FloatVector u = s.neg().fma(p, all(1).sub(s));
    FloatVector q = u.div(all(2).sub(u));
    return q.reinterpretAsInts()
        .or(x.reinterpretAsInts().and(FloatMath.SIGN_BIT))
        .reinterpretAsFloats();
  }

  static FloatVector sigmoid(FloatVector x) {
    return sigmoidOf(expOfDecay(decay(x)), x);
  }

  private static FloatVector sigmoidOf(FloatVector e, FloatVector x) {
    return bySign(x, e, all(1)).div(e.add(all(1)));
  }

  static FloatVector silu(FloatVector x) {
    return timesSigmoid(decay(x), x.max(all(-FloatMath.SIGMOID_END)));
  }

  private static FloatVector timesSigmoid(FloatVector t, FloatVector x) {
    FloatVector c = atLeast(t);
    FloatVector shifted = shifted(c);
    FloatVector p = expOf(remainder(c, shifted));
    IntVector i = shifted.reinterpretAsInts();
    IntVector half = i.lanewise(VectorOperators.ASHR, 1);
    IntVector rest = i.sub(half);
    FloatVector s =
        half.lanewise(VectorOperators.LSHL, FloatMath.EXPONENT_BITS).reinterpretAsFloats();
    FloatVector u =
        rest.lanewise(VectorOperators.LSHL, FloatMath.EXPONENT_BITS).reinterpretAsFloats();
    return x.blend(x.mul(p).mul(s).mul(u), x.compare(VectorOperators.LT, 0))
        .div(p.mul(s).mul(u).add(ONE));
  }

  static FloatVector siluSlope(FloatVector x) {
    FloatVector e = expOfDecay(decay(x));
    FloatVector d = e.add(all(1));
    FloatVector s = bySign(x, e, all(1)).div(d);
    FloatVector rest = bySign(x, all(1), e).div(d);
    FloatVector c = x.max(all(-FloatMath.SIGMOID_END)).min(all(FloatMath.SIGMOID_END));
    return s.mul(c.fma(rest, all(1)));
  }

  /*
   * In the functions of the GELUs what comes last is written out: by then C2 has made so many nodes
   * that it inlines the Vector API's own methods alone.
   */

  static FloatVector gelu(FloatVector x) {
    FloatVector a = x.abs().min(TAIL_END);
    FloatVector h = a.mul(a);
    FloatVector shifted = bellShifted(h);
    FloatVector e = expOf(bellRemainder(a, h, shifted));
    IntVector i = shifted.reinterpretAsInts();
    IntVector half = i.lanewise(VectorOperators.ASHR, 1);
    IntVector rest = i.sub(half);
    FloatVector p = a.mul(tail(a)).mul(e);
    p = p.mul(half.lanewise(VectorOperators.LSHL, FloatMath.EXPONENT_BITS).reinterpretAsFloats());
    p = p.mul(rest.lanewise(VectorOperators.LSHL, FloatMath.EXPONENT_BITS).reinterpretAsFloats());
    return x.max(0).sub(p);
  }

  private static FloatVector bellShifted(FloatVector h) {
    return h.fma(BELL_LOG2_E, all(FloatMath.SHIFT));
  }

  private static FloatVector bellRemainder(FloatVector a, FloatVector h, FloatVector shifted) {
    FloatVector low = a.fma(a, h.neg()).mul(MINUS_HALF);
    return remainder(h.mul(MINUS_HALF), shifted).add(low);
  }

  private static FloatVector tail(FloatVector a) {
    FloatVector z = a.mul(T_SCALE);
    FloatVector v = ONE.div(z.add(ONE));
    FloatVector w = z.mul(v);
    FloatVector s = w.fma(T9, T8);
    s = w.fma(s, T7);
    s = w.fma(s, T6);
    s = w.fma(s, T5);
    s = w.fma(s, T4);
    s = w.fma(s, T3);
    s = w.fma(s, T2);
    s = w.fma(s, T1);
    return v.mul(w.fma(s, T0));
  }

  static FloatVector geluSlope(FloatVector x) {
    FloatVector a = x.abs().min(TAIL_END);
    FloatVector h = a.mul(a);
    FloatVector shifted = bellShifted(h);
    FloatVector e = expOf(bellRemainder(a, h, shifted));
    IntVector i = shifted.reinterpretAsInts();
    IntVector half = i.lanewise(VectorOperators.ASHR, 1);
    IntVector rest = i.sub(half);
    FloatVector d = a.fma(INV_SQRT_2PI, tail(a).neg()).mul(e);
    d = d.mul(half.lanewise(VectorOperators.LSHL, FloatMath.EXPONENT_BITS).reinterpretAsFloats());
    d = d.mul(rest.lanewise(VectorOperators.LSHL, FloatMath.EXPONENT_BITS).reinterpretAsFloats());
    return d.add(ONE).blend(d.neg(), x.compare(VectorOperators.LT, 0));
  }

  private static FloatVector cubic(FloatVector x) {
    FloatVector c = x.max(MINUS_GELU_END).min(GELU_END);
    return c.mul(c.mul(GELU_CUBIC).fma(c, GELU_LINEAR));
  }

  static FloatVector geluTanh(FloatVector x) {
    return timesSigmoid(decay(cubic(x)), x.max(MINUS_GELU_END));
  }

  static FloatVector geluTanhSlope(FloatVector x) {
    FloatVector e = expOfDecay(decay(cubic(x)));
    FloatVector d = e.add(all(1));
    FloatVector s = bySign(x, e, all(1)).div(d);
    FloatVector c = x.max(MINUS_GELU_END).min(GELU_END);
    FloatVector slope = c.mul(c.mul(GELU_CUBIC_SLOPE).fma(c, GELU_LINEAR));
    return slope.fma(e.div(d.mul(d)), s);
  }

  static FloatVector softplus(FloatVector t) {
    FloatVector e = expOfDecay(decay(t));
    FloatVector s = e.fma(all(FloatMath.S10), all(FloatMath.S9));
    s = e.fma(s, all(FloatMath.S8));
    s = e.fma(s, all(FloatMath.S7));
    s = e.fma(s, all(FloatMath.S6));
    s = e.fma(s, all(FloatMath.S5));
    s = e.fma(s, all(FloatMath.S4));
    s = e.fma(s, all(FloatMath.S3));
    s = e.fma(s, all(FloatMath.S2));
    return t.max(all(0)).add(e.mul(e).fma(s, e));
  }
}
