package dev.gradus.testing;

import static dev.gradus.testing.Values.SIZES;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Storage;
import dev.gradus.testing.Lab.Twin;
import dev.gradus.types.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.junit.jupiter.api.Test;

/** What a backend promises for memory, transfers, filling, casting and strided copies. */
interface TransferContract extends ContractFixture {

  @Test
  default void theDeviceDescribesItself() {
    Backend b = lab().tested();
    assertFalse(b.deviceName().isBlank());
    assertFalse(b.memoryRemedy().isBlank());
    assertTrue(b.capacity() > 0);
    assertFalse(b.details().isEmpty());
  }

  @Test
  default void storagesTellTheirTypeAndSize() {
    for (DType dtype : DType.values()) {
      for (int n : SIZES) {
        Storage s = lab().tested().allocate(dtype, n);
        assertEquals(dtype, s.dtype());
        assertEquals(n, s.numel());
        lab().tested().free(s);
      }
    }
  }

  @Test
  default void whatIsUploadedComesBack() {
    for (DType dtype : DType.values()) {
      for (int n : SIZES) {
        double[] values = Values.any(n, n, dtype);
        Twin x = lab().twin(dtype, values);
        assertArrayEquals(values, lab().actual(x), dtype + " " + n);
        lab().clear();
      }
    }
    long[] longs = {Long.MIN_VALUE, Long.MAX_VALUE, (1L << 53) + 1};
    Storage s = Host.store(lab().tested(), longs);
    assertArrayEquals(longs, Host.readLongs(lab().tested(), s));
    lab().tested().free(s);
  }

  @Test
  default void buffersOfEveryKindAreReadFromTheirPosition() {
    Backend b = lab().tested();
    float[] f = {9, 1, 2, 3, 9};
    FloatBuffer direct =
        ByteBuffer.allocateDirect(20).order(ByteOrder.nativeOrder()).asFloatBuffer();
    direct.put(f).position(1).limit(4);
    FloatBuffer slice = FloatBuffer.wrap(f, 1, 3).slice();
    FloatBuffer[] sources = {
      FloatBuffer.wrap(f, 1, 3), slice, slice.asReadOnlyBuffer(), direct, direct.slice()
    };
    for (FloatBuffer source : sources) {
      Storage s = b.allocate(DType.F32, 3);
      b.upload(source, s);
      assertArrayEquals(new double[] {1, 2, 3}, Host.read(b, s), source.toString());
      b.free(s);
    }
    Storage d = b.allocate(DType.F64, 2);
    b.upload(DoubleBuffer.wrap(new double[] {9, 5, 6}, 1, 2), d);
    assertArrayEquals(new double[] {5, 6}, Host.read(b, d));
    Storage l = b.allocate(DType.I64, 2);
    b.upload(LongBuffer.wrap(new long[] {9, 5, 6}, 1, 2).slice(), l);
    assertArrayEquals(new long[] {5, 6}, Host.readLongs(b, l));
    Storage t = b.allocate(DType.BOOL, 2);
    b.upload(ByteBuffer.wrap(new byte[] {1, 0, 1}, 1, 2).slice(), t);
    assertArrayEquals(new double[] {0, 1}, Host.read(b, t));
    b.free(d);
    b.free(l);
    b.free(t);
  }

  @Test
  default void aShortUploadLeavesTheRestAndAShortDownloadTakesTheStart() {
    Backend b = lab().tested();
    Storage s = Host.store(b, DType.F32, new double[] {1, 2, 3, 4});
    b.upload(FloatBuffer.wrap(new float[] {7, 8}), s);
    assertArrayEquals(new double[] {7, 8, 3, 4}, Host.read(b, s));
    float[] into = {0, 0, 0, 0};
    b.download(s, FloatBuffer.wrap(into, 1, 2));
    assertArrayEquals(new float[] {0, 7, 8, 0}, into);
    FloatBuffer direct =
        ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder()).asFloatBuffer();
    b.download(s, direct);
    assertEquals(7, direct.get(0));
    assertEquals(8, direct.get(1));
    b.free(s);
  }

  @Test
  default void aBufferMayBeChangedAfterTheUpload() {
    Backend b = lab().tested();
    float[] host = new float[4097];
    host[4096] = 5;
    Storage s = b.allocate(DType.F32, host.length);
    b.upload(FloatBuffer.wrap(host), s);
    host[4096] = 6;
    assertEquals(5, Host.read(b, s)[4096]);
    b.free(s);
  }

  @Test
  default void fillSetsEveryElementOfEveryType() {
    for (DType dtype : DType.values()) {
      double[] values =
          dtype.isFloating()
              ? new double[] {0, -0.0, 1.1, Double.NaN, Double.NEGATIVE_INFINITY, 1e30}
              : new double[] {0, 1, -3, 0x1p40};
      for (int n : SIZES) {
        for (double value : values) {
          Twin out = lab().blank(dtype, n);
          lab().run((b, at) -> b.fill(at.apply(out), value));
          lab().check("fill " + dtype.label() + " " + value, out, Tolerance.BITS);
          lab().clear();
        }
      }
    }
  }

  @Test
  default void castConvertsBetweenAllTypes() {
    int pairs = 0;
    for (DType from : DType.values()) {
      for (DType to : DType.values()) {
        for (int n : SIZES) {
          double[] values = Values.any(n, n, from);
          for (int i = 0; from.isFloating() && to == DType.I64 && i < n; i++) {
            // what has no integer near it is not defined
            values[i] = Math.abs(values[i]) < 1e9 ? values[i] : 2.75;
          }
          Twin x = lab().twin(from, values);
          Twin out = lab().blank(to, n);
          lab().run((b, at) -> b.cast(at.apply(x), at.apply(out)));
          lab().check("cast " + from + " to " + to, out, Tolerance.BITS);
          lab().clear();
        }
        pairs++;
      }
    }
    assertEquals(16, pairs);
  }

  @Test
  default void integersAreRoundedOnceToFloat() {
    long[] hard = {(1L << 61) + (1L << 37) + 1, (1L << 24) + 1, -(1L << 62) - 1, Long.MAX_VALUE};
    for (DType to : Values.FLOATING) {
      Twin x = lab().twin(hard);
      Twin out = lab().blank(to, hard.length);
      lab().run((b, at) -> b.cast(at.apply(x), at.apply(out)));
      lab().check("cast I64 to " + to, out, Tolerance.BITS);
    }
  }

  /** Shape, source offset, source strides, destination offset, destination strides. */
  long[][][] COPIES = {
    {{5}, {0}, {1}, {0}, {1}},
    {{}, {3}, {}, {2}, {}},
    {{0, 4}, {0}, {4, 1}, {0}, {4, 1}},
    {{7, 5}, {0}, {1, 7}, {0}, {5, 1}},
    {{64, 65}, {0}, {1, 64}, {0}, {65, 1}},
    {{3, 4, 5}, {0}, {1, 15, 3}, {0}, {20, 5, 1}},
    {{4, 3}, {0}, {0, 1}, {0}, {3, 1}},
    {{4, 3}, {2}, {1, 0}, {0}, {3, 1}},
    {{257}, {5}, {0}, {0}, {1}},
    {{3, 4}, {11}, {10, 2}, {0}, {4, 1}},
    {{3, 4}, {0}, {4, 1}, {7}, {10, 2}},
    {{2, 3, 2, 5, 7}, {0}, {210, 70, 35, 7, 1}, {0}, {210, 70, 35, 7, 1}},
    {{2, 3, 2, 5, 7}, {1}, {1, 2, 6, 12, 60}, {3}, {210, 70, 35, 7, 1}},
    {{2, 3, 2, 5, 7}, {0}, {0, 35, 0, 7, 1}, {0}, {1, 2, 6, 12, 60}},
    {{1, 4097, 1}, {0}, {9999, 1, 9999}, {0}, {1, 1, 1}},
  };

  @Test
  default void copyStridedPermutesExpandsAndSlices() {
    int types = 0;
    for (DType dtype : DType.values()) {
      for (long[][] c : COPIES) {
        Twin src = lab().twin(dtype, Values.any(6, 9000, dtype));
        Twin dst = lab().twin(dtype, Values.any(8, 9000, dtype));
        lab()
            .run(
                (b, at) ->
                    b.copyStrided(
                        c[0], at.apply(src), c[1][0], c[2], at.apply(dst), c[3][0], c[4]));
        lab().check("copyStrided " + java.util.Arrays.deepToString(c), dst, Tolerance.BITS);
        lab().clear();
      }
      types++;
    }
    assertEquals(4, types);
  }

  @Test
  default void twoDevicesOfAKindAreOpenAtOnce() {
    Storage first = Host.store(lab().tested(), DType.F32, new double[] {1, 2, 3});
    try (Backend other = another()) {
      Storage second = Host.store(other, DType.F32, new double[] {4, 5, 6});
      other.fill(second, 7);
      assertArrayEquals(new double[] {1, 2, 3}, Host.read(lab().tested(), first));
      assertArrayEquals(new double[] {7, 7, 7}, Host.read(other, second));
    }
    lab().tested().fill(first, 8);
    assertArrayEquals(new double[] {8, 8, 8}, Host.read(lab().tested(), first));
    lab().tested().free(first);
  }
}
