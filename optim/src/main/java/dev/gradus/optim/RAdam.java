package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwiseBuilder.Value;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * RAdam: {@link Adam} that leaves the denominator out while it is too uncertain, and later scales
 * the step by how certain it is.
 *
 * <pre>
 * m = beta1 m + (1 - beta1) g           v = beta2 v + (1 - beta2) g^2
 * r_inf = 2 / (1 - beta2) - 1           r = r_inf - 2 t beta2^t / (1 - beta2^t)
 * d = lr m / (1 - beta1^t)
 * r > 5:  d = d sqrt(1 - beta2^t) / (sqrt(v) + eps)
 *             sqrt((r - 4) (r - 2) r_inf / ((r_inf - 4) (r_inf - 2) r))
 * theta = theta - d
 * </pre>
 *
 * <p>Weight decay is added to the gradient, or with {@code decoupled} shrinks the parameter.
 * Source: arXiv:1908.03265.
 */
public final class RAdam extends Optimizer<RAdam.Options> {

  private RAdam(OptimizerBuilder<Options, RAdam> builder) {
    super(builder, PointwiseRule.of(List.of("exp_avg", "exp_avg_sq"), RAdam::update));
  }

  /** An RAdam whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, RAdam> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** An RAdam whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, RAdam> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("RAdam", change.apply(Options.defaults()), RAdam::new);
  }

  /** An RAdam with all parameters in one group, {@code all}, and the default options. */
  public static RAdam of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An RAdam with all parameters in one group, {@code all}, and changed default options. */
  public static RAdam of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group.
   *
   * @param lr learning rate, at least 0
   * @param beta1 decay of the mean, in [0, 1)
   * @param beta2 decay of the mean square, in [0, 1)
   * @param eps added to the denominator, at least 0
   * @param weightDecay the decay's factor, at least 0
   * @param decoupled whether the decay shrinks the parameter by {@code lr * weightDecay}
   * @param maximize whether to climb
   */
  public record Options(
      double lr,
      double beta1,
      double beta2,
      double eps,
      double weightDecay,
      boolean decoupled,
      boolean maximize)
      implements OptimizerOptions.WithBetas<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("RAdam", "lr", lr);
      OptionChecks.decayRate("RAdam", "beta1", beta1);
      OptionChecks.decayRate("RAdam", "beta2", beta2);
      OptionChecks.atLeastZero("RAdam", "eps", eps);
      OptionChecks.atLeastZero("RAdam", "weightDecay", weightDecay);
    }

    /** lr 0.001, betas 0.9 and 0.999, eps 1e-8, no decay. */
    public static Options defaults() {
      return new Options(1e-3, 0.9, 0.999, 1e-8, 0, false, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, beta1, beta2, eps, weightDecay, decoupled, maximize);
    }

    @Override
    public Options withBetas(double first, double second) {
      return new Options(lr, first, second, eps, weightDecay, decoupled, maximize);
    }

    /** These options with another eps. */
    public Options withEps(double x) {
      return new Options(lr, beta1, beta2, x, weightDecay, decoupled, maximize);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, beta1, beta2, eps, x, decoupled, maximize);
    }

    /** These options with a decoupled decay, or with one in the gradient. */
    public Options withDecoupled(boolean on) {
      return new Options(lr, beta1, beta2, eps, weightDecay, on, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, beta1, beta2, eps, weightDecay, decoupled, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("betas", List.of(beta1, beta2));
      map.put("decoupled_weight_decay", decoupled);
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
          v.flag("decoupled_weight_decay"),
          v.flag("maximize"));
    }
  }

  private static void update(PointwiseBuilder u, Options o, UpdateRule.Progress progress) {
    Value g = PointwiseRule.gradient(u, o.maximize(), o.decoupled() ? 0 : o.weightDecay());
    if (o.decoupled()) {
      u.setParam(u.param().mul(1 - o.lr() * o.weightDecay()));
    }
    Value m = u.set("exp_avg", u.buffer("exp_avg").lerp(g, 1 - o.beta1()));
    Value v =
        u.set("exp_avg_sq", u.buffer("exp_avg_sq").mul(o.beta2()).addcmul(g, g, 1 - o.beta2()));
    double t = (double) progress.step();
    double power = Math.pow(o.beta2(), t);
    double limit = 2 / (1 - o.beta2()) - 1;
    double r = limit - 2 * t * power / (1 - power);
    Value d = m.div(1 - Math.pow(o.beta1(), t)).mul(o.lr());
    if (r > 5) {
      double rect = Math.sqrt((r - 4) * (r - 2) * limit / ((limit - 4) * (limit - 2) * r));
      d = d.mul(v.sqrt().add(o.eps()).rdiv(1).mul(Math.sqrt(1 - power))).mul(rect);
    }
    u.setParam(u.param().sub(d));
  }
}
