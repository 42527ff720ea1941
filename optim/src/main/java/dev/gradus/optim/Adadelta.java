package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwiseBuilder.Value;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Adadelta: steps whose size is the root of their own running mean square over that of the
 * gradient.
 *
 * <pre>
 * s = rho s + (1 - rho) g^2
 * d = sqrt(a + eps) / sqrt(s + eps) g
 * a = rho a + (1 - rho) d^2
 * theta = theta - lr d
 * </pre>
 *
 * <p>Source: arXiv:1212.5701.
 */
public final class Adadelta extends Optimizer<Adadelta.Options> {

  private Adadelta(OptimizerBuilder<Options, Adadelta> builder) {
    super(builder, PointwiseRule.of(List.of("square_avg", "acc_delta"), Adadelta::update));
  }

  /** An Adadelta whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, Adadelta> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** An Adadelta whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, Adadelta> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("Adadelta", change.apply(Options.defaults()), Adadelta::new);
  }

  /** An Adadelta with all parameters in one group, {@code all}, and the default options. */
  public static Adadelta of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An Adadelta with all parameters in one group, {@code all}, and changed default options. */
  public static Adadelta of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group.
   *
   * @param lr factor of the step, at least 0
   * @param rho decay of both means, in [0, 1]
   * @param eps added under the roots, at least 0
   * @param weightDecay the L2 factor, at least 0
   * @param maximize whether to climb
   */
  public record Options(double lr, double rho, double eps, double weightDecay, boolean maximize)
      implements OptimizerOptions<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("Adadelta", "lr", lr);
      OptionChecks.fraction("Adadelta", "rho", rho);
      OptionChecks.atLeastZero("Adadelta", "eps", eps);
      OptionChecks.atLeastZero("Adadelta", "weightDecay", weightDecay);
    }

    /** lr 1, rho 0.9, eps 1e-6, no decay. */
    public static Options defaults() {
      return new Options(1, 0.9, 1e-6, 0, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, rho, eps, weightDecay, maximize);
    }

    /** These options with another decay of the means. */
    public Options withRho(double x) {
      return new Options(lr, x, eps, weightDecay, maximize);
    }

    /** These options with another eps. */
    public Options withEps(double x) {
      return new Options(lr, rho, x, weightDecay, maximize);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, rho, eps, x, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, rho, eps, weightDecay, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("eps", eps);
      map.put("lr", lr);
      map.put("maximize", maximize);
      map.put("rho", rho);
      map.put("weight_decay", weightDecay);
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.number("rho"),
          v.number("eps"),
          v.number("weight_decay"),
          v.flag("maximize"));
    }
  }

  private static void update(PointwiseBuilder u, Options o, UpdateRule.Progress progress) {
    Value g = PointwiseRule.gradient(u, o.maximize(), o.weightDecay());
    double rest = 1 - o.rho();
    Value s = u.set("square_avg", u.buffer("square_avg").mul(o.rho()).addcmul(g, g, rest));
    Value a = u.buffer("acc_delta");
    Value d = a.add(o.eps()).sqrt().div(s.add(o.eps()).sqrt()).mul(g);
    u.set("acc_delta", a.mul(o.rho()).addcmul(d, d, rest));
    u.setParam(u.param().add(d, -o.lr()));
  }
}
