package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Adam: steps of a running mean of the gradient over the root of a running mean of its square.
 *
 * <pre>
 * m = beta1 m + (1 - beta1) g           v = beta2 v + (1 - beta2) g^2
 * theta = theta - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 * </pre>
 *
 * <p>t is the parameter's own count of steps. AMSGrad takes the greatest v so far in place of v;
 * switched on later, it starts with the v of that step. Weight decay is added to the gradient, or
 * with {@code decoupled} shrinks the parameter (AdamW).
 *
 * <p>Sources: arXiv:1412.6980, Algorithm 1; AMSGrad: Reddi et al., ICLR 2018; decoupled decay:
 * arXiv:1711.05101.
 */
public final class Adam extends Optimizer<Adam.Options> {

  private Adam(OptimizerBuilder<Options, Adam> builder) {
    super(builder, new AdamRule());
  }

  /** An Adam whose groups start from {@link Options#defaults()}. */
  public static OptimizerBuilder<Options, Adam> withDefaults() {
    return withDefaults(UnaryOperator.identity());
  }

  /** An Adam whose groups start from changed defaults, each of which must be allowed. */
  public static OptimizerBuilder<Options, Adam> withDefaults(UnaryOperator<Options> change) {
    return new OptimizerBuilder<>("Adam", change.apply(Options.defaults()), Adam::new);
  }

  /** An Adam with all parameters in one group, {@code all}, and the default options. */
  public static Adam of(NamedParameters parameters) {
    return withDefaults().group("all", parameters.all()).build();
  }

  /** An Adam with all parameters in one group, {@code all}, and changed default options. */
  public static Adam of(NamedParameters parameters, UnaryOperator<Options> change) {
    return withDefaults(change).group("all", parameters.all()).build();
  }

  /**
   * The options of a group, of Adam and of AdamW.
   *
   * @param lr learning rate, at least 0
   * @param beta1 decay of the mean, in [0, 1)
   * @param beta2 decay of the mean square, in [0, 1)
   * @param eps added to the denominator after its bias correction, at least 0
   * @param weightDecay the decay's factor, at least 0
   * @param amsgrad whether the greatest mean square so far is used
   * @param maximize whether to climb
   * @param decoupled whether the decay shrinks the parameter by {@code lr * weightDecay} (AdamW)
   */
  public record Options(
      double lr,
      double beta1,
      double beta2,
      double eps,
      double weightDecay,
      boolean amsgrad,
      boolean maximize,
      boolean decoupled)
      implements OptimizerOptions.WithBetas<Options> {

    /** Options with these values, each of which must be allowed. */
    public Options {
      String who = decoupled ? "AdamW" : "Adam";
      OptionChecks.atLeastZero(who, "lr", lr);
      OptionChecks.decayRate(who, "beta1", beta1);
      OptionChecks.decayRate(who, "beta2", beta2);
      OptionChecks.atLeastZero(who, "eps", eps);
      OptionChecks.atLeastZero(who, "weightDecay", weightDecay);
    }

    /** lr 0.001, betas 0.9 and 0.999, eps 1e-8, no decay. */
    public static Options defaults() {
      return new Options(1e-3, 0.9, 0.999, 1e-8, 0, false, false, false);
    }

    @Override
    public Options withLr(double x) {
      return new Options(x, beta1, beta2, eps, weightDecay, amsgrad, maximize, decoupled);
    }

    @Override
    public Options withBetas(double first, double second) {
      return new Options(lr, first, second, eps, weightDecay, amsgrad, maximize, decoupled);
    }

    /** These options with another eps. */
    public Options withEps(double x) {
      return new Options(lr, beta1, beta2, x, weightDecay, amsgrad, maximize, decoupled);
    }

    /** These options with another weight decay. */
    public Options withWeightDecay(double x) {
      return new Options(lr, beta1, beta2, eps, x, amsgrad, maximize, decoupled);
    }

    /** These options with AMSGrad on or off. */
    public Options withAmsgrad(boolean on) {
      return new Options(lr, beta1, beta2, eps, weightDecay, on, maximize, decoupled);
    }

    /** These options, climbing or descending. */
    public Options withMaximize(boolean on) {
      return new Options(lr, beta1, beta2, eps, weightDecay, amsgrad, on, decoupled);
    }

    /** These options with the decay of AdamW, or with that of Adam. */
    public Options withDecoupled(boolean on) {
      return new Options(lr, beta1, beta2, eps, weightDecay, amsgrad, maximize, on);
    }

    @Override
    public SortedMap<String, Object> entries() {
      SortedMap<String, Object> map = new TreeMap<>();
      map.put("amsgrad", amsgrad);
      map.put("betas", List.of(beta1, beta2));
      map.put("decoupled_weight_decay", decoupled);
      map.put("eps", eps);
      map.put("lr", lr);
      map.put("maximize", maximize);
      map.put("weight_decay", weightDecay);
      return map;
    }

    @Override
    public Options withValues(OptionValues v) {
      return new Options(
          v.number("lr"),
          v.number("betas", 0),
          v.number("betas", 1),
          v.number("eps"),
          v.number("weight_decay"),
          v.flag("amsgrad"),
          v.flag("maximize"),
          v.flag("decoupled_weight_decay"));
    }
  }
}
