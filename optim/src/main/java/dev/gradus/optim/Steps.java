package dev.gradus.optim;

import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.Shape;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How an optimizer makes its steps, and the memory of them: parameter by parameter ({@link
 * Stepper}), or all along one direction ({@link LbfgsSteps}).
 *
 * @param <O> the options of a group
 */
interface Steps<O extends OptimizerOptions<O>> {
  /** Whether parameters with these options had better leave their gradients as rows. */
  boolean takesRows(O options);

  /**
   * Refuses groups that such steps cannot be made for, before they are taken.
   *
   * @throws IllegalArgumentException if there are any
   */
  void check(List<ParamGroup<O>> groups);

  /** A step along the gradients that are there. */
  void step(List<ParamGroup<O>> groups);

  /**
   * A step along the gradients that the closure makes.
   *
   * @param hooks what is done before and after it
   * @return the loss that it gave first
   */
  double step(List<ParamGroup<O>> groups, Supplier<Tensor> closure, StepHooks hooks);

  /** The shape that a buffer of a parameter of this shape has. */
  Shape shapeOf(String buffer, O options, Shape parameter);

  /** The numbers that are kept for each parameter, as they are before its first step. */
  Map<String, Double> scalars(O options);

  /** Leaves all that is kept in {@link Member#buffers}, where states are read from. */
  void settle(List<ParamGroup<O>> groups);

  /** Evaluates a closure; what it makes ends with it. Waits for the loss. */
  @SuppressWarnings("try") // the scope is open for its effect
  static double evaluate(String kind, Supplier<Tensor> closure) {
    try (Scope scope = Scope.open()) {
      @Nullable Tensor loss = closure.get();
      if (loss == null) {
        throw new IllegalArgumentException(
            kind
                + ".step: the closure gave null; it calls zeroGrad(), computes the loss, calls its"
                + " backward() and returns it");
      }
      return loss.item();
    }
  }
}
