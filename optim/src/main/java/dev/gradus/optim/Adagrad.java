package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwiseBuilder.Value;
import dev.gradus.types.Shape;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Adagrad: steps over the root of the sum of all squared gradients.
 *
 * <pre>
 * s = s + g^2
 * theta = theta - lr / (1 + (t - 1) lrDecay) g / (sqrt(s) + eps)
 * </pre>
 *
 * <p>The sum is made at a parameter's first step, from the initial value that is in force then.
 * Source: Duchi, Hazan and Singer, JMLR 12 (2011).
 */
public final class Adagrad extends Optimizer<Adagrad.Options> {

  private Adagrad(OptimizerBuilder<Options, Adagrad> builder) {
    super(builder, new Rule());
  }

  /** An Adagrad whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, Adagrad> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** An Adagrad whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, Adagrad> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("Adagrad", change.apply(Options.defaults()), Adagrad::new);
  }

  /** An Adagrad with all parameters in one group, {@code all}, and the default options. */
  public static Adagrad of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An Adagrad with all parameters in one group, {@code all}, and changed default options. */
  public static Adagrad of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group.
   *
   * @param lr learning rate, at least 0
   * @param lrDecay how fast the rate falls, at least 0
   * @param weightDecay the L2 factor, at least 0
   * @param initialAccumulatorValue what the sum starts with, at least 0
   * @param eps added to the denominator, at least 0
   * @param maximize whether to climb
   */
  public record Options(
      double lr,
      double lrDecay,
      double weightDecay,
      double initialAccumulatorValue,
      double eps,
      boolean maximize)
      implements OptimizerOptions<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("Adagrad", "lr", lr);
      OptionChecks.atLeastZero("Adagrad", "lrDecay", lrDecay);
      OptionChecks.atLeastZero("Adagrad", "weightDecay", weightDecay);
      OptionChecks.atLeastZero("Adagrad", "initialAccumulatorValue", initialAccumulatorValue);
      OptionChecks.atLeastZero("Adagrad", "eps", eps);
    }

    /** lr 0.01, eps 1e-10, no decay of rate or weights, the sum from 0. */
    public static Options defaults() {
      return new Options(1e-2, 0, 0, 0, 1e-10, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, lrDecay, weightDecay, initialAccumulatorValue, eps, maximize);
    }

    /** These options with another decay of the rate. */
    public Options withLrDecay(double x) {
      return new Options(lr, x, weightDecay, initialAccumulatorValue, eps, maximize);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, lrDecay, x, initialAccumulatorValue, eps, maximize);
    }

    /** These options with another start of the sum. */
    public Options withInitialAccumulatorValue(double x) {
      return new Options(lr, lrDecay, weightDecay, x, eps, maximize);
    }

    /** These options with another eps. */
    public Options withEps(double x) {
      return new Options(lr, lrDecay, weightDecay, initialAccumulatorValue, x, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, lrDecay, weightDecay, initialAccumulatorValue, eps, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("eps", eps);
      map.put("initial_accumulator_value", initialAccumulatorValue);
      map.put("lr", lr);
      map.put("lr_decay", lrDecay);
      map.put("maximize", maximize);
      map.put("weight_decay", weightDecay);
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.number("lr_decay"),
          v.number("weight_decay"),
          v.number("initial_accumulator_value"),
          v.number("eps"),
          v.flag("maximize"));
    }
  }

  private static final class Rule implements PointwiseRule<Options> {
    private static final List<String> BUFFERS = List.of("sum");

    @Override
    public List<String> buffers(Options options) {
      return BUFFERS;
    }

    @Override
    public Start start(String buffer, Options o, Shape shape) {
      return new Start(shape, o.initialAccumulatorValue());
    }

    @Override
    public void update(PointwiseBuilder u, Options o, Progress progress) {
      Value g = PointwiseRule.gradient(u, o.maximize(), o.weightDecay());
      Value s = u.set("sum", u.buffer("sum").addcmul(g, g, 1));
      double rate = o.lr() / (1 + (progress.step() - 1) * o.lrDecay());
      u.setParam(u.param().addcdiv(g, s.sqrt().add(o.eps()), -rate));
    }
  }
}
