package dev.gradus.examples.parity;

import dev.gradus.optim.Adam;
import dev.gradus.optim.AdamW;
import dev.gradus.optim.OptimizerBuilder;
import dev.gradus.optim.OptimizerOptions;
import dev.gradus.optim.SGD;
import dev.gradus.optim.SparseAdam;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The optimizers that a recording may name, by PyTorch's names of their classes. */
final class Optimizers {
  /** Options of PyTorch's optimizers that say how a step is computed, not what it computes. */
  private static final Set<String> IGNORED =
      Set.of("foreach", "fused", "capturable", "differentiable");

  private static final Map<String, Kind<?>> KINDS = new TreeMap<>();

  static {
    KINDS.put("Adam", new Kind<>(Adam.Options.defaults(), Adam::withDefaults));
    KINDS.put("AdamW", new Kind<>(AdamW.defaults(), AdamW::withDefaults));
    KINDS.put("SGD", new Kind<>(SGD.Options.defaults(), SGD::withDefaults));
    KINDS.put("SparseAdam", new Kind<>(SparseAdam.Options.defaults(), SparseAdam::withDefaults));
  }

  private Optimizers() {}

  /**
   * A sort of optimizer.
   *
   * @param defaults the options of a group that names none
   * @param withDefaults begins an optimizer, from a change of the defaults
   */
  record Kind<O extends OptimizerOptions<O>>(
      O defaults, Function<UnaryOperator<O>, OptimizerBuilder<O, ?>> withDefaults) {

    OptimizerBuilder<O, ?> builder() {
      return withDefaults.apply(UnaryOperator.identity());
    }

    /**
     * Options from PyTorch's names and values.
     *
     * @throws IllegalArgumentException if a name is unknown or a value not allowed
     */
    O options(Map<String, Object> entries) {
      Map<String, Object> effective = new TreeMap<>(entries);
      effective.keySet().removeAll(IGNORED);
      return defaults.withEntries(effective);
    }
  }

  /** The optimizer with this name; null if there is none. */
  static @Nullable Kind<?> named(String name) {
    return KINDS.get(name);
  }

  /** The names of all. */
  static Set<String> names() {
    return KINDS.keySet();
  }
}
