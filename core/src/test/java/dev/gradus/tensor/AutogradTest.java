package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.Storage;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The rules of gradients: leaves, accumulation, what backward refuses. */
@SuppressWarnings("try") // blocks are open for their effect
class AutogradTest {
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

  // ---- accumulation

  @Test
  void gradientsAccumulateOverBackwardCalls() {
    Tensor x = leaf(1, 2, 3);
    x.mul(2).sum().backward();
    x.mul(x).sum().backward();
    grad(x, 4, 6, 8);
  }

  @Test
  void afterZeroGradTheFirstBackwardOverwritesAtTheSameAddress() {
    Tensor x = leaf(1, 2, 3);
    x.mul(2).sum().backward();
    Tensor g = x.grad();
    Storage address = g.storage();
    x.zeroGrad();
    assertFalse(x.hasGrad());
    x.mul(5).sum().backward();
    grad(x, 5, 5, 5);
    assertSame(g, x.grad());
    assertSame(address, x.grad().storage());
    x.mul(5).sum().backward();
    assertSame(address, x.grad().storage());
    grad(x, 10, 10, 10);
  }

  @Test
  void theGradientOfALeafOutlivesTheScopeOfTheBackward() {
    Tensor x = leaf(1, 2);
    try (Scope step = Scope.open()) {
      x.mul(x).sum().backward();
    }
    grad(x, 2, 4);
  }

  @Test
  void aReleasedLeafTakesItsGradientAlong() {
    Tensor x = leaf(1, 2);
    x.sum().backward();
    Tensor g = x.grad();
    x.close();
    assertThrows(IllegalStateException.class, g::toDoubleArray);
  }

  // ---- leaves

  @Test
  void whatIsComputedFromALeafThatRequiresAGradientIsNoLeaf() {
    Tensor x = leaf(1);
    assertTrue(x.isLeaf());
    assertTrue(values(1).isLeaf());
    assertTrue(values(1).mul(2).isLeaf());
    assertFalse(x.mul(2).isLeaf());
    assertTrue(x.mul(2).requiresGrad());
    assertTrue(x.mul(2).detach().isLeaf());
    assertFalse(x.mul(2).detach().requiresGrad());
    assertFalse(x.gt(0).requiresGrad());
    assertFalse(x.argmax(0, false).requiresGrad());
    assertFalse(x.to(DType.I64).requiresGrad());
  }

  @Test
  void onlyALeafCanBeAskedForAGradient() {
    refused(
        "requiresGrad: tensor [1] was computed by 'Mul'; only a leaf can be asked for a gradient;"
            + " use detach() for a value without one",
        () -> leaf(1).mul(2).requiresGrad(false));
    refused(
        "requiresGrad: a tensor of int64 has no gradient; only float32 and float64 have one",
        () -> device.arange(3).requiresGrad(true));
  }

  @Test
  void freezingClearsTheGradient() {
    Tensor x = leaf(1, 2);
    Tensor w = leaf(3, 4);
    x.mul(w).sum().backward();
    x.requiresGrad(false);
    assertFalse(x.hasGrad());
    x.mul(w).sum().backward();
    assertFalse(x.hasGrad());
    grad(w, 2, 4);
  }

  @Test
  void aLeafFrozenOrThawedAfterTheForwardTakesNoGradient() {
    Tensor frozen = leaf(1, 2);
    Tensor thawed = values(3, 4);
    Tensor w = leaf(5, 6);
    Tensor y = frozen.mul(w).mul(thawed).sum();
    frozen.requiresGrad(false);
    thawed.requiresGrad(true);
    y.backward();
    assertFalse(frozen.hasGrad());
    assertFalse(thawed.hasGrad());
    grad(w, 3, 8);
  }

  @Test
  void aScalarLeafIsItsOwnGraph() {
    Tensor x = device.scalar(3).requiresGrad(true);
    x.backward();
    x.backward(device.scalar(4));
    x.backward();
    assertEquals(6, x.grad().item());
  }

  @Test
  void aComputedTensorKeepsItsGradientOnlyWhenAsked() {
    Tensor x = leaf(1, 2);
    Tensor h = x.mul(3);
    Tensor kept = h.mul(h).retainGrad();
    kept.sum().backward();
    grad(kept, 1, 1);
    grad(x, 18, 36);
    assertFalse(h.hasGrad());
    refused(
        "grad: tensor [2] has no gradient; it was computed from others: call retainGrad() before"
            + " backward",
        h::grad);
    refused(
        "grad: tensor [1] has no gradient; call backward on something computed from it",
        leaf(1)::grad);
    refused(
        "retainGrad: tensor [1] requires no gradient; nothing it was computed from does",
        values(1)::retainGrad);
  }

  // ---- recording

  @Test
  void underNoGradNothingIsRecordedAndBlocksNest() {
    Tensor x = leaf(1);
    try (NoGrad off = NoGrad.open()) {
      assertFalse(NoGrad.isRecording());
      NoGrad inner = NoGrad.open();
      inner.close();
      inner.close();
      assertFalse(NoGrad.isRecording());
      assertFalse(x.mul(2).requiresGrad());
      assertTrue(x.requiresGrad());
    }
    assertTrue(NoGrad.isRecording());
    assertTrue(x.mul(2).requiresGrad());
  }

  @Test
  void noGradBelongsToItsThread() throws InterruptedException {
    boolean[] recording = new boolean[1];
    String[] text = new String[1];
    try (NoGrad off = NoGrad.open()) {
      Thread other =
          new Thread(
              () -> {
                recording[0] = NoGrad.isRecording();
                try {
                  off.close();
                } catch (IllegalStateException e) {
                  text[0] = e.getMessage();
                }
              },
              "other");
      other.start();
      other.join();
      assertFalse(NoGrad.isRecording());
    }
    assertTrue(recording[0]);
    assertEquals(
        "NoGrad: closed on thread 'other', which did not open it; close it where it was opened",
        text[0]);
  }

  @Test
  void theGradientStopsAtDetach() {
    Tensor x = leaf(2, 3);
    x.mul(x.detach()).sum().backward();
    grad(x, 2, 3);
  }

  // ---- graphs

  @Test
  void theSameTensorTwiceGetsBothParts() {
    Tensor x = leaf(3, -2);
    x.mul(x).sum().backward();
    x.add(x).sum().backward();
    x.div(x).sum().backward();
    x.sub(x).sum().backward();
    x.maximum(x).sum().backward();
    grad(x, 6 + 2 + 0 + 0 + 1, -4 + 2 + 0 + 0 + 1);
  }

  @Test
  void aDiamondIsWalkedOnce() {
    Tensor x = leaf(2);
    Tensor h = x.mul(3);
    Tensor left = h.exp();
    Tensor right = h.mul(h);
    left.add(right).add(h).sum().backward();
    grad(x, 3 * Math.exp(6) + 2 * 6 * 3 + 3);
  }

  @Test
  void gradientsFlowAlongUnevenPaths() {
    Tensor x = leaf(2);
    Tensor far = x;
    for (int i = 0; i < 5; i++) {
      far = far.mul(2).add(x);
    }
    far.sum().backward();
    grad(x, 63);
  }

  @Test
  void aGraphOfTenThousandOperationsNeedsNoStack() {
    Tensor x = leaf(1);
    Tensor y = x;
    for (int i = 0; i < 10_000; i++) {
      y = y.add(1);
    }
    y.sum().backward();
    grad(x, 1);
  }

  @Test
  void aSeedWeighsTheGradient() {
    Tensor x = leaf(1, 2, 3);
    x.mul(x).backward(values(1, 10, 100));
    grad(x, 2, 40, 600);
  }

  @Test
  void aLossMayBeOneElementOfAnyRank() {
    Tensor x = device.tensor(new double[] {3}, 1, 1).requiresGrad(true);
    x.mul(2).backward();
    grad(x, 2);
  }

  // ---- refusals: nothing is changed

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
    refused(
        "tensor [2] was released with its scope; keep it with scope.keep(t) or copy it out",
        () -> y.backward(dead));
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
    refused(
        "tensor [2] was released with its scope; keep it with scope.keep(t) or copy it out",
        y::backward);
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

  // ---- views and the lazy transpose

  @Test
  void viewsShareMemory() {
    Tensor x = values(1, 2, 3, 4);
    Tensor v = x.reshape(2, 2);
    Tensor d = v.detach();
    assertSame(x.storage(), v.storage());
    assertSame(x.storage(), d.storage());
    v.copyFrom(device.tensor(new double[] {5, 6, 7, 8}, 2, 2));
    assertArrayEquals(new double[] {5, 6, 7, 8}, x.toDoubleArray());
    x.close();
    assertArrayEquals(new double[] {5, 6, 7, 8}, v.toDoubleArray());
    v.close();
    assertArrayEquals(new double[] {5, 6, 7, 8}, d.toDoubleArray());
  }

  @Test
  void aChangeThroughAViewIsSeenByBackward() {
    Tensor x = leaf(1, 2);
    Tensor y = x.mul(x).sum();
    x.detach().copyFrom(values(3, 3));
    assertThrows(IllegalStateException.class, y::backward);
  }

  @Test
  void matmulTakesATransposeWithoutACopy() {
    Tensor a = device.tensor(new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
    Tensor t = a.transpose(0, 1);
    long before = device.bytesInUse();
    double[] product = a.matmul(t).toDoubleArray();
    assertArrayEquals(new double[] {14, 32, 32, 77}, product);
    assertEquals(before + 4 * 8, device.bytesInUse(), "the product alone");
    assertArrayEquals(
        new double[] {17, 22, 27, 22, 29, 36, 27, 36, 45}, t.matmul(a).toDoubleArray());
  }

  @Test
  void everyOtherOperationSeesATransposeRowByRow() {
    Tensor a = device.tensor(new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
    double[] rows = {1, 4, 2, 5, 3, 6};
    assertArrayEquals(rows, a.transpose(0, 1).toDoubleArray());
    assertArrayEquals(rows, a.transpose(0, 1).reshape(6).toDoubleArray());
    assertArrayEquals(rows, a.transpose(-1, -2).mul(1).toDoubleArray());
    assertArrayEquals(rows, a.transpose(0, 1).copy().toDoubleArray());
    assertArrayEquals(rows, a.transpose(0, 1).detach().toDoubleArray());
    Tensor t = a.transpose(0, 1);
    Tensor double_ = t.transpose(0, 1);
    assertArrayEquals(a.toDoubleArray(), double_.toDoubleArray());
    assertArrayEquals(new double[] {14, 32, 32, 77}, a.matmul(t).toDoubleArray());
  }

  @Test
  void gradientsFlowThroughALazyTranspose() {
    Tensor w = device.tensor(new double[] {1, 2, 3, 4, 5, 6}, 2, 3).requiresGrad(true);
    Tensor x = device.tensor(new double[] {1, 2, 3}, 1, 3).requiresGrad(true);
    Tensor t = w.transpose(0, 1);
    long before = device.bytesInUse();
    Tensor y = x.matmul(t);
    y.backward(device.tensor(new double[] {1, 10}, 1, 2));
    grad(x, 41, 52, 63);
    grad(w, 1, 2, 3, 10, 20, 30);
    long gradients = (6 + 3) * 8;
    assertEquals(before + 2 * 8 + gradients + 2 * 8, device.bytesInUse(), "backward copied w'");
  }

  @Test
  void aTransposeOfAChangedTensorIsRefused() {
    Tensor a = device.tensor(new double[] {1, 2, 3, 4}, 2, 2);
    Tensor t = a.transpose(0, 1);
    a.copyFrom(device.zeros(DType.F64, 2, 2));
    String text =
        "transpose: the tensor that [2, 2] is the transpose of was changed in place; transpose it"
            + " again after the change";
    refused(text, () -> a.matmul(t));
    refused(text, () -> t.mul(2));
    refused(text, t::toDoubleArray);
  }

  @Test
  void aTransposeThatWasReadHasValuesOfItsOwn() {
    Tensor a = device.tensor(new double[] {1, 2, 3, 4}, 2, 2);
    Tensor t = a.transpose(0, 1);
    t.toDoubleArray();
    a.copyFrom(device.zeros(DType.F64, 2, 2));
    assertArrayEquals(new double[] {1, 3, 2, 4}, t.toDoubleArray());
    a.close();
    assertArrayEquals(new double[] {1, 3, 2, 4}, t.toDoubleArray());
  }

  @Test
  void aTransposeOutlivesItsSource() {
    Tensor a = device.tensor(new double[] {1, 2, 3, 4}, 2, 2);
    Tensor t = a.transpose(0, 1);
    a.close();
    device.tensor(new double[4], 2, 2); // would take the memory if it were free
    assertArrayEquals(new double[] {1, 3, 2, 4}, t.toDoubleArray());
  }

  @Test
  void readingATransposeDoesNotCountAsAChange() {
    Tensor w = device.tensor(new double[] {1, 2, 3, 4}, 2, 2).requiresGrad(true);
    try (NoGrad off = NoGrad.open()) {
      w.copyFrom(device.tensor(new double[] {1, 2, 3, 5}, 2, 2));
    }
    Tensor t = w.transpose(0, 1);
    Tensor y = t.matmul(t).sum();
    t.toDoubleArray();
    y.backward();
    grad(w, 1 + 2 + 1 + 3, 3 + 5 + 1 + 3, 1 + 2 + 2 + 5, 3 + 5 + 2 + 5);
  }

  @Test
  void aCopyHasMemoryOfItsOwn() {
    Tensor x = values(1, 2);
    assertNotSame(x.storage(), x.copy().storage());
    assertSame(x, x.to(DType.F64));
    assertSame(x, x.to(device));
  }
}
