package dev.gradus.backend.cpu;

/** Adam's update of float32 elements; where there is a hardware FMA, the same bits from each. */
interface AdamKernel {
  /**
   * Updates elements lo to hi.
   *
   * @param max the greatest mean squares; empty where there are none
   */
  void update(
      AdamF32 s, float[] theta, float[] grad, float[] m, float[] v, float[] max, int lo, int hi);
}
