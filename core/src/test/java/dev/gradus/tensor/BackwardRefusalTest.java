package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What backward and writing in place refuse, and that nothing is changed then. */
@SuppressWarnings("try") // blocks are open for their effect
class BackwardRefusalTest {
  private Device device;
  private Scope scope;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
    device.close();
  }

  private Tensor values(double... values) {
    return device.tensor(values);
  }

  private Tensor leaf(double... values) {
    return values(values).requiresGrad(true);
  }

  private static void refused(String text, Runnable r) {
    Exception e = assertThrows(RuntimeException.class, r::run);
    assertEquals(text, e.getMessage());
  }

  private static void grad(Tensor x, double... expected) {
    assertArrayEquals(expected, x.grad().toDoubleArray());
  }

  @Test
  void aTensorOfManyElementsNeedsASeed() {
    Tensor x = leaf(1, 2);
    refused(
        "backward: tensor [2] has more than one element; sum it, or pass the gradient of the"
            + " result: backward(seed)",
        x.mul(2)::backward);
  }

  @Test
  void withoutAGraphThereIsNothingToDifferentiate() {
    String text =
        "backward: tensor [] was not computed from a tensor that requires a gradient (or under"
            + " NoGrad); there is nothing to differentiate";
    refused(text, values(1).sum()::backward);
    refused(text, leaf(1).detach().sum()::backward);
    try (NoGrad off = NoGrad.open()) {
      refused(text, leaf(1).sum()::backward);
    }
    refused(text, () -> values(1).sum().backward(values(1).sum()));
  }

  @Test
  void aWrongSeedIsRefused() {
    Tensor x = leaf(1, 2);
    Tensor y = x.mul(2);
    refused(
        "backward: the seed gradient is [3] but the tensor is [2]; they must be equal",
        () -> y.backward(values(1, 2, 3)));
    refused(
        "backward: operands are float64 and float32; convert one with to(dtype)",
        () -> y.backward(device.ones(2)));
    try (Device other = Device.over(new ReferenceBackend("other"))) {
      refused(
          "backward: operands are on reference and other; move one with to(device)",
          () -> y.backward(other.ones(DType.F64, 2)));
    }
    Tensor dead = values(1, 2);
    dead.close();
    refused("tensor [2] was released by close(); copy it out before", () -> y.backward(dead));
    assertFalse(x.hasGrad());
    y.backward(values(1, 1));
    grad(x, 2, 2);
  }

  @Test
  void aSecondBackwardThroughTheSameGraphIsRefused() {
    Tensor x = leaf(1, 2);
    Tensor h = x.exp();
    Tensor y = h.sum();
    y.backward();
    double[] before = x.grad().toDoubleArray();
    refused(
        "backward: the graph through 'Sum' was already used by an earlier backward and its values"
            + " are released; run the forward pass again",
        y::backward);
    refused(
        "backward: the graph through 'Exp' was already used by an earlier backward and its values"
            + " are released; run the forward pass again",
        h.mul(x).sum()::backward);
    assertArrayEquals(before, x.grad().toDoubleArray());
  }

  @Test
  void anInPlaceChangeOfASavedInputIsRefused() {
    Tensor x = leaf(1, 2);
    Tensor w = leaf(3, 4);
    x.sum().backward();
    Tensor y = x.mul(w).sum();
    try (NoGrad off = NoGrad.open()) {
      w.copyFrom(values(5, 6));
    }
    refused(
        "backward: 'Mul' needs a tensor [2] that was changed in place after it was used; change it"
            + " after backward, or use a copy()",
        y::backward);
    grad(x, 1, 1);
    assertFalse(w.hasGrad());
  }

  @Test
  void anInPlaceChangeOfASavedResultIsRefused() {
    Tensor x = leaf(1, 2);
    Tensor h = x.exp();
    Tensor y = h.sum();
    h.detach().copyFrom(values(0, 0));
    refused(
        "backward: 'Exp' needs a tensor [2] that was changed in place after it was used; change it"
            + " after backward, or use a copy()",
        y::backward);
    assertFalse(x.hasGrad());
  }

  @Test
  void anInPlaceChangeOfWhatBackwardDoesNotNeedIsNoMatter() {
    Tensor x = leaf(1, 2);
    Tensor c = values(3, 4);
    Tensor y = x.add(c).sum();
    c.copyFrom(values(0, 0));
    y.backward();
    grad(x, 1, 1);
  }

  @Test
  void aReleasedValueThatBackwardNeedsIsRefused() {
    Tensor x = leaf(1, 2);
    Tensor h = x.mul(2);
    Tensor y = h.mul(h).sum();
    h.close();
    refused("tensor [2] was released by close(); copy it out before", y::backward);
    assertFalse(x.hasGrad());
  }

  @Test
  void aReleasedValueThatBackwardDoesNotNeedLeavesTheGraphWhole() {
    Tensor x = leaf(1, 2);
    Tensor h = x.mul(2);
    Tensor y = h.add(1).sum();
    h.close();
    y.backward();
    grad(x, 2, 2);
  }

  @Test
  void keepingAValueDetachesItAndLeavesTheGraphWhole() {
    Tensor x = leaf(1, 2);
    Tensor h;
    try (Scope step = Scope.open()) {
      h = x.mul(3);
      Tensor y = h.mul(h).sum();
      step.keep(h);
      assertTrue(h.isLeaf());
      assertFalse(h.requiresGrad());
      y.backward();
    }
    grad(x, 18, 36);
    assertArrayEquals(new double[] {3, 6}, h.toDoubleArray());
  }

  @Test
  void aRefusalInTheMiddleOfTheGraphChangesNoGradient() {
    Tensor x = leaf(1, 2);
    Tensor w = leaf(3, 4);
    Tensor h = x.mul(w);
    Tensor y = h.exp().add(w).sum();
    try (NoGrad off = NoGrad.open()) {
      x.copyFrom(values(9, 9));
    }
    assertThrows(IllegalStateException.class, y::backward);
    assertFalse(x.hasGrad());
    assertFalse(w.hasGrad());
    assertThrows(IllegalStateException.class, y::backward, "and again, for the same reason");
  }

  @Test
  void anInPlaceChangeOfARecordedTensorIsRefused() {
    Tensor x = leaf(1, 2);
    String text =
        "copyFrom: tensor [2] requires a gradient, which an in-place change would falsify; do it"
            + " inside NoGrad.open()";
    refused(text, () -> x.copyFrom(values(0, 0)));
    refused(text, () -> x.mul(2).copyFrom(values(0, 0)));
    assertArrayEquals(new double[] {1, 2}, x.toDoubleArray());
  }

  @Test
  void copyFromAsksForTheSameShapeAndType() {
    refused(
        "copyFrom: shapes are [2] and [3]; they must be equal",
        () -> values(1, 2).copyFrom(values(1, 2, 3)));
    refused(
        "copyFrom: operands are float64 and float32; convert one with to(dtype)",
        () -> values(1, 2).copyFrom(device.zeros(2)));
  }

  @Test
  void copyFromItselfAndFromAnotherDevice() {
    Tensor x = values(1, 2);
    x.copyFrom(x.detach());
    assertArrayEquals(new double[] {1, 2}, x.toDoubleArray());
    try (Device other = Device.over(new ReferenceBackend("other"))) {
      x.copyFrom(other.tensor(new double[] {3, 4}));
    }
    assertArrayEquals(new double[] {3, 4}, x.toDoubleArray());
  }
}
