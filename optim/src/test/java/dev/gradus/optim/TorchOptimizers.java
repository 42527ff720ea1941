package dev.gradus.optim;

import dev.gradus.nn.Parameter;
import java.util.List;
import java.util.Map;

/** Optimizers by PyTorch's names and keyword arguments. */
final class TorchOptimizers {
  private TorchOptimizers() {}

  /** A builder of this kind without groups yet. */
  static OptimizerBuilder<?, ?> builder(String kind, Map<String, Object> kwargs) {
    return switch (kind) {
      case "ASGD" -> ASGD.withDefaults(o -> o.withEntries(kwargs));
      case "Adadelta" -> Adadelta.withDefaults(o -> o.withEntries(kwargs));
      case "Adafactor" -> Adafactor.withDefaults(o -> o.withEntries(kwargs));
      case "Adagrad" -> Adagrad.withDefaults(o -> o.withEntries(kwargs));
      case "Adam" -> Adam.withDefaults(o -> o.withEntries(kwargs));
      case "AdamW" -> AdamW.withDefaults(o -> o.withEntries(kwargs));
      case "Adamax" -> Adamax.withDefaults(o -> o.withEntries(kwargs));
      case "LBFGS" -> LBFGS.withDefaults(o -> o.withEntries(kwargs));
      case "Lion" -> Lion.withDefaults(o -> o.withEntries(kwargs));
      case "Muon" -> Muon.withDefaults(o -> o.withEntries(kwargs));
      case "NAdam" -> NAdam.withDefaults(o -> o.withEntries(kwargs));
      case "RAdam" -> RAdam.withDefaults(o -> o.withEntries(kwargs));
      case "RMSprop" -> RMSprop.withDefaults(o -> o.withEntries(kwargs));
      case "Rprop" -> Rprop.withDefaults(o -> o.withEntries(kwargs));
      case "SparseAdam" -> SparseAdam.withDefaults(o -> o.withEntries(kwargs));
      case "SGD" -> SGD.withDefaults(o -> o.withEntries(kwargs));
      default -> throw new IllegalArgumentException(kind);
    };
  }

  /** An optimizer of one group, {@code all}. */
  static Optimizer<?> of(String kind, Map<String, Object> kwargs, Parameter... parameters) {
    return builder(kind, kwargs).group("all", List.of(parameters)).build();
  }
}
