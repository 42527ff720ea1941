package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Backend;
import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Adam for tables of which few rows are looked up in a step: it moves those rows and their means,
 * and leaves the others as they are. {@link Adam} moves every row, those without a gradient along
 * their means, and its step costs as much as the whole table.
 *
 * <pre>
 * m = beta1 m + (1 - beta1) g           v = beta2 v + (1 - beta2) g^2        of rows looked up
 * theta = theta - lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps)
 * </pre>
 *
 * <p>t is the table's count of steps, not the row's, and eps is not divided by the bias correction
 * as Adam's is: PyTorch's SparseAdam. It takes parameters whose gradient comes from lookups alone,
 * as that of an {@code Embedding} does, and refuses a step with any other.
 *
 * <p>Source: arXiv:1412.6980, section 2.
 */
public final class SparseAdam extends Optimizer<SparseAdam.Options> {

  private SparseAdam(OptimizerBuilder<Options, SparseAdam> builder) {
    super(builder, new Rule());
  }

  /** A SparseAdam whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, SparseAdam> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** A SparseAdam whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, SparseAdam> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("SparseAdam", change.apply(Options.defaults()), SparseAdam::new);
  }

  /** A SparseAdam with all parameters in one group, {@code all}, and the default options. */
  public static SparseAdam of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** A SparseAdam with all parameters in one group, {@code all}, and changed default options. */
  public static SparseAdam of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group.
   *
   * @param lr learning rate, at least 0
   * @param beta1 decay of the mean, in [0, 1)
   * @param beta2 decay of the mean square, in [0, 1)
   * @param eps added to the denominator, greater than 0
   * @param maximize whether to climb
   */
  public record Options(double lr, double beta1, double beta2, double eps, boolean maximize)
      implements OptimizerOptions.WithBetas<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("SparseAdam", "lr", lr);
      OptionChecks.decayRate("SparseAdam", "beta1", beta1);
      OptionChecks.decayRate("SparseAdam", "beta2", beta2);
      OptionChecks.greaterThanZero("SparseAdam", "eps", eps);
    }

    /** lr 0.001, betas 0.9 and 0.999, eps 1e-8. */
    public static Options defaults() {
      return new Options(1e-3, 0.9, 0.999, 1e-8, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, beta1, beta2, eps, maximize);
    }

    @Override
    public Options withBetas(double first, double second) {
      return new Options(lr, first, second, eps, maximize);
    }

    /** These options with another eps. */
    public Options withEps(double x) {
      return new Options(lr, beta1, beta2, x, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, beta1, beta2, eps, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("betas", List.of(beta1, beta2));
      map.put("eps", eps);
      map.put("lr", lr);
      map.put("maximize", maximize);
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.number("betas", 0),
          v.number("betas", 1),
          v.number("eps"),
          v.flag("maximize"));
    }
  }

  private static final class Rule implements UpdateRule<Options, AdamHyper> {
    private static final List<String> MOMENTS = List.of("exp_avg", "exp_avg_sq");

    private final AdamRule.Power first = new AdamRule.Power();
    private final AdamRule.Power second = new AdamRule.Power();

    @Override
    public List<String> buffers(Options options, Shape shape) {
      return MOMENTS;
    }

    @Override
    public Form form(Options options) {
      return Form.ONLY_ROWS;
    }

    @Override
    public AdamHyper hyper(Options o, Progress progress) {
      return new AdamHyper(
          o.lr(),
          o.beta1(),
          o.beta2(),
          o.eps(),
          0,
          false,
          o.maximize(),
          1 - first.of(o.beta1(), progress.step()),
          1 - second.of(o.beta2(), progress.step()));
    }

    @Override
    public Update<AdamHyper> prepare(Backend backend, List<Slot> slots) {
      List<AdamSlot> planned = new ArrayList<>(slots.size());
      for (Slot s : slots) {
        planned.add(
            new AdamSlot(
                s.param(), s.gradient(), s.buffer("exp_avg"), s.buffer("exp_avg_sq"), null));
      }
      AdamPlan plan = backend.planAdam(planned);
      return Update.of(plan::step, plan::close);
    }
  }
}
