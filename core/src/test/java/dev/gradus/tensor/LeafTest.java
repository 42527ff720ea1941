package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What {@link Tensor} offers to a subclass that is trained: a life of its own, and exchange. */
@SuppressWarnings("try") // scopes are open for their effect
class LeafTest {
  private static final class Leaf extends Tensor {
    Leaf(Tensor values) {
      super(values);
      requiresGrad(true);
    }

    void exchange(Tensor values) {
      become(values);
    }
  }

  private Device device;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
  }

  @AfterEach
  void close() {
    device.close();
  }

  @Test
  void itIsACopyThatNoScopeEnds() {
    Leaf leaf;
    Tensor values;
    try (Scope scope = Scope.open()) {
      values = device.ones(2);
      leaf = new Leaf(values);
      assertNotSame(values.storage(), leaf.storage());
      assertEquals(1, scope.size());
    }
    assertArrayEquals(new float[] {1, 1}, leaf.toFloatArray());
    assertEquals(8, device.bytesInUse());
  }

  @Test
  void itBecomesAnotherTypeAndDeviceAndForgetsItsGradient() {
    try (Device other = Device.over(new ReferenceBackend("other"));
        Scope scope = Scope.open()) {
      Leaf leaf = new Leaf(device.ones(2));
      leaf.sum().backward();
      leaf.exchange(other.tensor(new double[] {3, 4, 5}));
      assertFalse(leaf.hasGrad());
      assertTrue(leaf.requiresGrad());
      assertSame(other, leaf.device());
      assertEquals(DType.F64, leaf.dtype());
      leaf.mul(leaf).sum().backward();
      assertArrayEquals(new double[] {6, 8, 10}, leaf.grad().toDoubleArray());
    }
  }

  @Test
  void aGraphOverTheFormerValuesIsRefused() {
    Leaf leaf = new Leaf(device.ones(2));
    Tensor y = leaf.mul(leaf).sum();
    leaf.exchange(device.zeros(2));
    assertEquals(
        "backward: 'Mul' needs a tensor [2] that was changed in place after it was used; change it"
            + " after backward, or use a copy()",
        assertThrows(IllegalStateException.class, y::backward).getMessage());
  }

  /** The values of a sum's operands are not needed; where they are and of what type is. */
  @Test
  void aGraphOverALeafThatWasMovedIsRefusedBeforeAnythingIsWritten() {
    try (Device other = Device.over(new ReferenceBackend("other"));
        Scope scope = Scope.open()) {
      String way = " now; move or convert a module before the forward pass, or run it again";
      List<Tensor> values =
          List.of(device.zeros(DType.F64, 2), other.zeros(2), device.zeros(3), device.zeros(2, 1));
      for (Tensor v : values) {
        Leaf leaf = new Leaf(device.ones(2));
        Tensor w = device.ones(2).requiresGrad(true);
        Tensor y = leaf.add(1).add(w).sum();
        leaf.exchange(v);
        assertEquals(
            "backward: 'Add' was computed from a tensor [2] of float32 on reference that is "
                + v.shape()
                + " of "
                + v.dtype().label()
                + " on "
                + v.device().name()
                + way,
            assertThrows(IllegalStateException.class, y::backward).getMessage());
        assertFalse(leaf.hasGrad());
        assertFalse(w.hasGrad());
      }
    }
  }

  @Test
  void aWeightMovedWhileOnlyItsInputsValuesAreNeededIsRefused() {
    Leaf weight = new Leaf(device.ones(4, 3));
    Tensor y = device.ones(2, 3).linear(weight).sum();
    weight.exchange(weight.detach().to(DType.F64));
    assertTrue(
        assertThrows(IllegalStateException.class, y::backward)
            .getMessage()
            .startsWith(
                "backward: 'Mm' was computed from a tensor [4, 3] of float32 on reference"));
    assertFalse(weight.hasGrad());
  }

  @Test
  void aMovedLeafThatTakesNoGradientAnyMoreIsNoMatter() {
    Leaf leaf = new Leaf(device.ones(2));
    Tensor w = device.ones(2).requiresGrad(true);
    Tensor y = leaf.add(w).sum();
    leaf.requiresGrad(false);
    leaf.exchange(device.zeros(DType.F64, 2));
    y.backward();
    assertArrayEquals(new float[] {1, 1}, w.grad().toFloatArray());
    assertFalse(leaf.hasGrad());
  }

  @Test
  void otherValuesOfTheSameKindAreNoMatterWhereNoneAreNeeded() {
    Leaf leaf = new Leaf(device.ones(2));
    Tensor y = leaf.add(1).sum();
    leaf.exchange(device.zeros(2));
    y.backward();
    assertArrayEquals(new float[] {1, 1}, leaf.grad().toFloatArray());
  }

  @Test
  void theFormerMemoryIsGivenBack() {
    try (Scope scope = Scope.open()) {
      Leaf leaf = new Leaf(device.ones(100));
      Tensor values = device.ones(7);
      long before = device.bytesInUse();
      leaf.exchange(values);
      assertEquals(before - 400, device.bytesInUse());
    }
    assertEquals(28, device.bytesInUse(), "what the leaf holds now");
  }

  @Test
  void viewsOfTheFormerValuesKeepThem() {
    Leaf leaf = new Leaf(device.ones(2));
    Tensor view = leaf.detach();
    leaf.exchange(device.zeros(2));
    assertArrayEquals(new float[] {1, 1}, view.toFloatArray());
    assertArrayEquals(new float[] {0, 0}, leaf.toFloatArray());
  }

  @Test
  void whoeverWritesIntoTheStorageTellsSo() {
    Leaf leaf = new Leaf(device.ones(2));
    Tensor y = leaf.mul(leaf).sum();
    device.backend().fill(leaf.storage(), 5);
    leaf.changed();
    assertThrows(IllegalStateException.class, y::backward);
  }
}
