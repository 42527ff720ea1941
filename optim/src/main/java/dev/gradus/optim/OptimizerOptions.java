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

  /** These options with the entry {@code weight_decay} 0; themselves where they have none. */
  default O withoutWeightDecay() {
    boolean some = entries().containsKey("weight_decay");
    return withEntries(some ? Map.of("weight_decay", 0.0) : Map.of());
  }

  /**
   * Every option under PyTorch's name, sorted by it, for prints and tables: {@link Double}, {@link
   * Integer}, {@link Boolean}, a {@link String} for a word, {@code None} among them, or a list for
   * a tuple.
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

  /** The momentum that a schedule may move; 0 where options have none. */
  static double momentumOf(OptimizerOptions<?> options) {
    return options instanceof WithMomentum<?> some ? some.momentum() : 0;
  }

  /**
   * Options with a momentum, which a schedule may move.
   *
   * @param <O> the type itself
   */
  interface WithMomentum<O extends WithMomentum<O>> extends OptimizerOptions<O> {
    /** The momentum. */
    double momentum();

    /**
     * These options with another momentum.
     *
     * @throws IllegalArgumentException if the momentum is not allowed
     */
    O withMomentum(double x);
  }

  /**
   * Options with decay rates of running means, of which the first, beta1, is the momentum.
   *
   * @param <O> the type itself
   */
  interface WithBetas<O extends WithBetas<O>> extends WithMomentum<O> {
    /** The decay of the mean. */
    double beta1();

    /** The decay of the mean square. */
    double beta2();

    /**
     * These options with other decay rates of the mean and of the mean square.
     *
     * @throws IllegalArgumentException if a rate is not allowed
     */
    O withBetas(double first, double second);

    /** beta1. */
    @Override
    default double momentum() {
      return beta1();
    }

    /** These options with another beta1. */
    @Override
    default O withMomentum(double x) {
      return withBetas(x, beta2());
    }
  }
}
