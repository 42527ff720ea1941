package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.testing.ReferenceBackend;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * For every operation, what happens when a tensor of its graph, an operand or a result, is changed
 * in place between forward and backward: either backward refuses, or the gradients are the same.
 */
class InPlaceChangeTest {
  private Device device;
  private Device elsewhere;
  private Scope scope;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    elsewhere = Device.over(new ReferenceBackend("elsewhere"));
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
    device.close();
    elsewhere.close();
  }

  @TestFactory
  Stream<DynamicTest> aChangeIsRefusedOrDoesNotMatter() {
    Map<String, Map<String, Object>> golden = OperationCases.golden();
    return OperationCases.all().stream()
        .filter(c -> golden.get(c.name()).containsKey("grads"))
        .map(c -> DynamicTest.dynamicTest(c.name(), () -> changeEach(c, golden.get(c.name()))));
  }

  /** The functions that refuse a change of something they save: all but those that save nothing. */
  @Test
  void everyFunctionThatSavesAValueRefusesItsChange() {
    Map<String, Map<String, Object>> golden = OperationCases.golden();
    Set<String> refused = new TreeSet<>();
    for (OperationCases.Case c : OperationCases.all()) {
      if (golden.get(c.name()).containsKey("grads")) {
        refused.addAll(changeEach(c, golden.get(c.name())));
      }
    }
    List<String> expected =
        List.of(
            "Abs",
            "Addmm",
            "BinaryCrossEntropy",
            "Clamp",
            "Div",
            "Embedding",
            "Exp",
            "Gelu",
            "IndexSelect",
            "LeakyRelu",
            "Log",
            "LogSoftmax",
            "Max",
            "Maximum",
            "Min",
            "Minimum",
            "Mm",
            "Mul",
            "NativeLayerNorm",
            "NllLoss",
            "Pow",
            "Reciprocal",
            "Relu",
            "Sigmoid",
            "Silu",
            "Softmax",
            "Softplus",
            "Sqrt",
            "Tanh",
            "Where");
    assertEquals(new TreeSet<>(expected), refused);
  }

  /** Changes one tensor of the graph after another, each in a graph of its own. */
  private Set<String> changeEach(OperationCases.Case c, Map<String, Object> golden) {
    Set<String> refused = new HashSet<>();
    List<double[]> expected = gradients(c, golden, -1, refused);
    int tensors = tensors(c.call(inputs(golden), elsewhere)).size();
    assertTrue(tensors > 1, "operands and a result");
    for (int k = 0; k < tensors; k++) {
      List<double[]> actual = gradients(c, golden, k, refused);
      if (!actual.isEmpty()) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < actual.size(); i++) {
          assertArrayEquals(expected.get(i), actual.get(i), "tensor " + k + ", gradient " + i);
        }
      }
    }
    return refused;
  }

  /** The gradients after a change of tensor k; none if backward refused, which is noted. */
  private List<double[]> gradients(
      OperationCases.Case c, Map<String, Object> golden, int k, Set<String> refused) {
    List<Tensor> inputs = inputs(golden);
    Tensor out = c.call(inputs, elsewhere);
    Tensor seed = GradCheck.weights(out).to(out.dtype());
    if (k >= 0) {
      change(tensors(out).get(k));
    }
    List<double[]> grads = new ArrayList<>();
    try {
      out.backward(seed);
    } catch (IllegalStateException e) {
      String text = e.getMessage();
      assertTrue(
          text.contains("' needs a tensor ") && text.contains(" that was changed in place"), text);
      refused.add(text.substring(text.indexOf('\'') + 1, text.indexOf("' needs")));
      inputs.forEach(x -> assertFalse(x.hasGrad(), "nothing is written"));
      return grads;
    }
    for (Tensor x : inputs) {
      if (x.requiresGrad()) {
        grads.add(x.grad().toDoubleArray());
      }
    }
    return grads;
  }

  /** Every tensor that a function of the graph knows, in the order of a walk. */
  private static List<Tensor> tensors(Tensor out) {
    List<Tensor> found = new ArrayList<>();
    List<Function> open = new ArrayList<>();
    Set<Function> seen = new HashSet<>();
    open.add(out.origin());
    while (!open.isEmpty()) {
      Function f = open.remove(open.size() - 1);
      if (!seen.add(f)) {
        continue;
      }
      add(found, f.output());
      for (int i = 0; i < f.inputCount(); i++) {
        add(found, f.input(i));
        if (f.origin(i) != null) {
          open.add(f.origin(i));
        }
      }
    }
    return found;
  }

  private static void add(List<Tensor> found, Tensor x) {
    if (x.contents().isReleased()) {
      return; // a constant that the operation made for itself: nobody can change it
    }
    if (found.stream().noneMatch(t -> t == x)) {
      found.add(x);
    }
  }

  /** Other values of the same kind: an order reversed, numbers moved, truth negated. */
  private static void change(Tensor x) {
    Tensor values = x.detach().copy();
    Tensor other =
        switch (x.dtype()) {
          case F32, F64 -> values.mul(-1.3).add(0.37);
          case I64 -> values.device().tensor(turned(values.toLongArray()), x.shape());
          case BOOL -> values.eq(0);
        };
    x.detach().copyFrom(other);
  }

  private static long[] turned(long[] values) {
    long[] other = new long[values.length];
    for (int i = 0; i < other.length; i++) {
      other[i] = values[(i + 1) % other.length];
    }
    return other;
  }

  private List<Tensor> inputs(Map<String, Object> golden) {
    return OperationCases.inputs(device, golden);
  }
}
