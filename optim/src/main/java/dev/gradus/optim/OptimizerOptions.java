package dev.gradus.optim;

import java.util.Map;
import java.util.SortedMap;

/**
 * The options of a parameter group: an immutable value, usually a record with withers, that is
 * validated when it is made.
 *
 * @param <O> the type itself
 */
public interface OptimizerOptions<O extends OptimizerOptions<O>> {
  /** The learning rate. */
  double lr();

  /**
   * These options with another learning rate.
   *
   * @throws IllegalArgumentException if the rate is not allowed
   */
  O withLr(double lr);

  /** These options without weight decay; themselves where there is none to switch off. */
  O withoutWeightDecay();

  /**
   * Every option under PyTorch's name, sorted by it, for prints and tables: {@link Double}, {@link
   * Boolean}, or a {@code List<Double>} for a tuple.
   */
  SortedMap<String, Object> entries();

  /**
   * Options of this kind with these values, each under its name in {@link #entries()}.
   *
   * @throws IllegalArgumentException if a value is not allowed
   */
  O withValues(OptionValues values);

  /**
   * These options with some values replaced that have names, as they stand in a file.
   *
   * @param changes values by their names in {@link #entries()}
   * @throws IllegalArgumentException if a name is unknown, or a value of another type or not
   *     allowed
   */
  default O withEntries(Map<String, ?> changes) {
    return withValues(OptionValues.of(this, changes));
  }
}
