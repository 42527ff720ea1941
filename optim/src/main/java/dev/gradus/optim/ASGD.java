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
 * ASGD: gradient descent with a falling rate, which also keeps the mean of the parameter's values.
 *
 * <pre>
 * theta = theta (1 - lambd eta) - eta g
 * ax = mu == 1 ? theta : ax + (theta - ax) mu
 * eta = lr / (1 + lambd lr t)^alpha             mu = 1 / max(1, t - t0)         for the next step
 * </pre>
 *
 * <p>The mean is the buffer {@code ax} of the state. eta starts as lr and mu as 1; both are kept
 * rounded to float32, as PyTorch does. A changed rate holds a step later than that of others.
 * Source: Polyak and Juditsky, SIAM J. Control Optim. 30 (1992).
 */
public final class ASGD extends Optimizer<ASGD.Options> {

  private ASGD(OptimizerBuilder<Options, ASGD> builder) {
    super(builder, new Rule());
  }

  /** An ASGD whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, ASGD> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** An ASGD whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, ASGD> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("ASGD", change.apply(Options.defaults()), ASGD::new);
  }

  /** An ASGD with all parameters in one group, {@code all}, and the default options. */
  public static ASGD of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An ASGD with all parameters in one group, {@code all}, and changed default options. */
  public static ASGD of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group.
   *
   * @param lr learning rate, at least 0
   * @param lambd decay of the parameter, at least 0
   * @param alpha how fast eta falls, at least 0
   * @param t0 the step after which values are averaged, at least 0
   * @param weightDecay the L2 factor, at least 0
   * @param maximize whether to climb
   */
  public record Options(
      double lr, double lambd, double alpha, double t0, double weightDecay, boolean maximize)
      implements OptimizerOptions<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("ASGD", "lr", lr);
      OptionChecks.atLeastZero("ASGD", "lambd", lambd);
      OptionChecks.atLeastZero("ASGD", "alpha", alpha);
      OptionChecks.atLeastZero("ASGD", "t0", t0);
      OptionChecks.atLeastZero("ASGD", "weightDecay", weightDecay);
    }

    /** lr 0.01, lambd 1e-4, alpha 0.75, t0 1e6, no weight decay. */
    public static Options defaults() {
      return new Options(1e-2, 1e-4, 0.75, 1e6, 0, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, lambd, alpha, t0, weightDecay, maximize);
    }

    /** These options with another decay of the parameter. */
    public Options withLambd(double x) {
      return new Options(lr, x, alpha, t0, weightDecay, maximize);
    }

    /** These options with another fall of eta. */
    public Options withAlpha(double x) {
      return new Options(lr, lambd, x, t0, weightDecay, maximize);
    }

    /** These options with another start of the averaging. */
    public Options withT0(double x) {
      return new Options(lr, lambd, alpha, x, weightDecay, maximize);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, lambd, alpha, t0, x, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, lambd, alpha, t0, weightDecay, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("alpha", alpha);
      map.put("lambd", lambd);
      map.put("lr", lr);
      map.put("maximize", maximize);
      map.put("t0", t0);
      map.put("weight_decay", weightDecay);
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.number("lambd"),
          v.number("alpha"),
          v.number("t0"),
          v.number("weight_decay"),
          v.flag("maximize"));
    }
  }

  private static final class Rule implements PointwiseRule<Options> {
    private static final List<String> BUFFERS = List.of("ax");

    @Override
    public List<String> buffers(Options options) {
      return BUFFERS;
    }

    @Override
    public Map<String, Double> scalars(Options o) {
      return Map.of("eta", (double) (float) o.lr(), "mu", 1.0);
    }

    @Override
    public Map<String, Double> scalarsAfter(Options o, Progress progress) {
      double t = (double) progress.step();
      double eta = o.lr() / Math.pow(1 + o.lambd() * o.lr() * t, o.alpha());
      double mu = 1 / Math.max(1, t - o.t0());
      return Map.of("eta", (double) (float) eta, "mu", (double) (float) mu);
    }

    @Override
    public void update(PointwiseBuilder u, Options o, Progress progress) {
      Value g = PointwiseRule.gradient(u, o.maximize(), o.weightDecay());
      double eta = progress.scalar("eta");
      double mu = progress.scalar("mu");
      Value p = u.setParam(u.param().mul(1 - o.lambd() * eta).add(g, -eta));
      Value ax = u.buffer("ax");
      u.set("ax", mu == 1 ? p : ax.add(p.sub(ax).mul(mu)));
    }
  }
}
