package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.testing.ReferenceBackend;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@SuppressWarnings("try") // scopes are open for their effect
class ScopeTest {
  private Device device;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
  }

  @AfterEach
  void close() {
    device.close();
  }

  private static void refused(String text, Runnable r) {
    Exception e = assertThrows(RuntimeException.class, r::run);
    assertEquals(text, e.getMessage());
  }

  @Test
  void whatIsBornInAScopeDiesWithIt() {
    Tensor outside = device.ones(2);
    Tensor x;
    Tensor y;
    try (Scope scope = Scope.open()) {
      x = device.ones(2);
      y = x.add(outside);
      assertEquals(2, scope.size());
    }
    String text =
        "tensor [2] was released with its scope; keep it with scope.keep(t) or copy it out";
    refused(text, x::toFloatArray);
    refused(text, () -> y.mul(2));
    refused(text, () -> outside.mul(y));
    refused(text, () -> y.mul(outside));
    refused(text, () -> y.reshape(1, 2));
    refused(text, () -> outside.copyFrom(y));
    refused(text, () -> y.to(dev.gradus.types.DType.F64));
    assertArrayEquals(new float[] {1, 1}, outside.toFloatArray());
  }

  @Test
  void aRefusedUseOfADeadTensorKeepsNoMemory() {
    Tensor column = device.ones(3, 1);
    Tensor mask = device.tensor(new boolean[] {true, false, true}, 3, 1);
    Tensor dead = device.ones(2, 3, 4);
    dead.close();
    long before = device.bytesInUse();
    assertThrows(IllegalStateException.class, () -> column.mul(dead));
    assertThrows(IllegalStateException.class, () -> Tensor.where(mask, column, dead));
    assertThrows(IllegalStateException.class, () -> column.lt(dead));
    assertEquals(before, device.bytesInUse());
  }

  @Test
  void keptTensorsGoToTheEnclosingScopeThenToTheirReferences() {
    Tensor x;
    try (Scope outer = Scope.open()) {
      try (Scope inner = Scope.open()) {
        x = device.ones(2).mul(3);
        assertSame(x, inner.keep(x));
        refused(
            "Scope.keep: tensor [2] was not born in this scope; keep it in the scope that was"
                + " innermost when it was made",
            () -> inner.keep(x));
      }
      assertEquals(1, outer.size());
      assertArrayEquals(new float[] {3, 3}, x.toFloatArray());
      outer.keep(x);
    }
    assertArrayEquals(new float[] {3, 3}, x.toFloatArray());
    assertEquals(8, device.bytesInUse());
    x.close();
    assertEquals(0, device.bytesInUse());
  }

  @Test
  void aKeptTensorIsDetachedAndALeafStaysAsItIs() {
    try (Scope scope = Scope.open()) {
      Tensor leaf = device.ones(2).requiresGrad(true);
      Tensor computed = leaf.mul(2);
      scope.keep(leaf);
      scope.keep(computed);
      assertTrue(leaf.requiresGrad());
      assertFalse(computed.requiresGrad());
      assertTrue(computed.isLeaf());
    }
  }

  @Test
  void onlyTheTensorsOfTheScopeCanBeKept() {
    Tensor outside = device.ones(2);
    try (Scope scope = Scope.open()) {
      String text =
          "Scope.keep: tensor [2] was not born in this scope; keep it in the scope that was"
              + " innermost when it was made";
      refused(text, () -> scope.keep(outside));
      Tensor mine = device.ones(2);
      try (Scope inner = Scope.open()) {
        refused(text, () -> inner.keep(mine));
      }
      Tensor dead = device.ones(2);
      dead.close();
      refused("tensor [2] was released by close(); copy it out before", () -> scope.keep(dead));
    }
  }

  @Test
  void aKeptViewOutlivesItsBase() {
    Tensor view;
    Tensor transposed;
    try (Scope scope = Scope.open()) {
      Tensor x = device.tensor(new float[] {1, 2, 3, 4}, 2, 2);
      view = scope.keep(x.reshape(4));
      transposed = scope.keep(x.transpose(0, 1));
    }
    try (Scope scope = Scope.open()) {
      device.zeros(2, 2); // would overwrite the memory if it were free
      assertArrayEquals(new float[] {1, 2, 3, 4}, view.toFloatArray());
      assertArrayEquals(new float[] {1, 3, 2, 4}, transposed.toFloatArray());
    }
    view.close();
    transposed.close();
    assertEquals(0, device.bytesInUse());
  }

  @Test
  void aViewOfWhatLivesOnDiesAlone() {
    Tensor x = device.ones(4);
    try (Scope scope = Scope.open()) {
      x.reshape(2, 2).detach();
    }
    assertArrayEquals(new float[] {1, 1, 1, 1}, x.toFloatArray());
  }

  @Test
  void scopesSpanDevices() {
    try (Device other = Device.over(new ReferenceBackend("other"))) {
      try (Scope scope = Scope.open()) {
        device.ones(3);
        other.ones(5);
      }
      assertEquals(0, device.bytesInUse());
      assertEquals(0, other.bytesInUse());
    }
  }

  @Test
  void aTensorClosedEarlyIsNotClosedAgain() {
    try (Scope scope = Scope.open()) {
      Tensor x = device.ones(4);
      x.close();
      assertEquals(0, scope.size());
      Tensor y = device.ones(4);
      assertEquals(16, device.bytesInUse());
      assertEquals(4, y.numel());
    }
    assertEquals(0, device.bytesInUse());
    assertEquals(16, device.bytesPooled());
  }

  @Test
  @SuppressWarnings("try") // the scope is open for its effect
  void aScopeLetsGoOfWhatIsClosedInItWhereverItStands() {
    try (Scope scope = Scope.open()) {
      Tensor[] t = new Tensor[7];
      for (int i = 0; i < t.length; i++) {
        t[i] = device.ones(3);
      }
      int left = t.length;
      for (int i : new int[] {3, 0, 6, 5, 1}) {
        t[i].close();
        assertNull(t[i].older);
        assertNull(t[i].newer);
        assertEquals(--left, scope.size());
      }
      assertSame(t[2], t[4].older);
      assertSame(t[4], t[2].newer);
    }
    assertEquals(0, device.bytesInUse());
  }

  @Test
  @SuppressWarnings("try") // the scope is open for its effect
  void whatAnotherThreadClosesIsNotClosedAgain() throws InterruptedException {
    try (Scope scope = Scope.open()) {
      Tensor a = device.ones(3);
      Tensor b = device.ones(3);
      Thread other = new Thread(a::close);
      other.start();
      other.join();
      assertEquals(1, scope.size());
      b.close();
      assertEquals(0, scope.size());
    }
    assertEquals(0, device.bytesInUse());
  }

  @Test
  void whatTwoThreadsReleaseAtOnceIsGivenBackOnce() throws InterruptedException {
    for (int i = 0; i < 3000; i++) {
      Scope scope = Scope.open();
      Tensor a = device.ones(3);
      Thread other = new Thread(a::close);
      other.start();
      scope.close();
      other.join();
      assertEquals(0, device.bytesInUse(), "at attempt " + i);
    }
  }

  @Test
  void scopesCloseFromTheInsideOut() {
    Scope outer = Scope.open();
    Scope inner = Scope.open();
    Tensor x = device.ones(2);
    refused(
        "Scope.close: a scope that was opened inside this one is still open; close the inner one"
            + " first",
        outer::close);
    assertArrayEquals(new float[] {1, 1}, x.toFloatArray());
    inner.close();
    inner.close();
    outer.close();
    outer.close();
    refused("Scope.keep: this scope is already closed", () -> outer.keep(x));
  }

  @Test
  void aScopeBelongsToItsThread() throws InterruptedException {
    AtomicReference<String> closed = new AtomicReference<>();
    AtomicReference<String> kept = new AtomicReference<>();
    AtomicReference<Tensor> born = new AtomicReference<>();
    try (Scope scope = Scope.open()) {
      Tensor x = device.ones(2);
      Thread other =
          new Thread(
              () -> {
                born.set(device.ones(3));
                closed.set(assertThrows(IllegalStateException.class, scope::close).getMessage());
                kept.set(
                    assertThrows(IllegalStateException.class, () -> scope.keep(x)).getMessage());
              },
              "other");
      other.start();
      other.join();
      assertEquals(1, scope.size());
    }
    String rule =
        ": called on thread 'other', which did not open this scope; a scope belongs to one thread";
    assertEquals("Scope.close" + rule, closed.get());
    assertEquals("Scope.keep" + rule, kept.get());
    assertArrayEquals(new float[] {1, 1, 1}, born.get().toFloatArray());
  }
}
