package dev.gradus.benchmarks;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;

/** An operation on lists of tensors, which JavaCPP does not map: called through the dispatcher. */
final class TorchOp {
  private static final Type.TypePtr TENSOR = tensorType();

  private final OperatorHandle handle;

  /** An operation by the name and overload of its schema. */
  TorchOp(String name, String overload) {
    handle = Dispatcher.singleton().findSchemaOrThrow("aten::" + name, overload);
  }

  /** The type of a list's elements, taken from a list: JavaCPP maps no other way to it. */
  private static Type.TypePtr tensorType() {
    IValueVector stack = new IValueVector(new IValue(torch.ones(1)), new IValue(0L));
    Dispatcher.singleton().findSchemaOrThrow("aten::unbind", "int").callBoxed(stack);
    return stack.get(0).toList().elementType();
  }

  static IValue list(List<Tensor> tensors) {
    GenericList list = new GenericList(TENSOR);
    for (Tensor t : tensors) {
      list.push_back(new IValue(t));
    }
    return new IValue(list);
  }

  static List<Tensor> zeros(List<Tensor> like) {
    List<Tensor> zeros = new ArrayList<>();
    like.forEach(p -> zeros.add(torch.zeros_like(p)));
    return zeros;
  }

  /** A step count of zero for each tensor. */
  static IValue counts(List<Tensor> of) {
    List<Tensor> steps = new ArrayList<>();
    of.forEach(p -> steps.add(torch.zeros(new long[0])));
    return list(steps);
  }

  static IValue scalar(double value) {
    return new IValue(new Scalar(value));
  }

  /** Calls it; a result is left on the stack. */
  IValueVector call(IValue... arguments) {
    IValueVector stack = new IValueVector(arguments);
    handle.callBoxed(stack);
    return stack;
  }
}
