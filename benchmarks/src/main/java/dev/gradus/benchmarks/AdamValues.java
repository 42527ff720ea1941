package dev.gradus.benchmarks;

/** The parameters and gradients of the Adam benchmarks, the same for every engine. */
final class AdamValues {
  /** Steps taken before the result is verified; the states then have a history. */
  static final int STEPS = 3;

  /** Three steps change a value by 3e-3; float32 rounds it three times by at most 6e-8. */
  private static final double TOLERANCE = 1e-6;

  private AdamValues() {}

  static float[] parameters(int tensor, int size) {
    return Numbers.uniform(size, tensor, -1, 1);
  }

  static float[] gradients(int tensor, int size) {
    return Numbers.uniform(size, ~tensor, -0.1f, 0.1f);
  }

  /** Refuses a tensor that is not what three steps make of it. */
  static void verify(AdamVariant variant, int tensor, float[] values) {
    float[] initial = parameters(tensor, values.length);
    float[] grads = gradients(tensor, values.length);
    Verify.close(
        variant + ", tensor " + tensor,
        values,
        i -> variant.after(STEPS, initial[i], grads[i]),
        TOLERANCE);
  }
}
