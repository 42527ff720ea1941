package dev.gradus.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Signs by comparisons of vectors, which C2 does not make of a loop. */
final class VectorSigns implements SignsF32 {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  @Override
  public void sign(float[] x, float[] out, int n) {
    int end = n - n % LANES;
    FloatVector zero = FloatVector.zero(SPECIES);
    for (int i = 0; i < end; i += LANES) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, i);
      FloatVector up = zero.blend(1, v.compare(VectorOperators.GT, zero));
      up.blend(-1, v.compare(VectorOperators.LT, zero)).intoArray(out, i);
    }
    PlainSigns.signs(x, out, end, n);
  }

  @Override
  public void where(float[] x, float[] y, float[] z, float[] out, int n) {
    int end = n - n % LANES;
    FloatVector zero = FloatVector.zero(SPECIES);
    for (int i = 0; i < end; i += LANES) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, i);
      FloatVector yes = FloatVector.fromArray(SPECIES, y, i);
      FloatVector no = FloatVector.fromArray(SPECIES, z, i);
      no.blend(yes, v.compare(VectorOperators.GT, zero)).intoArray(out, i);
    }
    PlainSigns.choices(x, y, z, out, end, n);
  }
}
