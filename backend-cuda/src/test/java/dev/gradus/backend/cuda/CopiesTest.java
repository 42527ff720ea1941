package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.backend.cuda.emulator.Emulator;
import dev.gradus.backend.cuda.emulator.EmulatorControl;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Copies that turn matrices, and those of many dimensions. */
class CopiesTest extends WithDevice {
  /** Bytes stand for the elements of every type. */
  private static byte[] bytes(int n, DType dtype) {
    byte[] values = new byte[n * dtype.bytes()];
    new Random(n).nextBytes(values);
    return values;
  }

  private Storage store(DType dtype, byte[] values) {
    ByteBuffer all = ByteBuffer.wrap(values).order(ByteOrder.nativeOrder());
    Storage s = b.allocate(dtype, values.length / dtype.bytes());
    b.upload(
        switch (dtype) {
          case F32 -> all.asFloatBuffer();
          case F64 -> all.asDoubleBuffer();
          case I64 -> all.asLongBuffer();
          case BOOL -> all;
        },
        s);
    return s;
  }

  private byte[] bytes(Storage s) {
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(s.numel() * s.dtype().bytes()));
    all.order(ByteOrder.nativeOrder());
    b.download(
        s,
        switch (s.dtype()) {
          case F32 -> all.asFloatBuffer();
          case F64 -> all.asDoubleBuffer();
          case I64 -> all.asLongBuffer();
          case BOOL -> all;
        });
    return all.array();
  }

  /** A copy, by a loop over the places of the block. */
  private static byte[] copied(
      int bytes,
      long[] shape,
      byte[] src,
      int from,
      long[] strides,
      byte[] dst,
      int to,
      long[] by) {
    byte[] out = dst.clone();
    long numel = LongStream.of(shape).reduce(1, (a, c) -> a * c);
    for (long e = 0; e < numel; e++) {
      long rest = e;
      long source = from;
      long result = to;
      for (int d = shape.length - 1; d >= 0; d--) {
        source += rest % shape[d] * strides[d];
        result += rest % shape[d] * by[d];
        rest /= shape[d];
      }
      System.arraycopy(src, (int) source * bytes, out, (int) result * bytes, bytes);
    }
    return out;
  }

  private void copiesAsALoop(
      String kernel, DType dtype, long[] shape, int from, long[] strides, int to, long[] by) {
    int room = 50_000;
    byte[] src = bytes(room, dtype);
    byte[] dst = bytes(room + 1, dtype);
    byte[] expected = copied(dtype.bytes(), shape, src, from, strides, dst, to, by);
    Storage source = store(dtype, src);
    Storage result = store(dtype, dst);
    if (!Emulator.isLeftOut()) {
      EmulatorControl.clearCounters();
    }
    b.copyStrided(shape, source, from, strides, result, to, by);
    assertArrayEquals(expected, bytes(result));
    if (!Emulator.isLeftOut()) {
      String name = kernel + "_b" + 8 * dtype.bytes();
      assertEquals(List.of(name), EmulatorControl.kernels(), () -> Arrays.toString(shape));
    }
    b.free(source);
    b.free(result);
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void whatIsTurnedHasTheElementsOfALoop(DType dtype) {
    for (int[] size : new int[][] {{8, 8}, {9, 33}, {32, 64}, {65, 31}, {257, 129}, {8, 4097}}) {
      int rows = size[0];
      int columns = size[1];
      long[] from = {columns, 1};
      long[] to = {1, rows};
      copiesAsALoop("turn", dtype, new long[] {rows, columns}, 0, from, 0, to);
      // The same in the other order of the dimensions, from and to places inside, and with gaps.
      long[] gaps = {1, columns + 5};
      long[] apart = {rows + 3, 1};
      copiesAsALoop("turn", dtype, new long[] {columns, rows}, 7, gaps, 3, apart);
    }
    long[] narrow = {7, 100};
    copiesAsALoop("copy", dtype, narrow, 0, new long[] {100, 1}, 0, new long[] {1, 7});
    // Matrices, of which the second dimension and the fourth are sides, and the first is read anew.
    long[] batches = {3, 33, 2, 17, 4};
    long[] from = {0, 1, 5_000, 34, 1_000};
    long[] to = {6_000, 68, 3_000, 1, 17};
    copiesAsALoop("turn", dtype, batches, 1, from, 2, to);
  }

  @Test
  void itsThreadsWaitForOneAnother() {
    Devices.needEmulator("its mode race");
    b.close();
    Devices.configure("race");
    b = Devices.open();
    whatIsTurnedHasTheElementsOfALoop(DType.F32);
  }

  @Test
  void whatIsTurnedMayHaveAnyNumberOfDimensions() {
    for (int others : new int[] {7, 8, 9, 10}) {
      long[] shape = new long[others + 2];
      long[] from = new long[others + 2];
      long[] to = new long[others + 2];
      Arrays.fill(shape, 2);
      shape[1] = 9;
      shape[others] = 8;
      from[1] = 1;
      from[others] = 9;
      to[others] = 1;
      to[1] = 8;
      long step = 72;
      // The other dimensions lie in the opposite order, so that none are one.
      for (int d = others + 1; d >= 0; d--) {
        if (d != 1 && d != others) {
          from[d] = step;
          step *= 2;
        }
      }
      step = 72;
      for (int d = 0; d < others + 2; d++) {
        if (d != 1 && d != others) {
          to[d] = step;
          step *= 2;
        }
      }
      byte[] x = bytes(72 << others, DType.F32);
      Storage out = b.allocate(DType.F32, 72L << others);
      b.copyStrided(shape, store(DType.F32, x), 0, from, out, 0, to);
      assertArrayEquals(copied(4, shape, x, 0, from, x, 0, to), bytes(out));
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void turningReadsAndWritesWhatLiesSideBySide(DType dtype) {
    Devices.needEmulator("what it counts");
    int rows = 96;
    int columns = 160;
    Storage x = store(dtype, bytes(rows * columns, dtype));
    Storage out = b.allocate(dtype, rows * columns);
    EmulatorControl.clearCounters();
    b.copyStrided(
        new long[] {rows, columns}, x, 0, new long[] {columns, 1}, out, 0, new long[] {1, rows});
    b.synchronize();
    EmulatorControl.KernelCounts counts = EmulatorControl.kernel("turn_b" + 8 * dtype.bytes());
    assertEquals((long) rows * columns * dtype.bytes(), counts.loads().bytes());
    assertEquals(counts.loads().ideal(), counts.loads().sectors());
    assertEquals((long) rows * columns * dtype.bytes(), counts.stores().bytes());
    assertEquals(counts.stores().ideal(), counts.stores().sectors());
  }

  @Test
  void aCopyMayHaveAnyNumberOfDimensions() {
    int dimensions = 11;
    long[] shape = new long[dimensions];
    long[] forth = new long[dimensions];
    long[] back = new long[dimensions];
    Arrays.fill(shape, 2);
    for (int d = 0; d < dimensions; d++) {
      forth[d] = 1L << d;
      back[d] = 1L << (dimensions - 1 - d);
    }
    int n = 1 << dimensions;
    byte[] x = bytes(n, DType.F32);
    Storage out = b.allocate(DType.F32, n);
    b.copyStrided(shape, store(DType.F32, x), 0, forth, out, 0, back);
    assertArrayEquals(copied(4, shape, x, 0, forth, x, 0, back), bytes(out));
  }
}
