package dev.gradus.optim;

import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What an optimizer has to remember to go on as if it had never stopped: plain values, all of them
 * by name, which can be written to a file and read again.
 *
 * @param kind the optimizer's kind; another kind refuses it
 * @param schedule how far the optimizer's schedule went, as numbers by name: {@code step}, and what
 *     a {@link ReduceOnPlateau} remembers; empty without one
 * @param groups the groups, in order
 * @param parameters what is kept for each parameter, by name; one that was never updated has none
 */
public record OptimizerState(
    String kind,
    Map<String, Double> schedule,
    List<Group> groups,
    Map<String, OfParameter> parameters) {

  /**
   * A state; the list and the maps are copied.
   *
   * @throws IllegalArgumentException if a group or a parameter comes twice, or there is state of a
   *     parameter that is in no group
   */
  public OptimizerState {
    schedule = Collections.unmodifiableMap(new TreeMap<>(schedule));
    groups = List.copyOf(groups);
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    Map<String, String> groupOf = new HashMap<>();
    Map<String, Group> byName = new HashMap<>();
    for (Group g : groups) {
      if (byName.put(g.name(), g) != null) {
        throw new IllegalArgumentException(
            "optimizer state: there are two param groups '" + g.name() + "'; names are unique");
      }
      for (String p : g.parameters()) {
        String other = groupOf.put(p, g.name());
        if (other != null) {
          throw new IllegalArgumentException(
              "optimizer state: parameter '"
                  + p
                  + "' is in param group '"
                  + other
                  + "' and in '"
                  + g.name()
                  + "'; it has one place");
        }
      }
    }
    for (String p : parameters.keySet()) {
      if (!groupOf.containsKey(p)) {
        throw new IllegalArgumentException(
            "optimizer state: parameter '" + p + "' has state but is in no param group");
      }
    }
  }

  private static void requireCount(String what, long count) {
    if (count < 0) {
      throw new IllegalArgumentException(
          "optimizer state: " + what + " must be >= 0 but is " + count);
    }
  }

  /**
   * A group's part.
   *
   * @param name the group's name
   * @param parameters the names of its parameters
   * @param options its options under PyTorch's names, the base rate among them: {@link
   *     OptimizerOptions#entries()}
   * @param schedule how far its own schedule went, as for the optimizer's; empty without one
   */
  public record Group(
      String name,
      List<String> parameters,
      SortedMap<String, ?> options,
      Map<String, Double> schedule) {
    /** A group's part; list and maps are copied. */
    public Group {
      parameters = List.copyOf(parameters);
      options = Collections.unmodifiableSortedMap(new TreeMap<>(options));
      schedule = Collections.unmodifiableMap(new TreeMap<>(schedule));
    }
  }

  /**
   * A parameter's part.
   *
   * @param steps how many steps it took part in
   * @param buffers its buffers by PyTorch's names, {@code exp_avg}
   * @param scalars its numbers by PyTorch's names, {@code mu_product}; most kinds keep none
   */
  public record OfParameter(
      long steps, Map<String, StateBuffer> buffers, Map<String, Double> scalars) {
    /**
     * A parameter's part; the maps are copied, that of numbers sorted, the buffers are not.
     *
     * @throws IllegalArgumentException if the count is negative
     */
    public OfParameter {
      buffers = Collections.unmodifiableMap(new LinkedHashMap<>(buffers));
      scalars = Collections.unmodifiableMap(new TreeMap<>(scalars));
      requireCount("steps", steps);
    }
  }
}
