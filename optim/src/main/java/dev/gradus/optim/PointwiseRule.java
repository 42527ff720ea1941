package dev.gradus.optim;

import dev.gradus.spi.Backend;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwiseBuilder.Value;
import dev.gradus.spi.PointwisePlan;
import dev.gradus.spi.PointwiseSlot;
import dev.gradus.spi.PointwiseStep;
import dev.gradus.spi.Storage;
import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * The mathematics of an optimizer that treats each element by itself: a formula, which the backend
 * computes for all parameters of all groups in one pass.
 *
 * @param <O> the options of a group
 */
public interface PointwiseRule<O> extends UpdateRule<O, PointwiseStep> {
  /**
   * A rule that keeps the same buffers under all options.
   *
   * @param <O> the options of a group
   * @param buffers their names, in PyTorch's words ({@code exp_avg}); each starts with zeros
   * @param formula writes a step
   */
  static <O> PointwiseRule<O> of(List<String> buffers, Formula<O> formula) {
    List<String> names = List.copyOf(buffers);
    return new PointwiseRule<>() {
      @Override
      public List<String> buffers(O options) {
        return names;
      }

      @Override
      public void update(PointwiseBuilder u, O options, Progress progress) {
        formula.update(u, options, progress);
      }
    };
  }

  /**
   * What {@link #update} does.
   *
   * @param <O> the options of a group
   */
  @FunctionalInterface
  interface Formula<O> {
    /**
     * Writes the formula of a step.
     *
     * @param u what it is written to
     * @param options the options in force
     */
    void update(PointwiseBuilder u, O options, Progress progress);
  }

  /** The names of the buffers under these options, in PyTorch's words; each has values for all. */
  List<String> buffers(O options);

  /**
   * Writes the formula of a step.
   *
   * @param u what it is written to: {@code u.param()}, {@code u.grad()}, {@code u.buffer("…")}
   * @param options the options in force
   */
  void update(PointwiseBuilder u, O options, Progress progress);

  @Override
  default List<String> buffers(O options, Shape shape) {
    return buffers(options);
  }

  @Override
  default PointwiseStep hyper(O options, Progress progress) {
    PointwiseBuilder u = new PointwiseBuilder(buffers(options));
    update(u, options, progress);
    return u.build();
  }

  @Override
  default Object formula(PointwiseStep hyper) {
    return hyper.program();
  }

  @Override
  default Update<PointwiseStep> prepare(Backend backend, List<Slot> slots) {
    List<PointwiseSlot> planned = new ArrayList<>(slots.size());
    for (Slot s : slots) {
      List<Storage> buffers = new ArrayList<>(s.buffers().values());
      planned.add(new PointwiseSlot(s.param(), s.grad(), buffers));
    }
    PointwisePlan plan = backend.planPointwise(planned);
    return Update.of(plan::step, plan::close);
  }

  /**
   * The gradient that a step follows downhill.
   *
   * @param maximize whether its sign is turned
   * @param weightDecay the factor of the parameter that is added to it
   */
  static Value gradient(PointwiseBuilder u, boolean maximize, double weightDecay) {
    Value g = maximize ? u.grad().neg() : u.grad();
    return weightDecay == 0 ? g : g.add(u.param(), weightDecay);
  }
}
