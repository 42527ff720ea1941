package dev.gradus.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.Axis;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.Probe;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Literal answers, worked out by hand; {@link ReferenceUnaryTest} has those of one operand. */
final class ReferenceBackendTest {
  private static final double NAN = Double.NaN;

  private final ReferenceBackend b = new ReferenceBackend("ref");

  @AfterEach
  void close() {
    b.close();
  }

  @Test
  void binaryOpsHaveTheirAnswers() {
    assertBinary(BinaryOp.ADD, 0, 4, 2.5, 0);
    assertBinary(BinaryOp.SUB, 0, 2, -1.5, 0);
    assertBinary(BinaryOp.MUL, 0, 3, 1, 0);
    assertBinary(BinaryOp.DIV, 0, 3, 0.25, NAN);
    assertBinary(BinaryOp.POW, 0, 3, 0.25, 1);
    assertBinary(BinaryOp.MAXIMUM, 0, 3, 2, 0);
    assertBinary(BinaryOp.MINIMUM, 0, 1, 0.5, 0);
    assertBinary(BinaryOp.ADD_SCALED, 3, 6, 6.5, 0);
    assertBinary(BinaryOp.LERP, 0.25, 2.5, 0.875, 0);
    assertBinary(BinaryOp.LERP, 0.75, 1.5, 1.625, 0);
    assertBinary(BinaryOp.BCE, 0, NAN, 2 * Math.log(2) - Math.log(2), 0);
  }

  /** On x = 3, 0.5, 0 and y = 1, 2, 0. */
  private void assertBinary(BinaryOp op, double a, double... want) {
    for (DType dtype : Values.FLOATING) {
      Storage x = Host.store(b, dtype, new double[] {3, 0.5, 0});
      Storage y = Host.store(b, dtype, new double[] {1, 2, 0});
      b.binary(op, x, Spread.FULL, y, Spread.FULL, x, a);
      TensorAssert.assertClose(want, read(x), 0, Tolerance.eps(dtype));
    }
  }

  @Test
  void crossEntropyIsThatOfPyTorch() {
    Storage p = f64(0.2, 0.9, 0, 1);
    Storage t = f64(1, 0.3, 1, 1);
    Storage out = b.allocate(DType.F64, 4);
    b.binary(BinaryOp.BCE, p, Spread.FULL, t, Spread.FULL, out, 0);
    double[] loss = {1.6094379124341003, 1.6434177197931799, 100, 0};
    TensorAssert.assertClose(loss, read(out), 0, 1e-15);
    b.ternary(TernaryOp.BCE_GRAD, f64(1, 1, 1, 1), p, t, out, 0);
    double[] gradient = {-5, 6.666666666666668, -1e12, 0};
    TensorAssert.assertClose(gradient, read(out), 0, 1e-15);
  }

  @Test
  void fusedMultiplyAddsAreRoundedOnceInTheStoragesType() {
    float a = 1 + 0x1p-12f;
    Storage x = Host.store(b, DType.F32, new double[] {-1 - 0x1p-11});
    Storage y = Host.store(b, DType.F32, new double[] {a});
    Storage out = b.allocate(DType.F32, 1);
    b.binary(BinaryOp.ADD_SCALED, x, Spread.FULL, y, Spread.FULL, out, a);
    assertEquals(0x1p-24, read(out)[0], "a y = 1 + 2^-11 + 2^-24 is not a float");
    b.ternary(TernaryOp.ADDCMUL, x, y, y, out, 1);
    assertEquals(0x1p-24, read(out)[0]);
    b.ternary(TernaryOp.ADDCMUL, x, y, Host.store(b, DType.F32, new double[] {1}), out, a);
    assertEquals(0, read(out)[0], "a y alone is rounded");
  }

  @Test
  void ternaryOpsHaveTheirAnswers() {
    Storage x = f64(1, 2, 3);
    Storage y = f64(4, 5, 6);
    Storage z = f64(2, 5, 8);
    Storage out = b.allocate(DType.F64, 3);
    b.ternary(TernaryOp.ADDCMUL, x, y, z, out, 0.5);
    assertArrayEquals(new double[] {5, 14.5, 27}, read(out));
    b.ternary(TernaryOp.ADDCDIV, x, y, z, out, 2);
    assertArrayEquals(new double[] {5, 4, 4.5}, read(out));
    b.ternary(TernaryOp.MAX_GRAD, x, y, z, out, 0);
    assertArrayEquals(new double[] {1, 1, 0}, read(out));
    Storage c = Host.store(b, DType.BOOL, new double[] {1, 0, 1});
    b.ternary(TernaryOp.WHERE, c, f64(7), z, out, 0);
    assertArrayEquals(new double[] {7, 5, 7}, read(out));
  }

  @Test
  void comparisonsHaveJavasMeaningForNan() {
    double[][] want = {
      {0, 1, 0, 0, 0},
      {1, 0, 1, 1, 1},
      {1, 0, 0, 0, 0},
      {1, 1, 0, 0, 0},
      {0, 0, 1, 0, 0},
      {0, 1, 1, 0, 0}
    };
    Storage x = f64(1, 2, 3, NAN, 1);
    Storage y = f64(2, 2, 2, NAN, NAN);
    Storage out = b.allocate(DType.BOOL, 5);
    for (CompareOp op : CompareOp.values()) {
      b.compare(op, x, Spread.FULL, y, Spread.FULL, out);
      assertArrayEquals(want[op.ordinal()], read(out), op.name());
    }
  }

  @Test
  void spreadsFindTheirElements() {
    Storage full = f64(0, 10, 20, 30, 40, 50);
    double[][] want = {
      {0, 11, 22, 33, 44, 55},
      {1, 11, 21, 31, 41, 51},
      {1, 12, 23, 31, 42, 53},
      {1, 11, 21, 32, 42, 52}
    };
    double[][] operand = {{0, 1, 2, 3, 4, 5}, {1}, {1, 2, 3}, {1, 2}};
    Storage out = b.allocate(DType.F64, 6);
    for (Spread s : Spread.values()) {
      b.binary(BinaryOp.ADD, full, Spread.FULL, f64(operand[s.ordinal()]), s, out, 0);
      assertArrayEquals(want[s.ordinal()], read(out), s.name());
    }
  }

  @Test
  void reductionsHaveTheirAnswers() {
    Storage x = f64(1, 2, 3, 4, 5, 6, 7, NAN, 9, 10, 11, 12);
    Axis axis = new Axis(2, 3, 2);
    double[][] want = {{9, 12, 27, NAN}, {5, 6, 11, NAN}, {1, 2, 7, NAN}};
    for (ReduceOp op : ReduceOp.values()) {
      Storage out = b.allocate(DType.F64, 4);
      b.reduce(op, x, axis, out, false);
      assertArrayEquals(want[op.ordinal()], read(out), op.name());
      b.reduce(op, x, axis, out, true);
      assertEquals(2 * want[op.ordinal()][0], read(out)[0], op + " accumulating");
    }
    Storage ids = b.allocate(DType.I64, 4);
    b.argReduce(true, f64(1, 5, 5, 2, NAN, 9, NAN, 0, -1, -1, -3, -3), new Axis(4, 3, 1), ids);
    assertArrayEquals(new double[] {1, 1, 0, 0}, read(ids));
    b.argReduce(false, f64(1, 5, 5, 2, NAN, 9, NAN, 0, -1, -1, -3, -3), new Axis(4, 3, 1), ids);
    assertArrayEquals(new double[] {0, 1, 0, 1}, read(ids));
  }

  @Test
  void gatherAndScatterAreEachOthersTranspose() {
    Storage table = f64(1, 2, 3, 4, 5, 6);
    Storage ids = Host.store(b, new long[] {2, 0, 2});
    Storage out = b.allocate(DType.F64, 6);
    b.gather(table, new Axis(1, 3, 2), ids, out);
    assertArrayEquals(new double[] {5, 6, 1, 2, 5, 6}, read(out));
    Storage sums = b.allocate(DType.F64, 6);
    b.scatterAdd(out, new Axis(1, 3, 2), ids, -1, sums, false);
    assertArrayEquals(new double[] {1, 2, 0, 0, 10, 12}, read(sums));
    b.scatterAdd(out, new Axis(1, 3, 2), ids, 2, sums, true);
    assertArrayEquals(new double[] {2, 4, 0, 0, 10, 12}, read(sums));
    b.gather(table, new Axis(2, 3, 1), ids, out);
    assertArrayEquals(new double[] {3, 1, 3, 6, 4, 6}, read(out));
  }

  @Test
  void productsHaveTheirAnswers() {
    Storage a = f64(1, 2, 3, 4, 5, 6);
    Storage c = f64(1, 1, 1, 1);
    b.gemm(Gemm.of(false, false, 2, 2, 3), a, f64(1, 0, 0, 1, 1, 1), c);
    assertArrayEquals(new double[] {4, 5, 10, 11}, read(c));
    b.gemm(Gemm.of(false, true, 2, 2, 3).accumulating(true), a, f64(1, 0, 1, 0, 1, 1), c);
    assertArrayEquals(new double[] {8, 10, 20, 22}, read(c));
    b.gemm(Gemm.of(true, false, 2, 2, 3), a, f64(1, 0, 0, 1, 1, 1), c);
    assertArrayEquals(new double[] {6, 8, 8, 10}, read(c));
    Gemm batch = new Gemm(false, false, 1, 1, 2, 3, 2, 0, false);
    Storage three = b.allocate(DType.F64, 3);
    b.gemm(batch, a, f64(10, 1), three);
    assertArrayEquals(new double[] {12, 34, 56}, read(three));
  }

  @Test
  void castsAndCopiesHaveTheirAnswers() {
    Storage x = f64(-1.9, 0, 2.5, 0.1);
    Storage longs = b.allocate(DType.I64, 4);
    Storage bits = b.allocate(DType.BOOL, 4);
    Storage floats = b.allocate(DType.F32, 4);
    b.cast(x, longs);
    b.cast(x, bits);
    b.cast(x, floats);
    assertArrayEquals(new double[] {-1, 0, 2, 0}, read(longs));
    assertArrayEquals(new double[] {1, 0, 1, 1}, read(bits));
    assertArrayEquals(new double[] {-1.9f, 0, 2.5f, 0.1f}, read(floats));
    Storage t = f64(0, 0, 0, 0);
    long[] two = {2, 2};
    b.copyStrided(two, x, 0, new long[] {1, 2}, t, 0, new long[] {2, 1});
    assertArrayEquals(new double[] {-1.9, 2.5, 0, 0.1}, read(t));
  }

  @Test
  void dropoutZeroesAndScales() {
    double[] ones = new double[1000];
    Arrays.fill(ones, 1);
    Storage x = f64(ones);
    b.dropout(x, x, 0.5, 1, 2);
    double sum = 0;
    for (double v : read(x)) {
      assertTrue(v == 0 || v == 2, "value " + v);
      sum += v;
    }
    assertEquals(1000, sum, 160); // 5 deviations of 2 sqrt(1000 / 4)
    b.dropout(x, x, 1, 1, 2);
    assertArrayEquals(new double[1000], read(x));
  }

  @Test
  void newStoragesAreFullOfPoison() {
    assertTrue(Double.isNaN(read(b.allocate(DType.F32, 1))[0]));
    assertTrue(Double.isNaN(read(b.allocate(DType.F64, 1))[0]));
    assertEquals(Long.MIN_VALUE, Host.readLongs(b, b.allocate(DType.I64, 1))[0]);
    assertEquals(1, read(b.allocate(DType.BOOL, 1))[0]);
  }

  @Test
  void liveCountsWhatIsNotFreed() {
    Storage s = b.allocate(DType.F32, 3);
    b.allocate(DType.F32, 3);
    assertEquals(2, b.live());
    b.free(s);
    assertEquals(1, b.live());
  }

  @Test
  void freedForeignAndClosedStoragesAreRefused() {
    Storage s = b.allocate(DType.F32, 1);
    b.free(s);
    assertEquals(
        "reference: storage used after free",
        assertThrows(IllegalStateException.class, () -> b.fill(s, 0)).getMessage());
    assertThrows(IllegalStateException.class, () -> b.free(s));
    ReferenceBackend other = new ReferenceBackend("ref2");
    Storage foreign = other.allocate(DType.F32, 1);
    refused("reference: storage of device 'ref2'", () -> b.fill(foreign, 0));
    other.close();
    assertThrows(IllegalStateException.class, () -> other.fill(foreign, 0));
    assertEquals(
        "reference: device 'ref2' is closed",
        assertThrows(IllegalStateException.class, () -> other.allocate(DType.F32, 1)).getMessage());
  }

  @Test
  void wrongSizesTypesAndAliasesAreRefused() {
    Storage x = f64(1, 2, 3);
    Storage two = f64(1, 2);
    Storage f = Host.store(b, DType.F32, new double[] {1, 2, 3});
    refused("reference EXP: x has 3 elements, not 2", () -> b.unary(UnaryOp.EXP, x, two, 0, 0));
    refused(
        "reference EXP: types float64 and float32 differ", () -> b.unary(UnaryOp.EXP, x, f, 0, 0));
    refused(
        "reference ADD: 2 elements do not spread as ROW over 3",
        () -> b.binary(BinaryOp.ADD, x, Spread.FULL, two, Spread.ROW, x, 0));
    refused(
        "reference SUM: out is x", () -> b.reduce(ReduceOp.SUM, x, new Axis(3, 1, 1), x, false));
    refused(
        "reference MAX: over nothing",
        () -> b.reduce(ReduceOp.MAX, f64(), new Axis(3, 0, 1), x, false));
    Storage ids = Host.store(b, new long[] {3});
    refused(
        "reference gather: id 3 of 3",
        () -> b.gather(x, new Axis(1, 3, 1), ids, b.allocate(DType.F64, 1)));
    refused(
        "reference copyStrided: writes element 0 twice",
        () -> b.copyStrided(new long[] {2}, x, 0, new long[] {1}, two, 0, new long[] {0}));
    refused(
        "reference copyStrided: reads element 3",
        () -> b.copyStrided(new long[] {2}, x, 2, new long[] {1}, two, 0, new long[] {1}));
    refused(
        "reference gemm: a has 3 elements, not 4",
        () -> b.gemm(Gemm.of(false, false, 2, 1, 2), x, two, b.allocate(DType.F64, 2)));
    refused("reference upload: 3 elements into 2", () -> b.upload(DoubleBuffer.allocate(3), two));
    assertThrows(IllegalArgumentException.class, () -> b.upload(FloatBuffer.allocate(2), two));
  }

  private static void refused(String message, Executable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
  }

  @Test
  void theProviderIsUsableAndLast() {
    ReferenceBackendProvider provider = new ReferenceBackendProvider();
    assertEquals("reference", provider.name());
    assertEquals(-1000, provider.priority());
    assertEquals(Probe.Status.USABLE, provider.probe().status());
    assertEquals("ref", provider.open(0).deviceName());
    assertEquals(
        "backend 'reference' has one device, 0, but was asked for 1",
        assertThrows(BackendException.class, () -> provider.open(1)).getMessage());
  }

  private Storage f64(double... values) {
    return Host.store(b, DType.F64, values);
  }

  private double[] read(Storage s) {
    return Host.read(b, s);
  }
}
