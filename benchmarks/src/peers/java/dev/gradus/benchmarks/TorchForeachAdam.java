package dev.gradus.benchmarks;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Tensor;

/**
 * Adam by libtorch's operations on lists, those that PyTorch's optimizer calls with {@code
 * foreach=True}: a dozen calls a group. All parameters of a group have one step count here, so one
 * number for all stands where PyTorch makes a list of numbers.
 */
final class TorchForeachAdam {
  private final TorchOp add = new TorchOp("_foreach_add_", "Scalar");
  private final TorchOp mul = new TorchOp("_foreach_mul_", "Scalar");
  private final TorchOp div = new TorchOp("_foreach_div_", "Scalar");
  private final TorchOp lerp = new TorchOp("_foreach_lerp_", "Scalar");
  private final TorchOp maximum = new TorchOp("_foreach_maximum_", "List");
  private final TorchOp sqrt = new TorchOp("_foreach_sqrt", "");
  private final TorchOp addcmul = new TorchOp("_foreach_addcmul_", "Scalar");
  private final TorchOp addcdiv = new TorchOp("_foreach_addcdiv_", "Scalar");
  private final List<Group> groups = new ArrayList<>();
  private final AdamVariant variant;
  private int step;

  private record Group(
      IValue params, IValue grads, IValue means, IValue squares, IValue greatest, IValue counts) {}

  TorchForeachAdam(AdamVariant variant) {
    this.variant = variant;
  }

  /** Adds a group with its gradients. */
  void group(List<Tensor> params, List<Tensor> grads) {
    groups.add(
        new Group(
            TorchOp.list(params),
            TorchOp.list(grads),
            TorchOp.list(TorchOp.zeros(params)),
            TorchOp.list(TorchOp.zeros(params)),
            TorchOp.list(variant.amsgrad() ? TorchOp.zeros(params) : List.of()),
            TorchOp.counts(params)));
  }

  /** One step of all groups. */
  @SuppressWarnings("try") // the scope is open for its effect
  void step() {
    step++;
    for (Group g : groups) {
      try (PointerScope scope = new PointerScope()) {
        update(g);
      }
    }
  }

  private void update(Group g) {
    add.call(g.counts, TorchOp.scalar(1));
    if (variant.weightDecay() != 0) {
      mul.call(g.params, TorchOp.scalar(1 - AdamVariant.LR * variant.weightDecay()));
    }
    lerp.call(g.means, g.grads, TorchOp.scalar(1 - AdamVariant.BETA1));
    mul.call(g.squares, TorchOp.scalar(AdamVariant.BETA2));
    addcmul.call(g.squares, g.grads, g.grads, TorchOp.scalar(1 - AdamVariant.BETA2));
    if (variant.amsgrad()) {
      maximum.call(g.greatest, g.squares);
    }
    IValue roots = sqrt.call(variant.amsgrad() ? g.greatest : g.squares).get(0);
    double correction1 = 1 - Math.pow(AdamVariant.BETA1, step);
    double correction2 = 1 - Math.pow(AdamVariant.BETA2, step);
    div.call(roots, TorchOp.scalar(Math.sqrt(correction2)));
    add.call(roots, TorchOp.scalar(AdamVariant.EPS));
    addcdiv.call(g.params, g.means, roots, TorchOp.scalar(-AdamVariant.LR / correction1));
  }
}
