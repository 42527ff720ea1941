package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwiseBuilder.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * RMSprop: steps over the root of a running mean of the squared gradient.
 *
 * <pre>
 * s = alpha s + (1 - alpha) g^2                 centered:  a = alpha a + (1 - alpha) g
 * d = g / (sqrt(s) + eps)                       centered:  d = g / (sqrt(s - a^2) + eps)
 * theta = theta - lr d                          momentum:  b = momentum b + d, theta - lr b
 * </pre>
 *
 * <p>A momentum or mean that is switched on later makes its buffer then. Source: T. Tieleman and G.
 * Hinton, Lecture 6.5, 2012; centered: arXiv:1308.0850.
 */
public final class RMSprop extends Optimizer<RMSprop.Options> {

  private RMSprop(OptimizerBuilder<Options, RMSprop> builder) {
    super(builder, new Rule());
  }

  /** An RMSprop whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, RMSprop> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** An RMSprop whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, RMSprop> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("RMSprop", change.apply(Options.defaults()), RMSprop::new);
  }

  /** An RMSprop with all parameters in one group, {@code all}, and the default options. */
  public static RMSprop of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An RMSprop with all parameters in one group, {@code all}, and changed default options. */
  public static RMSprop of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group.
   *
   * @param lr learning rate, at least 0
   * @param alpha decay of the means, in [0, 1]
   * @param eps added to the root, at least 0
   * @param weightDecay the L2 factor, at least 0
   * @param momentum the buffer's decay, at least 0; 0 keeps no buffer
   * @param centered whether the variance is used in place of the mean square
   * @param maximize whether to climb
   */
  public record Options(
      double lr,
      double alpha,
      double eps,
      double weightDecay,
      double momentum,
      boolean centered,
      boolean maximize)
      implements OptimizerOptions.WithMomentum<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("RMSprop", "lr", lr);
      OptionChecks.fraction("RMSprop", "alpha", alpha);
      OptionChecks.atLeastZero("RMSprop", "eps", eps);
      OptionChecks.atLeastZero("RMSprop", "weightDecay", weightDecay);
      OptionChecks.atLeastZero("RMSprop", "momentum", momentum);
    }

    /** lr 0.01, alpha 0.99, eps 1e-8, no momentum, no decay. */
    public static Options defaults() {
      return new Options(1e-2, 0.99, 1e-8, 0, 0, false, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, alpha, eps, weightDecay, momentum, centered, maximize);
    }

    /** These options with another decay of the means. */
    public Options withAlpha(double x) {
      return new Options(lr, x, eps, weightDecay, momentum, centered, maximize);
    }

    /** These options with another eps. */
    public Options withEps(double x) {
      return new Options(lr, alpha, x, weightDecay, momentum, centered, maximize);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, alpha, eps, x, momentum, centered, maximize);
    }

    @Override
    public Options withMomentum(double x) {
      return new Options(lr, alpha, eps, weightDecay, x, centered, maximize);
    }

    /** These options with the variance, or with the mean square. */
    public Options withCentered(boolean on) {
      return new Options(lr, alpha, eps, weightDecay, momentum, on, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, alpha, eps, weightDecay, momentum, centered, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("alpha", alpha);
      map.put("centered", centered);
      map.put("eps", eps);
      map.put("lr", lr);
      map.put("maximize", maximize);
      map.put("momentum", momentum);
      map.put("weight_decay", weightDecay);
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.number("alpha"),
          v.number("eps"),
          v.number("weight_decay"),
          v.number("momentum"),
          v.flag("centered"),
          v.flag("maximize"));
    }
  }

  private static final class Rule implements PointwiseRule<Options> {
    @Override
    public List<String> buffers(Options o) {
      List<String> names = new ArrayList<>(List.of("square_avg"));
      if (o.momentum() > 0) {
        names.add("momentum_buffer");
      }
      if (o.centered()) {
        names.add("grad_avg");
      }
      return names;
    }

    @Override
    public void update(PointwiseBuilder u, Options o, Progress progress) {
      Value g = PointwiseRule.gradient(u, o.maximize(), o.weightDecay());
      double rest = 1 - o.alpha();
      Value s = u.set("square_avg", u.buffer("square_avg").mul(o.alpha()).addcmul(g, g, rest));
      if (o.centered()) {
        Value mean = u.set("grad_avg", u.buffer("grad_avg").lerp(g, rest));
        s = s.addcmul(mean, mean, -1);
      }
      Value denom = s.sqrt().add(o.eps());
      if (o.momentum() > 0) {
        Value b = u.buffer("momentum_buffer").mul(o.momentum()).addcdiv(g, denom, 1);
        u.setParam(u.param().add(u.set("momentum_buffer", b), -o.lr()));
      } else {
        u.setParam(u.param().addcdiv(g, denom, -o.lr()));
      }
    }
  }
}
