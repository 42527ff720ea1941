package dev.gradus.backend.cpu;

/** What depends on the signs of float32 elements, for a block of them; the same bits from each. */
interface SignsF32 {
  /** Writes 1 where x is greater than 0, -1 where it is less, else 0. */
  void sign(float[] x, float[] out, int n);

  /** Writes y where x is greater than 0, else z. */
  void where(float[] x, float[] y, float[] z, float[] out, int n);
}
