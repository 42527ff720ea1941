package dev.gradus.examples.parity;

import dev.gradus.optim.ASGD;
import dev.gradus.optim.Adadelta;
import dev.gradus.optim.Adafactor;
import dev.gradus.optim.Adagrad;
import dev.gradus.optim.Adam;
import dev.gradus.optim.AdamW;
import dev.gradus.optim.Adamax;
import dev.gradus.optim.Lion;
import dev.gradus.optim.Muon;
import dev.gradus.optim.NAdam;
import dev.gradus.optim.OptimizerBuilder;
import dev.gradus.optim.OptimizerOptions;
import dev.gradus.optim.RAdam;
import dev.gradus.optim.RMSprop;
import dev.gradus.optim.Rprop;
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
    KINDS.put("ASGD", new Kind<>(ASGD.Options.defaults(), ASGD::withDefaults));
    KINDS.put("Adadelta", new Kind<>(Adadelta.Options.defaults(), Adadelta::withDefaults));
    KINDS.put("Adafactor", new Kind<>(Adafactor.Options.defaults(), Adafactor::withDefaults));
    KINDS.put("Adagrad", new Kind<>(Adagrad.Options.defaults(), Adagrad::withDefaults));
    KINDS.put("Adam", new Kind<>(Adam.Options.defaults(), Adam::withDefaults));
    KINDS.put("AdamW", new Kind<>(AdamW.defaults(), AdamW::withDefaults));
    KINDS.put("Adamax", new Kind<>(Adamax.Options.defaults(), Adamax::withDefaults));
    KINDS.put("Lion", new Kind<>(Lion.Options.defaults(), Lion::withDefaults));
    KINDS.put("Muon", new Kind<>(Muon.Options.defaults(), Muon::withDefaults));
    KINDS.put("NAdam", new Kind<>(NAdam.Options.defaults(), NAdam::withDefaults));
    KINDS.put("RAdam", new Kind<>(RAdam.Options.defaults(), RAdam::withDefaults));
    KINDS.put("RMSprop", new Kind<>(RMSprop.Options.defaults(), RMSprop::withDefaults));
    KINDS.put("Rprop", new Kind<>(Rprop.Options.defaults(), Rprop::withDefaults));
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
