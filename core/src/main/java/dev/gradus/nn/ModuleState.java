package dev.gradus.nn;

import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Overwriting and moving everything that a module holds: first all checks and copies, then all
 * writes.
 */
final class ModuleState {
  private ModuleState() {}

  /**
   * Replaces each parameter and buffer, once, by what a conversion makes of it. All replacements
   * exist before the first is taken, and taking one allocates nothing: when memory runs out,
   * nothing was replaced.
   */
  @SuppressWarnings("try") // the blocks are open for their effect
  static void replaceAll(Module module, UnaryOperator<Tensor> conversion) {
    try (NoGrad off = NoGrad.open();
        Scope copies = Scope.open()) {
      IdentityHashMap<Tensor, Tensor> replacements = new IdentityHashMap<>();
      List<Tensor> order = new ArrayList<>();
      for (Tensor t : module.stateDict().values()) {
        if (!replacements.containsKey(t)) {
          Tensor replacement = conversion.apply(t);
          replacements.put(t, replacement);
          if (replacement != t) {
            order.add(t);
          }
        }
      }
      for (Tensor t : order) {
        Tensor replacement = replacements.getOrDefault(t, t);
        if (t instanceof Parameter p) {
          p.take(replacement);
        } else if (t instanceof ModuleBuffer b) {
          b.take(replacement);
        }
      }
    }
  }

  static LoadResult load(
      Module module, Map<String, ? extends Tensor> state, Strictness strictness) {
    Map<String, Tensor> own = module.stateDict();
    List<String> missing = missing(own, state);
    List<String> unexpected = new ArrayList<>();
    List<String> misfits = new ArrayList<>();
    for (Map.Entry<String, ? extends Tensor> e : state.entrySet()) {
      Tensor target = own.get(e.getKey());
      if (target == null) {
        unexpected.add(e.getKey());
      } else {
        compare(e.getKey(), target, e.getValue(), misfits);
      }
    }
    List<String> faults = new ArrayList<>();
    if (strictness == Strictness.STRICT) {
      missing.forEach(n -> faults.add("missing: '" + n + "'"));
      unexpected.forEach(n -> faults.add("unexpected: '" + n + "'"));
    }
    faults.addAll(misfits);
    if (!faults.isEmpty()) {
      if (strictness == Strictness.LENIENT) {
        faults.add(
            "leniently, only names may differ: take these out of the state to keep the model's"
                + " values");
      }
      throw new IllegalArgumentException(
          "loadStateDict: the state does not fit "
              + module.typeName()
              + "; nothing was loaded\n  "
              + String.join("\n  ", faults));
    }
    write(own, state);
    return new LoadResult(missing, unexpected);
  }

  /** The names whose tensor the state has under none of its names. */
  private static List<String> missing(
      Map<String, Tensor> own, Map<String, ? extends Tensor> state) {
    Set<Tensor> given = Collections.newSetFromMap(new IdentityHashMap<>());
    own.forEach(
        (name, t) -> {
          if (state.containsKey(name)) {
            given.add(t);
          }
        });
    List<String> missing = new ArrayList<>();
    own.forEach(
        (name, t) -> {
          if (!given.contains(t)) {
            missing.add(name);
          }
        });
    return missing;
  }

  private static void compare(String name, Tensor target, Tensor value, List<String> faults) {
    if (!value.shape().equals(target.shape())) {
      faults.add("shape of '" + name + "': " + value.shape() + "; the model has " + target.shape());
    }
    if (value.dtype() != target.dtype()) {
      faults.add(
          "type of '"
              + name
              + "': "
              + value.dtype().label()
              + "; the model has "
              + target.dtype().label());
    }
    value.storage(); // refuses a released tensor now, before the first write
  }

  @SuppressWarnings("try") // the block is open for its effect
  private static void write(Map<String, Tensor> own, Map<String, ? extends Tensor> state) {
    try (NoGrad off = NoGrad.open()) {
      own.forEach(
          (name, target) -> {
            Tensor value = state.get(name);
            if (value != null) {
              target.copyFrom(value);
            }
          });
    }
  }
}
