package dev.gradus.nn;

import dev.gradus.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * How a loss over classes counts.
 *
 * @param labelSmoothing the part of the target that is spread over all classes, in [0, 1]
 * @param ignoreIndex a target that counts for nothing, in the mean neither
 * @param classWeights a weight for each class, [classes]; null: all are 1. A mean is divided by the
 *     sum of the targets' weights
 * @param reduction what is made of the losses
 */
public record CrossEntropyOptions(
    double labelSmoothing, long ignoreIndex, @Nullable Tensor classWeights, Reduction reduction) {

  /** Options with these values. */
  public CrossEntropyOptions {
    if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
      throw new IllegalArgumentException(
          "crossEntropy labelSmoothing must be in [0, 1] but is " + labelSmoothing);
    }
  }

  /** No smoothing, -100 ignored, classes weighted alike, the mean. */
  public static CrossEntropyOptions defaults() {
    return new CrossEntropyOptions(0, -100, null, Reduction.MEAN);
  }

  /** These, with label smoothing. */
  public CrossEntropyOptions withLabelSmoothing(double value) {
    return new CrossEntropyOptions(value, ignoreIndex, classWeights, reduction);
  }

  /** These, with another target that counts for nothing. */
  public CrossEntropyOptions withIgnoreIndex(long value) {
    return new CrossEntropyOptions(labelSmoothing, value, classWeights, reduction);
  }

  /** These, with a weight for each class. */
  public CrossEntropyOptions withClassWeights(Tensor value) {
    return new CrossEntropyOptions(labelSmoothing, ignoreIndex, value, reduction);
  }

  /** These, with another reduction. */
  public CrossEntropyOptions withReduction(Reduction value) {
    return new CrossEntropyOptions(labelSmoothing, ignoreIndex, classWeights, value);
  }
}
