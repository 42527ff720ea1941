package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwiseBuilder.Value;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Adamax: {@link Adam} with a decaying greatest gradient in place of the root of the mean square.
 *
 * <pre>
 * m = beta1 m + (1 - beta1) g           n = max(beta2 n, |g| + eps)
 * theta = theta - lr / (1 - beta1^t) m / n
 * </pre>
 *
 * <p>Source: arXiv:1412.6980, Algorithm 2.
 */
public final class Adamax extends Optimizer<Adamax.Options> {

  private Adamax(OptimizerBuilder<Options, Adamax> builder) {
    super(builder, PointwiseRule.of(List.of("exp_avg", "exp_inf"), Adamax::update));
  }

  /** An Adamax whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, Adamax> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** An Adamax whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, Adamax> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("Adamax", change.apply(Options.defaults()), Adamax::new);
  }

  /** An Adamax with all parameters in one group, {@code all}, and the default options. */
  public static Adamax of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An Adamax with all parameters in one group, {@code all}, and changed default options. */
  public static Adamax of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group.
   *
   * @param lr learning rate, at least 0
   * @param beta1 decay of the mean, in [0, 1)
   * @param beta2 decay of the greatest gradient, in [0, 1)
   * @param eps added to the gradient's size, at least 0
   * @param weightDecay the L2 factor, at least 0
   * @param maximize whether to climb
   */
  public record Options(
      double lr, double beta1, double beta2, double eps, double weightDecay, boolean maximize)
      implements OptimizerOptions.WithBetas<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("Adamax", "lr", lr);
      OptionChecks.decayRate("Adamax", "beta1", beta1);
      OptionChecks.decayRate("Adamax", "beta2", beta2);
      OptionChecks.atLeastZero("Adamax", "eps", eps);
      OptionChecks.atLeastZero("Adamax", "weightDecay", weightDecay);
    }

    /** lr 0.002, betas 0.9 and 0.999, eps 1e-8, no decay. */
    public static Options defaults() {
      return new Options(2e-3, 0.9, 0.999, 1e-8, 0, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, beta1, beta2, eps, weightDecay, maximize);
    }

    @Override
    public Options withBetas(double first, double second) {
      return new Options(lr, first, second, eps, weightDecay, maximize);
    }

    /** These options with another eps. */
    public Options withEps(double x) {
      return new Options(lr, beta1, beta2, x, weightDecay, maximize);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, beta1, beta2, eps, x, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, beta1, beta2, eps, weightDecay, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("betas", List.of(beta1, beta2));
      map.put("eps", eps);
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
          v.number("eps"),
          v.number("weight_decay"),
          v.flag("maximize"));
    }
  }

  private static void update(PointwiseBuilder u, Options o, UpdateRule.Progress progress) {
    Value g = PointwiseRule.gradient(u, o.maximize(), o.weightDecay());
    Value m = u.set("exp_avg", u.buffer("exp_avg").lerp(g, 1 - o.beta1()));
    Value size = g.abs().add(o.eps());
    Value n = u.set("exp_inf", u.buffer("exp_inf").mul(o.beta2()).max(size));
    double rate = o.lr() / (1 - Math.pow(o.beta1(), (double) progress.step()));
    u.setParam(u.param().addcdiv(m, n, -rate));
  }
}
