package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Momentum whose step is made orthogonal: along all singular directions of a matrix equally.
 *
 * <pre>
 * b = b + (1 - momentum) (g - b)         u = nesterov ? g + momentum (b - g) : b
 * theta = theta (1 - lr weightDecay) - lr scale NS(u)
 * </pre>
 *
 * <p>NS is a Newton-Schulz iteration, which takes the singular values to somewhere between 0.7 and
 * 1.2. It computes what PyTorch computes in bfloat16, in float32 with the same roundings, whatever
 * the parameters' type; small matrices have PyTorch's bits; in large ones the order of sums shows,
 * after ten steps of rate 0.02 in the fifth digit after the point.
 *
 * <p>It takes matrices, of two dimensions; embeddings, heads, biases and norms are usually left to
 * an {@link AdamW}. Of a model with both, each optimizer takes its part:
 *
 * <pre>{@code
 * Muon muon = Muon.withDefaults()
 *     .group("hidden", model.namedParameters().where("matrices", (n, p) -> p.shape().rank() == 2))
 *     .allowUnused().build();
 * AdamW adamW = AdamW.withDefaults()
 *     .group("rest", model.namedParameters().where("others", (n, p) -> p.shape().rank() != 2))
 *     .allowUnused().build();
 * }</pre>
 *
 * <p>Source: Jordan et al., Muon, 2024, <a
 * href="https://kellerjordan.github.io/posts/muon/">kellerjordan.github.io/posts/muon</a>; weight
 * decay and the second scale: arXiv:2502.16982.
 */
public final class Muon extends Optimizer<Muon.Options> {

  private Muon(OptimizerBuilder<Options, Muon> builder) {
    super(builder, new Rule());
  }

  /** A Muon whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, Muon> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** A Muon whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, Muon> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("Muon", change.apply(Options.defaults()), Muon::new);
  }

  /** A Muon with all parameters in one group, {@code all}, and the default options. */
  public static Muon of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** A Muon with all parameters in one group, {@code all}, and changed default options. */
  public static Muon of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /** By what the rate is scaled for a matrix of so many rows and columns. */
  public enum Scale {
    /** {@code sqrt(max(1, rows / cols))}. */
    ORIGINAL,
    /** {@code 0.2 sqrt(max(rows, cols))}: steps as long as AdamW's, so that its rates fit. */
    MATCH_RMS_ADAMW;

    double of(Shape matrix) {
      double rows = (double) matrix.dim(0);
      double cols = (double) matrix.dim(1);
      return this == ORIGINAL
          ? Math.sqrt(Math.max(1, rows / cols))
          : 0.2 * Math.sqrt(Math.max(rows, cols));
    }

    private String word() {
      return this == ORIGINAL ? "original" : "match_rms_adamw";
    }

    private static Scale of(String word) {
      for (Scale scale : values()) {
        if (scale.word().equals(word)) {
          return scale;
        }
      }
      if (word.equals(OptionValues.NONE)) {
        return ORIGINAL;
      }
      throw new IllegalArgumentException(
          "Muon adjust_lr_fn must be 'original' or 'match_rms_adamw' but is '" + word + "'");
    }
  }

  /**
   * The options of a group.
   *
   * @param lr learning rate, at least 0
   * @param weightDecay the decoupled decay, at least 0; it goes by the rate before the scale
   * @param momentum the buffer's decay, at least 0
   * @param nesterov whether the step looks ahead
   * @param nsA the iteration's a
   * @param nsB its b
   * @param nsC its c
   * @param eps the least norm that an update is divided by, greater than 0
   * @param nsSteps how many iterations, in [1, 99]
   * @param scale by what the rate is scaled
   */
  public record Options(
      double lr,
      double weightDecay,
      double momentum,
      boolean nesterov,
      double nsA,
      double nsB,
      double nsC,
      double eps,
      int nsSteps,
      Scale scale)
      implements OptimizerOptions.WithMomentum<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("Muon", "lr", lr);
      OptionChecks.atLeastZero("Muon", "weightDecay", weightDecay);
      OptionChecks.atLeastZero("Muon", "momentum", momentum);
      OptionChecks.finite("Muon", "nsA", nsA);
      OptionChecks.finite("Muon", "nsB", nsB);
      OptionChecks.finite("Muon", "nsC", nsC);
      OptionChecks.greaterThanZero("Muon", "eps", eps);
      if (nsSteps < 1 || nsSteps > 99) {
        throw new IllegalArgumentException("Muon nsSteps must be in [1, 99] but is " + nsSteps);
      }
      OptionChecks.oneOf("Muon", "scale", scale, Scale.values());
    }

    /** lr 0.001, weight decay 0.1, Nesterov momentum 0.95, 5 steps, the original scale. */
    public static Options defaults() {
      return new Options(1e-3, 0.1, 0.95, true, 3.4445, -4.7750, 2.0315, 1e-7, 5, Scale.ORIGINAL);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, weightDecay, momentum, nesterov, nsA, nsB, nsC, eps, nsSteps, scale);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, x, momentum, nesterov, nsA, nsB, nsC, eps, nsSteps, scale);
    }

    @Override
    public Options withMomentum(double x) {
      return new Options(lr, weightDecay, x, nesterov, nsA, nsB, nsC, eps, nsSteps, scale);
    }

    /** These options, looking ahead or not. */
    public Options withNesterov(boolean on) {
      return new Options(lr, weightDecay, momentum, on, nsA, nsB, nsC, eps, nsSteps, scale);
    }

    /** These options with other coefficients of the iteration. */
    public Options withNsCoefficients(double a, double b, double c) {
      return new Options(lr, weightDecay, momentum, nesterov, a, b, c, eps, nsSteps, scale);
    }

    /** These options with another eps. */
    public Options withEps(double x) {
      return new Options(lr, weightDecay, momentum, nesterov, nsA, nsB, nsC, x, nsSteps, scale);
    }

    /** These options with so many iterations. */
    public Options withNsSteps(int n) {
      return new Options(lr, weightDecay, momentum, nesterov, nsA, nsB, nsC, eps, n, scale);
    }

    /** These options with another scale of the rate. */
    public Options withScale(Scale other) {
      return new Options(lr, weightDecay, momentum, nesterov, nsA, nsB, nsC, eps, nsSteps, other);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("adjust_lr_fn", scale.word());
      map.put("eps", eps);
      map.put("lr", lr);
      map.put("momentum", momentum);
      map.put("nesterov", nesterov);
      map.put("ns_coefficients", List.of(nsA, nsB, nsC));
      map.put("ns_steps", nsSteps);
      map.put("weight_decay", weightDecay);
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.number("weight_decay"),
          v.number("momentum"),
          v.flag("nesterov"),
          v.number("ns_coefficients", 0),
          v.number("ns_coefficients", 1),
          v.number("ns_coefficients", 2),
          v.number("eps"),
          v.whole("ns_steps"),
          Scale.of(v.word("adjust_lr_fn")));
    }
  }

  private static final class Rule implements UpdateRule<Options, Options> {
    private static final List<String> BUFFER = List.of("momentum_buffer");

    @Override
    public void check(String name, Shape shape) {
      if (shape.rank() != 2) {
        throw new IllegalArgumentException(
            "Muon: parameter '"
                + name
                + "' is "
                + shape
                + "; it takes matrices, of two dimensions: choose them with where(\"matrices\","
                + " (name, p) -> p.shape().rank() == 2), and give the others to an AdamW");
      }
    }

    @Override
    public List<String> buffers(Options options, Shape shape) {
      return BUFFER;
    }

    @Override
    public Options hyper(Options o, Progress progress) {
      return o;
    }

    @Override
    public Update<Options> prepare(Backend backend, List<Slot> slots) {
      Map<Shape, NewtonSchulz> iterations = new HashMap<>();
      Map<Shape, Storage> updates = new HashMap<>();
      List<Orthogonal> prepared = new ArrayList<>(slots.size());
      for (Slot s : slots) {
        DType dtype = s.param().dtype();
        prepared.add(
            new Orthogonal(
                backend,
                s,
                iterations.computeIfAbsent(s.shape(), k -> new NewtonSchulz(backend, k)),
                updates.computeIfAbsent(s.shape(), k -> backend.allocate(dtype, k.numel()))));
      }
      return Update.each(
          prepared,
          Orthogonal::move,
          () -> {
            iterations.values().forEach(NewtonSchulz::close);
            updates.values().forEach(backend::free);
          });
    }
  }
}
