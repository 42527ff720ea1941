package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tensors over the memory of others, the lazy transpose among them, and copies. */
@SuppressWarnings("try") // blocks are open for their effect
class ViewTest {
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
