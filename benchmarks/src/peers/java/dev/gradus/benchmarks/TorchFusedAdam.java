package dev.gradus.benchmarks;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Tensor;

/**
 * libtorch's fused Adam, called as PyTorch's optimizer calls it: for each group one addition to the
 * step counts and one update. Its C++ optimizers do not offer it, so it goes through the
 * dispatcher.
 */
final class TorchFusedAdam {
  private final TorchOp count = new TorchOp("_foreach_add_", "Scalar");
  private final TorchOp update;
  private final List<Group> groups = new ArrayList<>();
  private final AdamVariant variant;

  /** A group: its parameters, and the arguments of both calls. */
  private static final class Group {
    private final List<Tensor> params;
    private final IValue[] count;
    private final IValue[] update;

    Group(List<Tensor> params, IValue[] count, IValue[] update) {
      this.params = params;
      this.count = count;
      this.update = update;
    }
  }

  /** The place of the gradients among the arguments. */
  private static final int GRADS = 1;

  TorchFusedAdam(AdamVariant variant) {
    this.variant = variant;
    this.update = new TorchOp(variant.decoupled() ? "_fused_adamw_" : "_fused_adam_", "");
  }

  /** Adds a group; its parameters have no gradients yet. */
  void group(List<Tensor> params, double lr) {
    IValue steps = TorchOp.counts(params);
    List<Tensor> max = variant.amsgrad() ? TorchOp.zeros(params) : List.of();
    IValue[] call = {
      TorchOp.list(params),
      TorchOp.list(List.of()),
      TorchOp.list(TorchOp.zeros(params)),
      TorchOp.list(TorchOp.zeros(params)),
      TorchOp.list(max),
      steps,
      new IValue(lr),
      new IValue(AdamVariant.BETA1),
      new IValue(AdamVariant.BETA2),
      new IValue(variant.weightDecay()),
      new IValue(AdamVariant.EPS),
      new IValue(variant.amsgrad()),
      new IValue(false),
      new IValue(),
      new IValue()
    };
    groups.add(new Group(params, new IValue[] {steps, TorchOp.scalar(1)}, call));
  }

  /** Takes these gradients, a list a group, for all steps to come. */
  void gradients(List<List<Tensor>> grads) {
    for (int g = 0; g < groups.size(); g++) {
      groups.get(g).update[GRADS] = TorchOp.list(grads.get(g));
    }
  }

  /** Lets go of the gradients, as PyTorch's zero_grad does. */
  void zeroGrad() {
    for (Group g : groups) {
      g.params.forEach(p -> p.mutable_grad().reset());
    }
  }

  /** A step with the gradients that backward has left. */
  void stepAfterBackward() {
    for (Group g : groups) {
      List<Tensor> grads = new ArrayList<>();
      g.params.forEach(p -> grads.add(p.grad()));
      g.update[GRADS] = TorchOp.list(grads);
    }
    step();
  }

  /** One step of all groups. */
  @SuppressWarnings("try") // the scope is open for its effect
  void step() {
    try (PointerScope scope = new PointerScope()) {
      for (Group g : groups) {
        count.call(g.count);
        update.call(g.update);
      }
    }
  }
}
