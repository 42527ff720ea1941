package dev.gradus.optim;

import dev.gradus.nn.Parameter;
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

  /** Whether it takes part in the step that is being made. */
  boolean active;

  /** Where it stands in the prepared update; null while it is in none. */
  @Nullable Place place;

  /** A place in a prepared update, and the memory that it was prepared for. */
  record Place(Batch<?> batch, int index, Storage param, Storage grad, List<String> buffers) {}

  Member(String name, Parameter parameter) {
    this.name = name;
    this.parameter = parameter;
  }

  /**
   * Decides whether it takes part in a step, from whether it has a gradient.
   *
   * @param needed the buffers that its options need
   * @return whether the prepared update still fits
   * @throws IllegalStateException if its memory cannot be used
   */
  boolean look(List<String> needed) {
    Storage param = parameter.storage();
    active = parameter.hasGrad();
    Place p = place;
    if (!active) {
      return p == null || p.param == param;
    }
    Tensor grad = parameter.grad();
    requireFits(grad);
    return p != null
        && p.param == param
        && p.grad == grad.storage()
        && (p.buffers == needed || p.buffers.equals(needed));
  }

  private void requireFits(Tensor grad) {
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
  }

  /** Whether an update that is prepared now has a place for it. */
  boolean joins(List<String> needed) {
    Place p = place;
    return active || (p != null && p.param == parameter.storage() && p.buffers.equals(needed));
  }

  /** The gradient's memory, of one that joins. */
  Storage gradStorage() {
    Place p = place;
    return active || p == null ? parameter.grad().storage() : p.grad;
  }
}
