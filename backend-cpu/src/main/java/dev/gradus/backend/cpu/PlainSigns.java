package dev.gradus.backend.cpu;

/** Signs by their bits: they come as they like, and a wrong guess costs more than the bits. */
final class PlainSigns implements SignsF32 {
  /** The bits of infinity; those of NaN, without the sign, are greater. */
  private static final int INFINITY = 0x7f800000;

  private static final int ONE = 0x3f800000;

  @Override
  public void sign(float[] x, float[] out, int n) {
    signs(x, out, 0, n);
  }

  @Override
  public void where(float[] x, float[] y, float[] z, float[] out, int n) {
    choices(x, y, z, out, 0, n);
  }

  /** The signs of elements lo to hi. */
  static void signs(float[] x, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      int bits = Float.floatToRawIntBits(x[i]);
      int size = bits & Integer.MAX_VALUE;
      int some = (-size & (size - INFINITY - 1)) >> 31; // all ones, but for 0 and NaN none
      out[i] = Float.intBitsToFloat(((bits & Integer.MIN_VALUE) | ONE) & some);
    }
  }

  /** The choices of elements lo to hi. */
  static void choices(float[] x, float[] y, float[] z, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      int bits = Float.floatToRawIntBits(x[i]);
      int positive = (-bits & (bits - INFINITY - 1)) >> 31; // all ones, but for NaN and -0 none
      int yes = Float.floatToRawIntBits(y[i]) & positive;
      int no = Float.floatToRawIntBits(z[i]) & ~positive;
      out[i] = Float.intBitsToFloat(yes | no);
    }
  }
}
