package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwiseBuilder.Value;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Lion: steps of one size, by the sign of a mean between gradient and momentum.
 *
 * <pre>
 * theta = theta (1 - lr weightDecay) - lr sign(beta1 m + (1 - beta1) g)
 * m = beta2 m + (1 - beta2) g
 * </pre>
 *
 * <p>The decay is decoupled. Its rate is a third to a tenth of AdamW's, its weight decay as many
 * times greater. Source: arXiv:2302.06675, Algorithm 2.
 */
public final class Lion extends Optimizer<Lion.Options> {

  private Lion(OptimizerBuilder<Options, Lion> builder) {
    super(builder, PointwiseRule.of(List.of("exp_avg"), Lion::update));
  }

  /** A Lion whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, Lion> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** A Lion whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, Lion> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("Lion", change.apply(Options.defaults()), Lion::new);
  }

  /** A Lion with all parameters in one group, {@code all}, and the default options. */
  public static Lion of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** A Lion with all parameters in one group, {@code all}, and changed default options. */
  public static Lion of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group.
   *
   * @param lr learning rate, at least 0
   * @param beta1 weight of the momentum in the step, in [0, 1)
   * @param beta2 decay of the momentum, in [0, 1)
   * @param weightDecay the decay's factor, at least 0
   * @param maximize whether to climb
   */
  public record Options(double lr, double beta1, double beta2, double weightDecay, boolean maximize)
      implements OptimizerOptions.WithBetas<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("Lion", "lr", lr);
      OptionChecks.decayRate("Lion", "beta1", beta1);
      OptionChecks.decayRate("Lion", "beta2", beta2);
      OptionChecks.atLeastZero("Lion", "weightDecay", weightDecay);
    }

    /** lr 0.0001, betas 0.9 and 0.99, no decay. */
    public static Options defaults() {
      return new Options(1e-4, 0.9, 0.99, 0, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, beta1, beta2, weightDecay, maximize);
    }

    @Override
    public Options withBetas(double first, double second) {
      return new Options(lr, first, second, weightDecay, maximize);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, beta1, beta2, x, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, beta1, beta2, weightDecay, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("betas", List.of(beta1, beta2));
      map.put("lr", lr);
      map.put("maximize", maximize);
      map.put("weight_decay", weightDecay);
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.number("betas", 0),
          v.number("betas", 1),
          v.number("weight_decay"),
          v.flag("maximize"));
    }
  }

  private static void update(PointwiseBuilder u, Options o, UpdateRule.Progress progress) {
    Value g = PointwiseRule.gradient(u, o.maximize(), 0);
    Value m = u.buffer("exp_avg");
    Value p = o.weightDecay() == 0 ? u.param() : u.param().mul(1 - o.lr() * o.weightDecay());
    u.setParam(p.add(m.lerp(g, 1 - o.beta1()).sign(), -o.lr()));
    u.set("exp_avg", m.lerp(g, 1 - o.beta2()));
  }
}
