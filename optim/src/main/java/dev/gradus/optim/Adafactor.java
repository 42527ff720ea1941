package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Storage;
import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Adafactor: steps scaled by gradients' mean squares as Adam's, of which a matrix keeps a value for
 * each row and each column only.
 *
 * <pre>
 * w = t^beta2Decay                   alpha = max(eps2, rms(theta)) min(lr, 1 / sqrt t)
 * R = R + w (mean of g^2 in each row - R)          C likewise in each column
 * V = R C / max(mean R, eps1)        of a vector V = V + w (g^2 - V)
 * u = g / sqrt(max(V, eps1^2))
 * theta = theta (1 - lr weightDecay) - alpha u / max(1, rms(u) / d)
 * </pre>
 *
 * <p>Of more than two dimensions the last two are a matrix's. eps1 stands where PyTorch has it, not
 * where the paper has it, and the decay is decoupled.
 *
 * <p>Source: arXiv:1804.04235.
 */
public final class Adafactor extends Optimizer<Adafactor.Options> {
  static final String ROWS = "row_var";
  static final String COLS = "col_var";
  static final String VARIANCE = "variance";

  private Adafactor(OptimizerBuilder<Options, Adafactor> builder) {
    super(builder, new Rule());
  }

  /** An Adafactor whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, Adafactor> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** An Adafactor whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, Adafactor> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("Adafactor", change.apply(Options.defaults()), Adafactor::new);
  }

  /** An Adafactor with all parameters in one group, {@code all}, and the default options. */
  public static Adafactor of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An Adafactor with all parameters in one group, {@code all}, and changed default options. */
  public static Adafactor of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group.
   *
   * @param lr the greatest relative step, and the rate of the decay; at least 0
   * @param beta2Decay the exponent of the weight of a new square, at most 0
   * @param eps1 the least root mean square, at least 0; NaN for the machine epsilon of the type
   * @param eps2 the least size of parameters that a step is relative to, at least 0
   * @param d how great the root mean square of an update may be, at least 1
   * @param weightDecay the decoupled decay, at least 0
   * @param maximize whether to climb
   */
  public record Options(
      double lr,
      double beta2Decay,
      double eps1,
      double eps2,
      double d,
      double weightDecay,
      boolean maximize)
      implements OptimizerOptions<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("Adafactor", "lr", lr);
      OptionChecks.finite("Adafactor", "beta2Decay", beta2Decay);
      if (beta2Decay > 0) {
        throw new IllegalArgumentException(
            "Adafactor beta2Decay must be <= 0 but is " + beta2Decay);
      }
      if (!Double.isNaN(eps1)) {
        OptionChecks.atLeastZero("Adafactor", "eps1", eps1);
      }
      OptionChecks.atLeastZero("Adafactor", "eps2", eps2);
      OptionChecks.finite("Adafactor", "d", d);
      if (d < 1) {
        throw new IllegalArgumentException("Adafactor d must be >= 1 but is " + d);
      }
      OptionChecks.atLeastZero("Adafactor", "weightDecay", weightDecay);
    }

    /** lr 0.01, exponent -0.8, eps1 of the type, eps2 0.001, d 1, no decay. */
    public static Options defaults() {
      return new Options(1e-2, -0.8, Double.NaN, 1e-3, 1, 0, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, beta2Decay, eps1, eps2, d, weightDecay, maximize);
    }

    /** These options with another exponent. */
    public Options withBeta2Decay(double x) {
      return new Options(lr, x, eps1, eps2, d, weightDecay, maximize);
    }

    /** These options with other least sizes: of the root mean square, and of the parameters. */
    public Options withEps(double ofUpdate, double ofParameter) {
      return new Options(lr, beta2Decay, ofUpdate, ofParameter, d, weightDecay, maximize);
    }

    /** These options with another greatest root mean square of updates. */
    public Options withD(double x) {
      return new Options(lr, beta2Decay, eps1, eps2, x, weightDecay, maximize);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, beta2Decay, eps1, eps2, d, x, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, beta2Decay, eps1, eps2, d, weightDecay, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      Object least = Double.isNaN(eps1) ? OptionValues.NONE : (Object) eps1;
      map.put("beta2_decay", beta2Decay);
      map.put("d", d);
      map.put("eps", List.of(least, eps2));
      map.put("lr", lr);
      map.put("maximize", maximize);
      map.put("weight_decay", weightDecay);
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.number("beta2_decay"),
          v.number("eps", 0),
          v.number("eps", 1),
          v.number("d"),
          v.number("weight_decay"),
          v.flag("maximize"));
    }
  }

  /**
   * The options in force, and what depends on the count of steps.
   *
   * @param weight that of a new square
   * @param relative the step relative to the parameters' size
   */
  record Hyper(Options options, double weight, double relative) {}

  private static final class Rule implements UpdateRule<Options, Hyper> {
    private static final List<String> OF_MATRIX = List.of(ROWS, COLS);
    private static final List<String> OF_VECTOR = List.of(VARIANCE);

    @Override
    public List<String> buffers(Options options, Shape shape) {
      return shape.rank() > 1 ? OF_MATRIX : OF_VECTOR;
    }

    @Override
    public Start start(String buffer, Options options, Shape shape) {
      Shape of =
          switch (buffer) {
            case ROWS -> shape.with(-1, 1);
            case COLS -> shape.with(-2, 1);
            default -> shape;
          };
      return new Start(of, 0);
    }

    @Override
    public Hyper hyper(Options o, Progress progress) {
      double t = progress.step();
      return new Hyper(o, Math.pow(t, o.beta2Decay()), Math.min(o.lr(), 1 / Math.sqrt(t)));
    }

    @Override
    public Update<Hyper> prepare(Backend backend, List<Slot> slots) {
      Map<Long, Storage> shared = new HashMap<>();
      List<Factored> prepared = new ArrayList<>(slots.size());
      for (Slot s : slots) {
        Storage p = s.param();
        Storage u = shared.computeIfAbsent(p.numel(), n -> backend.allocate(p.dtype(), n));
        prepared.add(new Factored(backend, s, u));
      }
      return Update.each(
          prepared,
          Factored::move,
          () -> {
            prepared.forEach(Factored::close);
            shared.values().forEach(backend::free);
          });
    }
  }
}
