package dev.gradus.optim;

import dev.gradus.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an optimizer has to remember to go on as if it had never stopped: a copy, which later steps
 * do not change.
 *
 * @param kind the optimizer's kind; another kind refuses it
 * @param scheduleStep how far the optimizer's schedule went; 0 without one
 * @param groups the groups, in order
 * @param parameters what is kept for each parameter, by name; one that was never updated has none
 * @param <O> the options of a group
 */
public record OptimizerState<O extends OptimizerOptions<O>>(
    String kind, long scheduleStep, List<Group<O>> groups, Map<String, OfParameter> parameters) {

  /** A state; the list and the map are copied. */
  public OptimizerState {
    groups = List.copyOf(groups);
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
  }

  /**
   * A group's part.
   *
   * @param name the group's name
   * @param parameters the names of its parameters
   * @param options its options, with the base rate
   * @param scheduleStep how far its own schedule went; 0 without one
   */
  public record Group<O>(String name, List<String> parameters, O options, long scheduleStep) {
    /** A group's part; the list is copied. */
    public Group {
      parameters = List.copyOf(parameters);
    }
  }

  /**
   * A parameter's part.
   *
   * @param steps how many steps it took part in
   * @param buffers its buffers by PyTorch's names, {@code exp_avg}
   * @param scalars its numbers by PyTorch's names, {@code mu_product}; most kinds keep none
   */
  public record OfParameter(long steps, Map<String, Tensor> buffers, Map<String, Double> scalars) {
    /** A parameter's part; the maps are copied, the tensors are not. */
    public OfParameter {
      scalars = Map.copyOf(scalars);
      buffers = Collections.unmodifiableMap(new LinkedHashMap<>(buffers));
    }
  }

  static <O extends OptimizerOptions<O>> OptimizerState<O> of(
      String kind, long scheduleStep, List<ParamGroup<O>> live) {
    List<Group<O>> groups =
        live.stream()
            .map(
                g -> {
                  ScheduleRun own = g.ownRun();
                  return new Group<>(
                      g.name(), g.names(), g.options(), own == null ? 0 : own.step());
                })
            .toList();
    Map<String, OfParameter> parameters = new LinkedHashMap<>();
    for (ParamGroup<O> g : live) {
      for (Member m : g.members()) {
        if (m.count > 0) {
          Map<String, Tensor> buffers = new LinkedHashMap<>();
          m.buffers.forEach((name, buffer) -> buffers.put(name, StateTensor.copyOf(buffer)));
          Map<String, Double> scalars = m.scalars;
          parameters.put(
              m.name, new OfParameter(m.count, buffers, scalars == null ? Map.of() : scalars));
        }
      }
    }
    return new OptimizerState<>(kind, scheduleStep, groups, parameters);
  }
}
