package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.lang.ref.WeakReference;
import java.nio.LongBuffer;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The gradient of a leaf whose rows are looked up. */
@SuppressWarnings("try") // scopes are open for their effect
class RowGradientTest {
  private Device device;
  private Tensor table;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    table = device.zeros(5, 2).requiresGrad(true);
  }

  @AfterEach
  void close() {
    device.close();
  }

  /** Gives the rows looked up the gradients (1, 10), (2, 20), …, in the order of the ids. */
  private void back(long padding, long... ids) {
    try (Scope scope = Scope.open()) {
      double[] weights = new double[2 * ids.length];
      for (int j = 0; j < ids.length; j++) {
        weights[2 * j] = j + 1;
        weights[2 * j + 1] = 10 * (j + 1);
      }
      Tensor w = device.tensor(weights, ids.length, 2).to(table.dtype());
      table.embedding("Embedding", device.tensor(ids), padding).mul(w).sum().backward();
    }
  }

  private long[] rowIds() {
    Gradient.Rows rows = table.gradRows();
    assertNotNull(rows);
    long[] ids = new long[(int) rows.ids().numel()];
    device.backend().download(rows.ids(), LongBuffer.wrap(ids));
    return ids;
  }

  @Test
  void rowsAreHeldAndTheDenseGradientIsWrittenOnDemand() {
    back(-1, 3, 1, 3);
    assertTrue(table.hasGrad());
    assertArrayEquals(new long[] {3, 1, -1}, rowIds());
    assertArrayEquals(new float[] {0, 0, 2, 20, 0, 0, 4, 40, 0, 0}, table.grad().toFloatArray());
    assertNotNull(table.gradRows(), "asking changes nothing");
    assertSame(table.grad(), table.grad());
  }

  @Test
  void backwardDoesNotAllocateTheTable() {
    Tensor large = device.zeros(100_000, 4).requiresGrad(true);
    long before = device.bytesInUse();
    try (Scope scope = Scope.open()) {
      large.indexSelect(0, device.tensor(new long[] {7, 99_999})).sum().backward();
    }
    assertEquals(before + 2 * (8 + 4 * 4), device.bytesInUse(), "two ids and two rows");
    assertEquals(8, large.grad().sum().item());
  }

  @Test
  void gradientsOfSeveralLookupsAreAddedWhateverIsPadding() {
    back(-1, 3, 0);
    back(3, 4, 3, 0);
    assertArrayEquals(new long[] {3, 0, 4, -1, -1}, rowIds());
    assertArrayEquals(new float[] {5, 50, 0, 0, 0, 0, 1, 10, 1, 10}, table.grad().toFloatArray());
  }

  @Test
  void theDenseGradientThatWasAskedForIsAddedTo() {
    back(-1, 3, 0);
    Tensor grad = table.grad();
    back(3, 4, 3, 0);
    assertArrayEquals(new float[] {5, 50, 0, 0, 0, 0, 1, 10, 1, 10}, grad.toFloatArray());
    assertSame(grad, table.grad());
    assertArrayEquals(new long[] {3, 0, 4, -1, -1}, rowIds());
    grad.close();
    back(-1, 2);
    assertArrayEquals(new float[] {5, 50, 0, 0, 1, 10, 1, 10, 1, 10}, table.grad().toFloatArray());
  }

  @Test
  void aForgottenGradientLeavesNoRows() {
    back(-1, 3, 1);
    assertEquals(33, table.grad().sum().item());
    table.zeroGrad();
    assertFalse(table.hasGrad());
    assertNull(table.gradRows());
    back(-1, 0);
    assertArrayEquals(new long[] {0, -1}, rowIds());
    assertArrayEquals(new float[] {1, 10, 0, 0, 0, 0, 0, 0, 0, 0}, table.grad().toFloatArray());
  }

  @Test
  void aLookupOfNothingIsAGradientOfZeros() {
    back(0, 0, 0);
    assertArrayEquals(new long[] {-1, -1}, rowIds());
    assertArrayEquals(new float[10], table.grad().toFloatArray());
    table.zeroGrad();
    back(-1);
    assertTrue(table.hasGrad());
    assertArrayEquals(new float[10], table.grad().toFloatArray());
  }

  @Test
  void aTableUsedElsewhereTooHasADenseGradient() {
    float[] expected = {1, 1, 3, 21, 1, 1, 2, 11, 1, 1};
    back(-1, 3, 1);
    table.sum().backward();
    assertNull(table.gradRows());
    assertArrayEquals(expected, table.grad().toFloatArray());
    table.zeroGrad();
    table.sum().backward();
    back(-1, 3, 1);
    assertNull(table.gradRows());
    assertArrayEquals(expected, table.grad().toFloatArray());
    table.zeroGrad();
    back(-1, 3, 1);
    assertNotNull(table.gradRows(), "rows again");
  }

  @Test
  void aTableThatIsTheResultsFactorTooIsDifferentiatedRightly() {
    Tensor tied = device.normal(DType.F64, 0, 1, 5, 3).requiresGrad(true);
    Tensor ids = device.tensor(new long[] {4, 0, 4});
    GradCheck.check(
        "tied",
        in -> in.get(0).embedding("Embedding", ids, -1).matmul(in.get(0).transpose(0, 1)).tanh(),
        tied);
    GradCheck.check(
        "two lookups",
        in -> {
          Tensor first = in.get(0).embedding("Embedding", ids, -1);
          return first.mul(in.get(0).indexSelect(0, device.tensor(new long[] {1, 1, 4}))).exp();
        },
        tied);
  }

  @Test
  void aDenseGradientThatWasChangedIsTheGradient() {
    back(-1, 3);
    Tensor grad = table.grad();
    grad.copyFrom(grad.mul(0.5));
    assertNull(table.gradRows());
    assertArrayEquals(new float[] {0, 0, 0, 0, 0, 0, .5f, 5, 0, 0}, table.grad().toFloatArray());
    back(-1, 4);
    assertNull(table.gradRows());
    assertArrayEquals(new float[] {0, 0, 0, 0, 0, 0, .5f, 5, 1, 10}, table.grad().toFloatArray());
  }

  @Test
  void aDenseGradientThatWasChangedAndClosedIsGoneWhetherAskedForOrNot() {
    for (boolean ask : new boolean[] {false, true}) {
      table.zeroGrad();
      back(-1, 3, 1);
      Tensor grad = table.grad();
      try (NoGrad none = NoGrad.open()) {
        grad.copyFrom(device.ones(5, 2));
      }
      assertTrue(!ask || table.hasGrad());
      grad.close();
      assertFalse(table.hasGrad(), "asked before: " + ask);
    }
  }

  @Test
  void whatIsWrittenOverAClosedGradientIsNoMatter() {
    back(-1, 3, 1);
    Tensor grad = table.grad();
    Tensor view = grad.reshape(10);
    grad.close();
    view.copyFrom(device.ones(10));
    assertTrue(table.hasGrad());
    assertEquals(33, table.grad().sum().item());
  }

  @Test
  void aClosedGradientKeepsNoMemory() throws InterruptedException {
    back(-1, 3, 1);
    WeakReference<Storage> memory = new WeakReference<>(table.grad().storage());
    table.grad().close();
    device.trim();
    for (int i = 0; i < 100 && memory.get() != null; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertNull(memory.get());
  }

  @Test
  void whereRowsAreUnwantedTheGradientIsDenseAtOnce() {
    back(-1, 3);
    table.gradRowsWanted(false);
    back(-1, 3);
    assertNotNull(table.gradRows(), "what is there stays as it is");
    table.zeroGrad();
    back(3, 3, 1);
    assertNull(table.gradRows());
    assertArrayEquals(new float[] {0, 0, 2, 20, 0, 0, 0, 0, 0, 0}, table.grad().toFloatArray());
    table.gradRowsWanted(true);
    table.zeroGrad();
    back(-1, 3);
    assertArrayEquals(new long[] {3, -1}, rowIds());
  }

  @Test
  void rowsKeepTheirMemoryWhileThereIsRoom() {
    back(-1, 3, 1, 2);
    Gradient.Rows rows = table.gradRows();
    for (long[] ids : List.of(new long[] {4}, new long[] {0, 0}, new long[] {1, 2, 3})) {
      table.zeroGrad();
      back(-1, ids);
      assertSame(rows, table.gradRows());
    }
    back(-1, 0);
    assertArrayEquals(new long[] {1, 2, 3, 0}, rowIds());
    assertEquals(77, table.grad().sum().item());
  }

  @Test
  void moreLookupsThanRowsTakeNoMoreMemoryThanTheTable() {
    back(-1, 0, 1, 2, 3, 4, 0, 1, 2);
    back(-1, 4, 4, 0);
    assertArrayEquals(new long[] {0, 1, 2, 3, 4}, rowIds());
    assertEquals(11 * 36 + 11 * 6, table.grad().sum().item());
  }

  @Test
  void memoryIsGivenBack() {
    long before = device.bytesInUse();
    back(-1, 3, 1);
    assertEquals(before + 2 * (8 + 2 * 4), device.bytesInUse());
    back(-1, 0);
    assertEquals(before + 3 * (8 + 2 * 4), device.bytesInUse());
    table.requiresGrad(false);
    assertFalse(table.hasGrad());
    assertEquals(before, device.bytesInUse());
    table.requiresGrad(true);
    back(-1, 3, 1);
    table.close();
    assertEquals(before - 40, device.bytesInUse());
  }

  @Test
  void rowsOfVectorsAndOfStacksAreRowsTooButNoOtherSlices() {
    Tensor vector = device.zeros(4).requiresGrad(true);
    vector.indexSelect(0, device.tensor(new long[] {2, 2})).sum().backward();
    assertNotNull(vector.gradRows());
    assertArrayEquals(new float[] {0, 0, 2, 0}, vector.grad().toFloatArray());
    Tensor stack = device.zeros(2, 2, 2).requiresGrad(true);
    stack.indexSelect(0, device.tensor(new long[] {1})).sum().backward();
    assertNotNull(stack.gradRows());
    assertArrayEquals(new float[] {0, 0, 0, 0, 1, 1, 1, 1}, stack.grad().toFloatArray());
    stack.zeroGrad();
    stack.indexSelect(1, device.tensor(new long[] {1})).sum().backward();
    assertNull(stack.gradRows());
    assertArrayEquals(new float[] {0, 0, 1, 1, 0, 0, 1, 1}, stack.grad().toFloatArray());
  }

  @Test
  void theGradientOfWhatWasComputedIsDense() {
    Tensor computed = table.mul(2).retainGrad();
    computed.embedding("Embedding", device.tensor(new long[] {1}), -1).sum().backward();
    assertNull(computed.gradRows());
    assertNull(table.gradRows());
    assertArrayEquals(new float[] {0, 0, 1, 1, 0, 0, 0, 0, 0, 0}, computed.grad().toFloatArray());
    assertArrayEquals(new float[] {0, 0, 2, 2, 0, 0, 0, 0, 0, 0}, table.grad().toFloatArray());
  }
}
