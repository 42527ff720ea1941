package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwiseBuilder.Value;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * NAdam: {@link Adam} whose mean looks one step ahead, as Nesterov's momentum does.
 *
 * <pre>
 * mu_t = beta1 (1 - 0.96^(t momentumDecay) / 2)           P = mu_1 mu_2 … mu_t
 * m = beta1 m + (1 - beta1) g                             v = beta2 v + (1 - beta2) g^2
 * theta = theta - lr ((1 - mu_t) / (1 - P) g + mu_(t+1) / (1 - P mu_(t+1)) m)
 *               / (sqrt(v / (1 - beta2^t)) + eps)
 * </pre>
 *
 * <p>P is kept rounded to float32, as PyTorch does. Weight decay is added to the gradient, or with
 * {@code decoupled} shrinks the parameter. Source: T. Dozat, Incorporating Nesterov Momentum into
 * Adam, ICLR workshop 2016.
 */
public final class NAdam extends Optimizer<NAdam.Options> {

  private NAdam(OptimizerBuilder<Options, NAdam> builder) {
    super(builder, new Rule());
  }

  /** An NAdam whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, NAdam> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** An NAdam whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, NAdam> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("NAdam", change.apply(Options.defaults()), NAdam::new);
  }

  /** An NAdam with all parameters in one group, {@code all}, and the default options. */
  public static NAdam of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An NAdam with all parameters in one group, {@code all}, and changed default options. */
  public static NAdam of(NamedParameters parameters, UnaryOperator<Options> change) {
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
   * @param momentumDecay how fast mu rises to beta1, at least 0
   * @param decoupled whether the decay shrinks the parameter by {@code lr * weightDecay}
   * @param maximize whether to climb
   */
  public record Options(
      double lr,
      double beta1,
      double beta2,
      double eps,
      double weightDecay,
      double momentumDecay,
      boolean decoupled,
      boolean maximize)
      implements OptimizerOptions.WithBetas<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("NAdam", "lr", lr);
      OptionChecks.decayRate("NAdam", "beta1", beta1);
      OptionChecks.decayRate("NAdam", "beta2", beta2);
      OptionChecks.atLeastZero("NAdam", "eps", eps);
      OptionChecks.atLeastZero("NAdam", "weightDecay", weightDecay);
      OptionChecks.atLeastZero("NAdam", "momentumDecay", momentumDecay);
    }

    /** lr 0.002, betas 0.9 and 0.999, eps 1e-8, momentum decay 0.004, no weight decay. */
    public static Options defaults() {
      return new Options(2e-3, 0.9, 0.999, 1e-8, 0, 4e-3, false, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, beta1, beta2, eps, weightDecay, momentumDecay, decoupled, maximize);
    }

    @Override
    public Options withBetas(double first, double second) {
      return new Options(lr, first, second, eps, weightDecay, momentumDecay, decoupled, maximize);
    }

    /** These options with another eps. */
    public Options withEps(double x) {
      return new Options(lr, beta1, beta2, x, weightDecay, momentumDecay, decoupled, maximize);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, beta1, beta2, eps, x, momentumDecay, decoupled, maximize);
    }

    /** These options with another momentum decay. */
    public Options withMomentumDecay(double x) {
      return new Options(lr, beta1, beta2, eps, weightDecay, x, decoupled, maximize);
    }

    /** These options with a decoupled decay, or with one in the gradient. */
    public Options withDecoupled(boolean on) {
      return new Options(lr, beta1, beta2, eps, weightDecay, momentumDecay, on, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, beta1, beta2, eps, weightDecay, momentumDecay, decoupled, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("betas", List.of(beta1, beta2));
      map.put("decoupled_weight_decay", decoupled);
      map.put("eps", eps);
      map.put("lr", lr);
      map.put("maximize", maximize);
      map.put("momentum_decay", momentumDecay);
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
          v.number("momentum_decay"),
          v.flag("decoupled_weight_decay"),
          v.flag("maximize"));
    }
  }

  private static final class Rule implements PointwiseRule<Options> {
    private static final List<String> BUFFERS = List.of("exp_avg", "exp_avg_sq");

    @Override
    public List<String> buffers(Options options) {
      return BUFFERS;
    }

    @Override
    public Map<String, Double> scalars(Options options) {
      return Map.of("mu_product", 1.0);
    }

    @Override
    public Map<String, Double> scalarsAfter(Options o, Progress progress) {
      return Map.of("mu_product", product(o, progress));
    }

    private static double mu(Options o, long t) {
      return o.beta1() * (1 - 0.5 * Math.pow(0.96, t * o.momentumDecay()));
    }

    private static double product(Options o, Progress progress) {
      return (float) progress.scalar("mu_product") * (float) mu(o, progress.step());
    }

    @Override
    public void update(PointwiseBuilder u, Options o, Progress progress) {
      Value g = PointwiseRule.gradient(u, o.maximize(), o.decoupled() ? 0 : o.weightDecay());
      if (o.decoupled()) {
        u.setParam(u.param().mul(1 - o.lr() * o.weightDecay()));
      }
      Value m = u.set("exp_avg", u.buffer("exp_avg").lerp(g, 1 - o.beta1()));
      Value v =
          u.set("exp_avg_sq", u.buffer("exp_avg_sq").mul(o.beta2()).addcmul(g, g, 1 - o.beta2()));
      double product = product(o, progress);
      double mu = mu(o, progress.step());
      double next = mu(o, progress.step() + 1);
      Value denom = v.div(1 - Math.pow(o.beta2(), (double) progress.step())).sqrt().add(o.eps());
      u.setParam(u.param().addcdiv(g, denom, -o.lr() * (1 - mu) / (1 - product)));
      u.setParam(u.param().addcdiv(m, denom, -o.lr() * next / (1 - product * next)));
    }
  }
}
