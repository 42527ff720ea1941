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
 * Rprop: a step size of its own for each element, which grows while the gradient keeps its sign and
 * shrinks when it turns. For gradients of the whole data, not of batches.
 *
 * <pre>{@code
 * size = clamp(size f, minStep, maxStep)   f = etaPlus where g prev > 0, etaMinus where g prev < 0,
 *                                              else 1; size = lr before the first step
 * g = 0 where g prev < 0
 * theta = theta - sign(g) size             prev = g
 * }</pre>
 *
 * <p>A rate that is changed later changes nothing for parameters that have made a step. Source: M.
 * Riedmiller and H. Braun, ICNN 1993.
 */
public final class Rprop extends Optimizer<Rprop.Options> {

  private Rprop(OptimizerBuilder<Options, Rprop> builder) {
    super(builder, new Rule());
  }

  /** An Rprop whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, Rprop> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** An Rprop whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, Rprop> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("Rprop", change.apply(Options.defaults()), Rprop::new);
  }

  /** An Rprop with all parameters in one group, {@code all}, and the default options. */
  public static Rprop of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An Rprop with all parameters in one group, {@code all}, and changed default options. */
  public static Rprop of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group.
   *
   * @param lr the first step size, at least 0
   * @param etaMinus factor of a size whose gradient turned, in (0, 1)
   * @param etaPlus factor of a size whose gradient kept its sign, above 1
   * @param minStep the least size, at least 0
   * @param maxStep the greatest size, no less than the least
   * @param maximize whether to climb
   */
  public record Options(
      double lr, double etaMinus, double etaPlus, double minStep, double maxStep, boolean maximize)
      implements OptimizerOptions<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("Rprop", "lr", lr);
      requireEtas(etaMinus, etaPlus);
      requireSteps(minStep, maxStep);
    }

    private static void requireEtas(double minus, double plus) {
      if (!(0 < minus && minus < 1 && 1 < plus && plus < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "Rprop etas must be in (0, 1) and above 1 but are " + minus + " and " + plus);
      }
    }

    private static void requireSteps(double least, double greatest) {
      if (!(0 <= least && least <= greatest && greatest < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "Rprop step sizes must be 0 <= least <= greatest, finite, but are "
                + least
                + " and "
                + greatest);
      }
    }

    /** lr 0.01, etas 0.5 and 1.2, sizes from 1e-6 to 50. */
    public static Options defaults() {
      return new Options(1e-2, 0.5, 1.2, 1e-6, 50, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, etaMinus, etaPlus, minStep, maxStep, maximize);
    }

    /** These options with other factors of the step sizes. */
    public Options withEtas(double minus, double plus) {
      return new Options(lr, minus, plus, minStep, maxStep, maximize);
    }

    /** These options with other bounds of the step sizes. */
    public Options withStepSizes(double least, double greatest) {
      return new Options(lr, etaMinus, etaPlus, least, greatest, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, etaMinus, etaPlus, minStep, maxStep, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("etas", List.of(etaMinus, etaPlus));
      map.put("lr", lr);
      map.put("maximize", maximize);
      map.put("step_sizes", List.of(minStep, maxStep));
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.number("etas", 0),
          v.number("etas", 1),
          v.number("step_sizes", 0),
          v.number("step_sizes", 1),
          v.flag("maximize"));
    }
  }

  private static final class Rule implements PointwiseRule<Options> {
    private static final List<String> BUFFERS = List.of("prev", "step_size");

    @Override
    public List<String> buffers(Options options) {
      return BUFFERS;
    }

    @Override
    public Start start(String buffer, Options o, Shape shape) {
      return new Start(shape, buffer.equals("step_size") ? o.lr() : 0);
    }

    @Override
    public void update(PointwiseBuilder u, Options o, Progress progress) {
      Value g = PointwiseRule.gradient(u, o.maximize(), 0);
      Value kept = g.mul(u.buffer("prev"));
      Value turned = kept.neg();
      Value factor = kept.where(o.etaPlus(), turned.where(o.etaMinus(), 1));
      Value size =
          u.set("step_size", u.buffer("step_size").mul(factor).clamp(o.minStep(), o.maxStep()));
      Value next = u.set("prev", turned.where(0, g));
      u.setParam(u.param().addcmul(next.sign(), size, -1));
    }
  }
}
