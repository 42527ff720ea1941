package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import java.util.function.UnaryOperator;

/**
 * AdamW: {@link Adam} whose weight decay is decoupled from the gradient: {@code theta = theta (1 -
 * lr weightDecay)} before the step. Its options are Adam's.
 *
 * <p>Source: arXiv:1711.05101.
 */
public final class AdamW extends Optimizer<Adam.Options> {

  private AdamW(OptimizerBuilder<Adam.Options, AdamW> builder) {
    super(builder, new AdamRule());
  }

  /** Adam's default options with a decoupled weight decay of 0.01. */
  public static Adam.Options defaults() {
    return Adam.Options.defaults().withDecoupled(true).withWeightDecay(1e-2);
  }

  /** An AdamW whose groups start from {@link #defaults()}. */
  public static OptimizerBuilder<Adam.Options, AdamW> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /**
   * An AdamW whose groups start from changed defaults.
   *
   * @param change applied to {@link #defaults()}
   * @throws IllegalArgumentException if a value is not allowed
   */
  public static OptimizerBuilder<Adam.Options, AdamW> withDefaults(
      UnaryOperator<Adam.Options> change) {
    return new OptimizerBuilder<>("AdamW", change.apply(defaults()), AdamW::new);
  }

  /** An AdamW with all parameters in one group, {@code all}, and the default options. */
  public static AdamW of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An AdamW with all parameters in one group, {@code all}, and changed default options. */
  public static AdamW of(NamedParameters parameters, UnaryOperator<Adam.Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }
}
