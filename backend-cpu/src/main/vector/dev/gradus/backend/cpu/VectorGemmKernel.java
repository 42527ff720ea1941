package dev.gradus.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Six rows of two vectors: twelve sums in registers, which fits sixteen of them. */
final class VectorGemmKernel implements GemmKernel {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final int ROWS = 6;

  @Override
  public int rows() {
    return ROWS;
  }

  @Override
  public int columns() {
    return 2 * LANES;
  }

  /*
   * All kernels here use one size of vectors, the preferred one: where a process uses two, C2 does
   * not know which of them a loop's variable is, and this loop takes twice the time. The last step
   * stands behind the loop for the same reason: what it gives has a known size, and is not boxed.
   */
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
    FloatVector c00 = zero;
    FloatVector c01 = zero;
    FloatVector c10 = zero;
    FloatVector c11 = zero;
    FloatVector c20 = zero;
    FloatVector c21 = zero;
    FloatVector c30 = zero;
    FloatVector c31 = zero;
    FloatVector c40 = zero;
    FloatVector c41 = zero;
    FloatVector c50 = zero;
    FloatVector c51 = zero;
    int row2 = 2 * ars;
    int row3 = 3 * ars;
    int row4 = 4 * ars;
    int row5 = 5 * ars;
    int q = aAt;
    int r = bAt;
    for (int p = 1; p < depth; p++, q += acs, r += brs) {
      FloatVector b0 = FloatVector.fromArray(SPECIES, b, r);
      FloatVector b1 = FloatVector.fromArray(SPECIES, b, r + LANES);
      FloatVector x = FloatVector.broadcast(SPECIES, a[q]);
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(SPECIES, a[q + ars]);
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(SPECIES, a[q + row2]);
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(SPECIES, a[q + row3]);
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
      x = FloatVector.broadcast(SPECIES, a[q + row4]);
      c40 = x.fma(b0, c40);
      c41 = x.fma(b1, c41);
      x = FloatVector.broadcast(SPECIES, a[q + row5]);
      c50 = x.fma(b0, c50);
      c51 = x.fma(b1, c51);
    }
    FloatVector b0 = FloatVector.fromArray(SPECIES, b, r);
    FloatVector b1 = FloatVector.fromArray(SPECIES, b, r + LANES);
    FloatVector x = FloatVector.broadcast(SPECIES, a[q]);
    c00 = x.fma(b0, c00);
    c01 = x.fma(b1, c01);
    x = FloatVector.broadcast(SPECIES, a[q + ars]);
    c10 = x.fma(b0, c10);
    c11 = x.fma(b1, c11);
    x = FloatVector.broadcast(SPECIES, a[q + row2]);
    c20 = x.fma(b0, c20);
    c21 = x.fma(b1, c21);
    x = FloatVector.broadcast(SPECIES, a[q + row3]);
    c30 = x.fma(b0, c30);
    c31 = x.fma(b1, c31);
    x = FloatVector.broadcast(SPECIES, a[q + row4]);
    c40 = x.fma(b0, c40);
    c41 = x.fma(b1, c41);
    x = FloatVector.broadcast(SPECIES, a[q + row5]);
    c50 = x.fma(b0, c50);
    c51 = x.fma(b1, c51);
    if (add) {
      c00 = FloatVector.fromArray(SPECIES, c, cAt).add(c00);
      c01 = FloatVector.fromArray(SPECIES, c, cAt + LANES).add(c01);
      c10 = FloatVector.fromArray(SPECIES, c, cAt + crs).add(c10);
      c11 = FloatVector.fromArray(SPECIES, c, cAt + crs + LANES).add(c11);
      c20 = FloatVector.fromArray(SPECIES, c, cAt + 2 * crs).add(c20);
      c21 = FloatVector.fromArray(SPECIES, c, cAt + 2 * crs + LANES).add(c21);
      c30 = FloatVector.fromArray(SPECIES, c, cAt + 3 * crs).add(c30);
      c31 = FloatVector.fromArray(SPECIES, c, cAt + 3 * crs + LANES).add(c31);
      c40 = FloatVector.fromArray(SPECIES, c, cAt + 4 * crs).add(c40);
      c41 = FloatVector.fromArray(SPECIES, c, cAt + 4 * crs + LANES).add(c41);
      c50 = FloatVector.fromArray(SPECIES, c, cAt + 5 * crs).add(c50);
      c51 = FloatVector.fromArray(SPECIES, c, cAt + 5 * crs + LANES).add(c51);
    }
    c00.intoArray(c, cAt);
    c01.intoArray(c, cAt + LANES);
    c10.intoArray(c, cAt + crs);
    c11.intoArray(c, cAt + crs + LANES);
    c20.intoArray(c, cAt + 2 * crs);
    c21.intoArray(c, cAt + 2 * crs + LANES);
    c30.intoArray(c, cAt + 3 * crs);
    c31.intoArray(c, cAt + 3 * crs + LANES);
    c40.intoArray(c, cAt + 4 * crs);
    c41.intoArray(c, cAt + 4 * crs + LANES);
    c50.intoArray(c, cAt + 5 * crs);
    c51.intoArray(c, cAt + 5 * crs + LANES);
  }
}
