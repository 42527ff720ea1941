package dev.gradus.optim;

import dev.gradus.nn.Parameter;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A parameter of a group, with what the optimizer keeps for it. */
final class Member {
  final String name;
  final Parameter parameter;

  /** The steps that it took part in. */
  long count;

  /** Whether one of its buffers was made since its last step. */
  boolean fresh;

  Map<String, StateTensor> buffers = new LinkedHashMap<>();

  /** The numbers that the rule keeps for it; null before its first step. */
  @Nullable Map<String, Double> scalars;

  /** Whether it takes part in the step that is being made. */
  boolean active;

  /** Which hyper the step that is being made has for it, -1 where it takes no part. */
  int hyper;

  /** Its gradient in this step where that is taken as rows; null where it is taken dense. */
  private Gradient.@Nullable Rows rows;

  /** Where it stands in the prepared update; null while it is in none. */
  @Nullable Place place;

  /** A place in a prepared update, and the memory that it was prepared for. */
  record Place(Batch<?> batch, int index, Storage param, Gradient grad, List<String> buffers) {}

  Member(String name, Parameter parameter) {
    this.name = name;
    this.parameter = parameter;
  }

  /**
   * Decides whether it takes part in a step, from whether it has a gradient.
   *
   * @param needed the buffers that its options need
   * @param form the form in which its gradient is taken
   * @return whether the prepared update still fits
   * @throws IllegalStateException if its memory or the form of its gradient cannot be used
   */
  boolean look(List<String> needed, UpdateRule.Form form) {
    Storage param = parameter.storage();
    active = parameter.hasGrad();
    Place p = place;
    if (!active) {
      return p == null || p.param == param;
    }
    Gradient.Rows r = form == UpdateRule.Form.DENSE ? null : parameter.gradRows();
    rows = r;
    if (r == null && form == UpdateRule.Form.ONLY_ROWS) {
      throw new IllegalStateException(
          "its gradient is dense: it was used other than by lookups of rows, the gradient was"
              + " changed, or another optimizer takes it dense; give it to one Adam");
    }
    return (r != null ? isAt(p, r) : isAt(p, denseGrad()))
        && p != null
        && p.param == param
        && (p.buffers == needed || p.buffers.equals(needed));
  }

  /** Whether it stands where it did, with the memory and the buffers that it had there. */
  boolean isReady(Place before, List<String> needed) {
    return before.equals(place)
        && before.param == parameter.storage()
        && before.buffers.equals(needed);
  }

  private static boolean isAt(@Nullable Place p, Gradient.Rows rows) {
    return p != null && p.grad == rows;
  }

  private static boolean isAt(@Nullable Place p, Storage dense) {
    return p != null && p.grad instanceof Gradient.Dense d && d.values() == dense;
  }

  private Storage denseGrad() {
    Tensor grad = parameter.grad();
    if (grad.dtype() != parameter.dtype()
        || grad.device() != parameter.device()
        || !grad.shape().equals(parameter.shape())) {
      throw new IllegalStateException(
          "its gradient is "
              + grad.dtype().label()
              + " "
              + grad.shape()
              + " but its values are "
              + parameter.dtype().label()
              + " "
              + parameter.shape()
              + "; forget it with zeroGrad() and run backward again");
    }
    return grad.storage();
  }

  /** Whether an update that is prepared now has a place for it. */
  boolean joins(List<String> needed) {
    Place p = place;
    return active || (p != null && p.param == parameter.storage() && p.buffers.equals(needed));
  }

  /** The gradient, of one that joins. */
  Gradient gradient() {
    Place p = place;
    Gradient.Rows r = rows;
    if (!active && p != null) {
      return p.grad;
    }
    return r != null ? r : new Gradient.Dense(parameter.grad().storage());
  }

  /**
   * Its buffers as its next step will have them: of a parameter that was moved or converted since
   * its last step, copies that suit it.
   */
  Map<String, StateTensor> suited() {
    buffers.replaceAll((n, b) -> b.suits(parameter) ? b : StateTensor.copyFor(parameter, b));
    return buffers;
  }
}
