package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Limited-memory BFGS, for losses that are not stochastic: a step makes several iterations, each
 * along a direction that the last gradients' differences give.
 *
 * <pre>{@code
 * LBFGS lbfgs = LBFGS.of(model.namedParameters(), o -> o.withLineSearch(LBFGS.LineSearch.STRONG_WOLFE));
 * double loss = lbfgs.step(() -> {
 *   lbfgs.zeroGrad();
 *   Tensor l = Losses.mse(model.forward(x), y);
 *   l.backward();
 *   return l;
 * });
 * }</pre>
 *
 * <pre>
 * y = g - g_before     s = theta - theta_before     kept if y·s > 1e-10, the last historySize
 * d = -H g             H by the two-loop recursion, from (y·s / y·y) I of the last pair
 * theta = theta + t d  t = lr, or found by the line search, which tries lr first
 * </pre>
 *
 * <p>The very first direction is the steepest, with {@code t = lr min(1, 1 / sum |g|)}. A step ends
 * after {@code maxIter} iterations or {@code maxEval} evaluations, or when an element of neither
 * the gradient nor the move exceeds its tolerance, the loss changes by less than {@code
 * toleranceChange}, or the slope {@code g·d} is above its negative. It waits for the device at
 * every evaluation and product of vectors.
 *
 * <p>All parameters are in one group, of one type, on one device. A parameter without a gradient
 * counts with zeros and does not move. If the closure throws, parameters and state are those before
 * the step. State takes {@code 2 historySize + 2} times the parameters' memory.
 *
 * <p>Source: Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 7.4, 7.5, 3.5.
 */
public final class LBFGS extends Optimizer<LBFGS.Options> {

  private LBFGS(OptimizerBuilder<Options, LBFGS> builder) {
    super(builder, new LbfgsSteps());
  }

  /** An LBFGS whose group starts from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, LBFGS> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /**
   * An LBFGS whose group starts from changed defaults.
   *
   * @param change applied to {@link Options#defaults()}
   * @throws IllegalArgumentException if a value is not allowed
   */
  public static OptimizerBuilder<Options, LBFGS> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("LBFGS", change.apply(Options.defaults()), LBFGS::new);
  }

  /** An LBFGS with all parameters in one group, {@code all}, and the default options. */
  public static LBFGS of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An LBFGS with all parameters in one group, {@code all}, and changed default options. */
  public static LBFGS of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /** How far a move goes along its direction. */
  public enum LineSearch {
    /** By the rate: one evaluation an iteration, and no promise that the loss falls. */
    NONE,
    /** To a point that meets the strong Wolfe conditions, with c1 = 1e-4 and c2 = 0.9. */
    STRONG_WOLFE;

    private String word() {
      return this == NONE ? OptionValues.NONE : "strong_wolfe";
    }

    private static LineSearch of(String word) {
      for (LineSearch search : values()) {
        if (search.word().equals(word)) {
          return search;
        }
      }
      throw new IllegalArgumentException(
          "LBFGS line_search_fn must be 'strong_wolfe' or None but is '" + word + "'");
    }
  }

  /**
   * The options of the group.
   *
   * @param lr how far a move goes, or what the line search tries first; at least 0
   * @param maxIter iterations in a step, at least 1
   * @param maxEval evaluations of the closure in a step, at least 1
   * @param toleranceGrad what no element of the gradient has to exceed, at least 0
   * @param toleranceChange what no element of a move, or the change of the loss, has to exceed; at
   *     least 0
   * @param historySize how many pairs are kept, at least 1
   * @param lineSearch how far a move goes
   */
  public record Options(
      double lr,
      int maxIter,
      int maxEval,
      double toleranceGrad,
      double toleranceChange,
      int historySize,
      LineSearch lineSearch)
      implements OptimizerOptions<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("LBFGS", "lr", lr);
      OptionChecks.positive("LBFGS", "maxIter", maxIter);
      OptionChecks.positive("LBFGS", "maxEval", maxEval);
      OptionChecks.atLeastZero("LBFGS", "toleranceGrad", toleranceGrad);
      OptionChecks.atLeastZero("LBFGS", "toleranceChange", toleranceChange);
      OptionChecks.positive("LBFGS", "historySize", historySize);
      OptionChecks.oneOf("LBFGS", "lineSearch", lineSearch, LineSearch.values());
    }

    /** lr 1, 20 iterations, 25 evaluations, tolerances 1e-7 and 1e-9, 100 pairs, no search. */
    public static Options defaults() {
      return new Options(1, 20, 25, 1e-7, 1e-9, 100, LineSearch.NONE);
    }

    @Override
    public Options withLr(double x) {
      return new Options(
          x, maxIter, maxEval, toleranceGrad, toleranceChange, historySize, lineSearch);
    }

    /** These options with so many iterations, and 5/4 of that, rounded down, as evaluations. */
    public Options withMaxIter(int n) {
      return new Options(
          lr,
          n,
          n / 4 * 5 + n % 4 * 5 / 4,
          toleranceGrad,
          toleranceChange,
          historySize,
          lineSearch);
    }

    /** These options with so many evaluations; set the iterations first. */
    public Options withMaxEval(int n) {
      return new Options(lr, maxIter, n, toleranceGrad, toleranceChange, historySize, lineSearch);
    }

    /** These options with another tolerance of the gradient. */
    public Options withToleranceGrad(double x) {
      return new Options(lr, maxIter, maxEval, x, toleranceChange, historySize, lineSearch);
    }

    /** These options with another tolerance of changes. */
    public Options withToleranceChange(double x) {
      return new Options(lr, maxIter, maxEval, toleranceGrad, x, historySize, lineSearch);
    }

    /** These options with so many pairs. */
    public Options withHistorySize(int n) {
      return new Options(lr, maxIter, maxEval, toleranceGrad, toleranceChange, n, lineSearch);
    }

    /** These options with this line search. */
    public Options withLineSearch(LineSearch search) {
      return new Options(lr, maxIter, maxEval, toleranceGrad, toleranceChange, historySize, search);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("history_size", historySize);
      map.put("line_search_fn", lineSearch.word());
      map.put("lr", lr);
      map.put("max_eval", maxEval);
      map.put("max_iter", maxIter);
      map.put("tolerance_change", toleranceChange);
      map.put("tolerance_grad", toleranceGrad);
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.whole("max_iter"),
          v.whole("max_eval"),
          v.number("tolerance_grad"),
          v.number("tolerance_change"),
          v.whole("history_size"),
          LineSearch.of(v.word("line_search_fn")));
    }
  }
}
