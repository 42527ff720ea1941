package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.Backend;
import dev.gradus.spi.SgdHyper;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Stochastic gradient descent, with momentum where asked for.
 *
 * <pre>
 * g = g + weightDecay theta
 * b = momentum b + (1 - dampening) g       (b = g in the first step of a buffer)
 * theta = theta - lr (nesterov ? g + momentum b : b)
 * </pre>
 *
 * <p>A momentum that is switched on later makes its buffer then. Source: Sutskever et al., ICML
 * 2013, in the form without the rate inside the buffer.
 */
public final class SGD extends Optimizer<SGD.Options> {

  private SGD(OptimizerBuilder<Options, SGD> builder) {
    super(builder, new Rule());
  }

  /** An SGD whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, SGD> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** An SGD whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, SGD> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("SGD", change.apply(Options.defaults()), SGD::new);
  }

  /** An SGD with all parameters in one group, {@code all}, and the default options. */
  public static SGD of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An SGD with all parameters in one group, {@code all}, and changed default options. */
  public static SGD of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group.
   *
   * @param lr learning rate, at least 0
   * @param momentum the buffer's decay, at least 0; 0 keeps no buffer
   * @param dampening what part of the gradient is kept out of the buffer
   * @param weightDecay the L2 factor, at least 0
   * @param nesterov whether the step looks ahead; needs a momentum and no dampening
   * @param maximize whether to climb
   */
  public record Options(
      double lr,
      double momentum,
      double dampening,
      double weightDecay,
      boolean nesterov,
      boolean maximize)
      implements OptimizerOptions.WithMomentum<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      OptionChecks.atLeastZero("SGD", "lr", lr);
      OptionChecks.atLeastZero("SGD", "momentum", momentum);
      OptionChecks.finite("SGD", "dampening", dampening);
      OptionChecks.atLeastZero("SGD", "weightDecay", weightDecay);
      if (nesterov && (momentum == 0 || dampening != 0)) {
        throw new IllegalArgumentException(
            "SGD nesterov needs momentum > 0 and dampening 0 but they are "
                + momentum
                + " and "
                + dampening);
      }
    }

    /** lr 0.001, no momentum, no decay. */
    public static Options defaults() {
      return new Options(1e-3, 0, 0, 0, false, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, momentum, dampening, weightDecay, nesterov, maximize);
    }

    @Override
    public Options withMomentum(double x) {
      return new Options(lr, x, dampening, weightDecay, nesterov, maximize);
    }

    /** These options with another dampening. */
    public Options withDampening(double x) {
      return new Options(lr, momentum, x, weightDecay, nesterov, maximize);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, momentum, dampening, x, nesterov, maximize);
    }

    /** These options, looking ahead or not; set the momentum first. */
    public Options withNesterov(boolean on) {
      return new Options(lr, momentum, dampening, weightDecay, on, maximize);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, momentum, dampening, weightDecay, nesterov, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("dampening", dampening);
      map.put("lr", lr);
      map.put("maximize", maximize);
      map.put("momentum", momentum);
      map.put("nesterov", nesterov);
      map.put("weight_decay", weightDecay);
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.number("momentum"),
          v.number("dampening"),
          v.number("weight_decay"),
          v.flag("nesterov"),
          v.flag("maximize"));
    }
  }

  private static final class Rule implements UpdateRule<Options, SgdHyper> {
    private static final List<String> BUFFER = List.of("momentum_buffer");

    @Override
    public List<String> buffers(Options options, Shape shape) {
      return options.momentum() == 0 ? List.of() : BUFFER;
    }

    /** Without momentum and decay a row without a gradient stays where it is. */
    @Override
    public Form form(Options options) {
      boolean plain = options.momentum() == 0 && options.weightDecay() == 0;
      return plain ? Form.ROWS : Form.DENSE;
    }

    @Override
    public SgdHyper hyper(Options o, Progress progress) {
      return new SgdHyper(
          o.lr(),
          o.momentum(),
          o.dampening(),
          o.weightDecay(),
          o.nesterov(),
          o.maximize(),
          progress.fresh());
    }

    @Override
    public Update<SgdHyper> prepare(Backend backend, List<Slot> slots) {
      List<SgdSlot> planned = new ArrayList<>(slots.size());
      for (Slot s : slots) {
        planned.add(new SgdSlot(s.param(), s.gradient(), s.optional("momentum_buffer")));
      }
      SgdPlan plan = backend.planSgd(planned);
      return Update.of(plan::step, plan::close);
    }
  }
}
