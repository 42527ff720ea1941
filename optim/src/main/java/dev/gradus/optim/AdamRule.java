package dev.gradus.optim;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Backend;
import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.List;

/** The update of Adam and AdamW: the backend's batched plan, and bias corrections in double. */
final class AdamRule implements UpdateRule<Adam.Options, AdamHyper> {
  private static final List<String> MOMENTS = List.of("exp_avg", "exp_avg_sq");
  private static final List<String> AMSGRAD = List.of("exp_avg", "exp_avg_sq", "max_exp_avg_sq");

  private final Power first = new Power();
  private final Power second = new Power();

  @Override
  public List<String> buffers(Adam.Options options, Shape shape) {
    return options.amsgrad() ? AMSGRAD : MOMENTS;
  }

  @Override
  public AdamHyper hyper(Adam.Options o, Progress progress) {
    return new AdamHyper(
        o.lr(),
        o.beta1(),
        o.beta2(),
        o.eps(),
        o.weightDecay(),
        o.decoupled(),
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
              s.param(),
              s.gradient(),
              s.buffer("exp_avg"),
              s.buffer("exp_avg_sq"),
              s.optional("max_exp_avg_sq")));
    }
    AdamPlan plan = backend.planAdam(planned);
    return Update.of(plan::step, plan::close);
  }

  /** beta^t, remembered: the groups of an optimizer mostly share both. */
  static final class Power {
    private double base;
    private long exponent = -1;
    private double value;

    double of(double beta, long t) {
      if (beta != base || t != exponent) {
        base = beta;
        exponent = t;
        value = Math.pow(beta, (double) t);
      }
      return value;
    }
  }
}
