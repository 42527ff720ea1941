package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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

  @Test
  void aGradientThatWasClosedIsMadeAnew() {
    Tensor x = leaf(1, 2);
    x.mul(2).sum().backward();
    x.grad().close();
    assertFalse(x.hasGrad());
    refused(
        "grad: tensor [2] has no gradient; call backward on something computed from it", x::grad);
    x.mul(5).sum().backward();
    grad(x, 5, 5);
    x.grad().close();
    x.zeroGrad();
    x.mul(3).sum().backward();
    x.mul(3).sum().backward();
    grad(x, 6, 6);
  }

  @Test
  void whatAFunctionKeptForBackwardIsFreedByIt() {
    Tensor x = device.ones(DType.F64, 5, 4).requiresGrad(true);
    Tensor y = x.normalize(1, 1e-5).sum();
    x.sum().backward();
    long before = device.bytesInUse();
    y.backward();
    assertEquals(before - 5 * 8, device.bytesInUse(), "a deviation for each row");
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
}
