package dev.gradus.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Adam's update of float32 elements by vectors: for the many parameters of a few hundred elements,
 * of which a plain loop spends most on what comes before and after its vectors.
 */
final class VectorAdam implements AdamKernel {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  private final AdamKernel plain = new PlainAdam();

  @Override
  public void update(
      AdamF32 s, float[] theta, float[] grad, float[] m, float[] v, float[] max, int lo, int hi) {
    int end = lo;
    if (s.fast()) {
      end = lo + (hi - lo) / LANES * LANES;
      vectors(s, theta, grad, m, v, max, lo, end);
    }
    if (end < hi) {
      plain.update(s, theta, grad, m, v, max, end, hi);
    }
  }

  private static void vectors(
      AdamF32 s, float[] theta, float[] grad, float[] m, float[] v, float[] max, int lo, int end) {
    boolean addsDecay = s.addsDecay();
    boolean amsgrad = max.length > 0;
    FloatVector sign = FloatVector.broadcast(SPECIES, s.sign());
    FloatVector decay = FloatVector.broadcast(SPECIES, s.decay());
    FloatVector l2 = FloatVector.broadcast(SPECIES, s.l2());
    FloatVector w = FloatVector.broadcast(SPECIES, s.w());
    FloatVector beta2 = FloatVector.broadcast(SPECIES, s.beta2());
    FloatVector c = FloatVector.broadcast(SPECIES, s.c());
    FloatVector root = FloatVector.broadcast(SPECIES, s.root());
    FloatVector eps = FloatVector.broadcast(SPECIES, s.eps());
    FloatVector step = FloatVector.broadcast(SPECIES, s.step());
    for (int i = lo; i < end; i += LANES) {
      FloatVector p = FloatVector.fromArray(SPECIES, theta, i).mul(decay);
      FloatVector g = FloatVector.fromArray(SPECIES, grad, i).mul(sign);
      if (addsDecay) {
        g = l2.fma(p, g);
      }
      FloatVector before = FloatVector.fromArray(SPECIES, m, i);
      FloatVector mean = w.fma(g.sub(before), before);
      FloatVector square = c.mul(g).fma(g, FloatVector.fromArray(SPECIES, v, i).mul(beta2));
      mean.intoArray(m, i);
      square.intoArray(v, i);
      FloatVector bound = square;
      if (amsgrad) {
        bound = FloatVector.fromArray(SPECIES, max, i).max(square);
        bound.intoArray(max, i);
      }
      FloatVector denominator = bound.lanewise(VectorOperators.SQRT).div(root).add(eps);
      p.add(step.mul(mean).div(denominator)).intoArray(theta, i);
    }
  }
}
