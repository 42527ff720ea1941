package dev.gradus.benchmarks;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;

/**
 * libtorch's fused Adam, called as PyTorch's optimizer calls it: for each group one addition to the
 * step counts and one update. Its C++ optimizers do not offer it, so it goes through the
 * dispatcher.
 */
final class TorchFusedAdam {
  private final OperatorHandle count;
  private final OperatorHandle update;
  private final List<Group> groups = new ArrayList<>();
  private final AdamVariant variant;
  private final Type.TypePtr tensorType;

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
    Dispatcher dispatcher = Dispatcher.singleton();
    tensorType = tensorType(dispatcher);
    count = dispatcher.findSchemaOrThrow("aten::_foreach_add_", "Scalar");
    update =
        dispatcher.findSchemaOrThrow(
            variant.decoupled() ? "aten::_fused_adamw_" : "aten::_fused_adam_", "");
  }

  /** The type of a list's elements, taken from a list: JavaCPP maps no other way to it. */
  private static Type.TypePtr tensorType(Dispatcher dispatcher) {
    IValueVector stack = new IValueVector(new IValue(torch.ones(1)), new IValue(0L));
    dispatcher.findSchemaOrThrow("aten::unbind", "int").callBoxed(stack);
    return stack.get(0).toList().elementType();
  }

  /** Adds a group; its parameters have no gradients yet. */
  void group(List<Tensor> params, double lr) {
    List<Tensor> steps = new ArrayList<>();
    params.forEach(p -> steps.add(torch.zeros(new long[0])));
    IValue stepList = list(steps);
    List<Tensor> max = variant.amsgrad() ? zeros(params) : List.of();
    IValue[] call = {
      list(params),
      list(List.of()),
      list(zeros(params)),
      list(zeros(params)),
      list(max),
      stepList,
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
    groups.add(new Group(params, new IValue[] {stepList, new IValue(new Scalar(1))}, call));
  }

  private static List<Tensor> zeros(List<Tensor> like) {
    List<Tensor> zeros = new ArrayList<>();
    like.forEach(p -> zeros.add(torch.zeros_like(p)));
    return zeros;
  }

  private IValue list(List<Tensor> tensors) {
    GenericList list = new GenericList(tensorType);
    for (Tensor t : tensors) {
      list.push_back(new IValue(t));
    }
    return new IValue(list);
  }

  /** Takes these gradients, a list a group, for all steps to come. */
  void gradients(List<List<Tensor>> grads) {
    for (int g = 0; g < groups.size(); g++) {
      groups.get(g).update[GRADS] = list(grads.get(g));
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
      g.update[GRADS] = list(grads);
    }
    step();
  }

  /** One step of all groups. */
  @SuppressWarnings("try") // the scope is open for its effect
  void step() {
    try (PointerScope scope = new PointerScope()) {
      for (int g = 0; g < groups.size(); g++) {
        call(count, groups.get(g).count);
        call(update, groups.get(g).update);
      }
    }
  }

  private static void call(OperatorHandle op, IValue[] arguments) {
    op.callBoxed(new IValueVector(arguments));
  }
}
