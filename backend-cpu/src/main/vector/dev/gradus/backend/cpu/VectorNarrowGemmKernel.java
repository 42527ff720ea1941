package dev.gradus.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Eight rows of one vector, for products of few columns. */
final class VectorNarrowGemmKernel implements GemmKernel {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final int ROWS = 8;

  @Override
  public int rows() {
    return ROWS;
  }

  @Override
  public int columns() {
    return LANES;
  }

  @Override
  public void run(
      float[] a,
      int aAt,
      int ars,
      int acs,
      float[] b,
      int bAt,
      int brs,
      int depth,
      float[] c,
      int cAt,
      int crs,
      boolean add) {
    FloatVector zero = FloatVector.zero(SPECIES);
    FloatVector c0 = zero;
    FloatVector c1 = zero;
    FloatVector c2 = zero;
    FloatVector c3 = zero;
    FloatVector c4 = zero;
    FloatVector c5 = zero;
    FloatVector c6 = zero;
    FloatVector c7 = zero;
    int row2 = 2 * ars;
    int row3 = 3 * ars;
    int row4 = 4 * ars;
    int row5 = 5 * ars;
    int row6 = 6 * ars;
    int row7 = 7 * ars;
    int q = aAt;
    int r = bAt;
    for (int p = 1; p < depth; p++, q += acs, r += brs) {
      FloatVector y = FloatVector.fromArray(SPECIES, b, r);
      c0 = FloatVector.broadcast(SPECIES, a[q]).fma(y, c0);
      c1 = FloatVector.broadcast(SPECIES, a[q + ars]).fma(y, c1);
      c2 = FloatVector.broadcast(SPECIES, a[q + row2]).fma(y, c2);
      c3 = FloatVector.broadcast(SPECIES, a[q + row3]).fma(y, c3);
      c4 = FloatVector.broadcast(SPECIES, a[q + row4]).fma(y, c4);
      c5 = FloatVector.broadcast(SPECIES, a[q + row5]).fma(y, c5);
      c6 = FloatVector.broadcast(SPECIES, a[q + row6]).fma(y, c6);
      c7 = FloatVector.broadcast(SPECIES, a[q + row7]).fma(y, c7);
    }
    FloatVector y = FloatVector.fromArray(SPECIES, b, r);
    c0 = FloatVector.broadcast(SPECIES, a[q]).fma(y, c0);
    c1 = FloatVector.broadcast(SPECIES, a[q + ars]).fma(y, c1);
    c2 = FloatVector.broadcast(SPECIES, a[q + row2]).fma(y, c2);
    c3 = FloatVector.broadcast(SPECIES, a[q + row3]).fma(y, c3);
    c4 = FloatVector.broadcast(SPECIES, a[q + row4]).fma(y, c4);
    c5 = FloatVector.broadcast(SPECIES, a[q + row5]).fma(y, c5);
    c6 = FloatVector.broadcast(SPECIES, a[q + row6]).fma(y, c6);
    c7 = FloatVector.broadcast(SPECIES, a[q + row7]).fma(y, c7);
    if (add) {
      c0 = FloatVector.fromArray(SPECIES, c, cAt).add(c0);
      c1 = FloatVector.fromArray(SPECIES, c, cAt + crs).add(c1);
      c2 = FloatVector.fromArray(SPECIES, c, cAt + 2 * crs).add(c2);
      c3 = FloatVector.fromArray(SPECIES, c, cAt + 3 * crs).add(c3);
      c4 = FloatVector.fromArray(SPECIES, c, cAt + 4 * crs).add(c4);
      c5 = FloatVector.fromArray(SPECIES, c, cAt + 5 * crs).add(c5);
      c6 = FloatVector.fromArray(SPECIES, c, cAt + 6 * crs).add(c6);
      c7 = FloatVector.fromArray(SPECIES, c, cAt + 7 * crs).add(c7);
    }
    c0.intoArray(c, cAt);
    c1.intoArray(c, cAt + crs);
    c2.intoArray(c, cAt + 2 * crs);
    c3.intoArray(c, cAt + 3 * crs);
    c4.intoArray(c, cAt + 4 * crs);
    c5.intoArray(c, cAt + 5 * crs);
    c6.intoArray(c, cAt + 6 * crs);
    c7.intoArray(c, cAt + 7 * crs);
  }
}
