package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.backend.cuda.emulator.EmulatorControl;
import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.DeviceMemoryException;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory, copies and errors of a device. */
class CudaDeviceTest {
  private static final long MIB = 1 << 20;

  @BeforeEach
  @AfterEach
  void anew() {
    Devices.restart();
  }

  private static Backend open(CudaSettings settings) {
    return Devices.open(settings, Devices.cuBlas());
  }

  private static float[] read(Backend b, Storage s) {
    float[] values = new float[(int) s.numel()];
    b.download(s, FloatBuffer.wrap(values));
    return values;
  }

  // ---- errors

  @Test
  void anErrorThatEndsTheDeviceIsToldToAllThatComeLater() {
    try (Backend b = Devices.open()) {
      Storage x = b.allocate(DType.F32, 7);
      b.fill(x, 1);
      Devices.configure("fail-name=cuLaunchKernel,fail-call=1,fail-code=700");
      BackendException first =
          assertThrows(BackendException.class, () -> b.unary(UnaryOp.EXP, x, x, 0, 0));
      String text =
          "cuda:0: launch of exp_f32 on 1 x 1 blocks of 256 x 1 threads failed: an illegal memory"
              + " access was encountered (700)";
      assertEquals(text, first.getMessage());
      BackendException later = assertThrows(BackendException.class, () -> b.fill(x, 2));
      assertEquals(
          "cuda:0: the device is lost since an earlier error; start a new process. " + text,
          later.getMessage());
      assertSame(first, later.getCause());
      assertDoesNotThrow(() -> b.free(x));
    }
  }

  @Test
  void anErrorThatDoesNotEndTheDeviceLeavesItUsable() {
    try (Backend b = Devices.open()) {
      Storage x = b.allocate(DType.F32, 7);
      Devices.configure("fail-name=cuLaunchKernel,fail-call=1,fail-code=701");
      assertThrows(BackendException.class, () -> b.unary(UnaryOp.EXP, x, x, 0, 0));
      b.fill(x, 0);
      b.unary(UnaryOp.EXP, x, x, 0, 0);
      assertEquals(1, read(b, x)[6]);
    }
  }

  @Test
  void inDebugModeAnErrorNamesItsLaunch() {
    try (Backend b = open(CudaSettings.DEFAULTS.withDebug(true))) {
      Storage x = b.allocate(DType.F32, 7);
      Devices.configure("fail-name=cuStreamSynchronize,fail-call=1,fail-code=719");
      BackendException e =
          assertThrows(BackendException.class, () -> b.unary(UnaryOp.EXP, x, x, 0, 0));
      assertTrue(e.getMessage().startsWith("cuda:0: launch of exp_f32 on "), e.getMessage());
    }
  }

  @Test
  void aClosedDeviceSaysSo() {
    Backend b = Devices.open();
    b.close();
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> b.allocate(DType.F32, 1));
    assertEquals("cuda:0: the device is closed; open another one", e.getMessage());
    assertDoesNotThrow(b::close);
  }

  // ---- memory

  @Test
  void closingGivesEverythingBack() {
    Devices.needEmulator("what it counts");
    long[] before = live();
    try (Backend b = Devices.open()) {
      Storage x = b.allocate(DType.F32, 100_000);
      b.upload(FloatBuffer.allocate(100_000), x);
      b.gemm(Gemm.of(false, false, 3, 3, 3), x, x, b.allocate(DType.F32, 9));
      read(b, x);
    }
    assertArrayEquals(before, live());
  }

  private static long[] live() {
    return new long[] {
      EmulatorControl.counter("live-allocations"),
      EmulatorControl.counter("live-pinned"),
      EmulatorControl.counter("live-streams"),
      EmulatorControl.counter("live-events"),
      EmulatorControl.counter("live-modules")
    };
  }

  @Test
  void aSteadyLoopAsksTheDriverForNothing() {
    Devices.needEmulator("what it counts");
    try (Backend b = Devices.open()) {
      work(b);
      EmulatorControl.clearCounters();
      for (int i = 0; i < 10; i++) {
        work(b);
      }
      assertEquals(0, EmulatorControl.counter("allocations"));
    }
  }

  private static void work(Backend b) {
    Storage x = b.allocate(DType.F32, 70_000);
    Storage sum = b.allocate(DType.F32, 1);
    b.fill(x, 1);
    b.reduce(ReduceOp.SUM, x, new Axis(1, 70_000, 1), sum, false);
    assertEquals(70_000, read(b, sum)[0]);
    b.free(x);
    b.free(sum);
  }

  @Test
  void whatNobodyReferencesIsGivenToOthers() {
    Devices.configure("memory=" + 64 * MIB);
    try (Backend b = Devices.open(CudaSettings.DEFAULTS, Devices.withoutCuBlas())) {
      DeviceMemory memory = CudaBackend.deviceOf(b).memory();
      long before = memory.used();
      Object lost = b.allocate(DType.F32, 8 * MIB);
      assertEquals(before + 32 * MIB, memory.used());
      lost = "";
      for (int i = 0; i < 100 && memory.used() > before; i++) {
        System.gc();
        b.free(b.allocate(DType.F32, 1));
      }
      assertEquals(before, memory.used(), String.valueOf(lost));
    }
  }

  @Test
  void outOfMemoryGivesBackWhatIsKeptAndTriesAgain() {
    Devices.configure("memory=" + 64 * MIB);
    try (Backend b = Devices.open()) {
      b.free(b.allocate(DType.F32, 10 * MIB));
      Storage x = b.allocate(DType.F32, 12 * MIB);
      b.free(x);
    }
  }

  @Test
  void outOfMemoryNamesWhatIsHeld() {
    Devices.configure("memory=" + 64 * MIB);
    try (Backend b = Devices.open(CudaSettings.DEFAULTS, Devices.withoutCuBlas())) {
      Storage x = b.allocate(DType.F32, 2 * MIB);
      Storage y = b.allocate(DType.F32, 2 * MIB);
      DeviceMemoryException e =
          assertThrows(DeviceMemoryException.class, () -> b.allocate(DType.F64, 7 * MIB));
      assertEquals(
          "cuda:0: no memory for 56.0 MiB: storages hold 16.0 MiB, 0.0 MiB are kept for others,"
              + " 48.0 MiB of 64.0 MiB are free on the device; most by 2 of 8.0 MiB",
          e.getMessage());
      assertEquals("use smaller batches", b.memoryRemedy());
      b.free(x);
      b.free(y);
      b.free(b.allocate(DType.F64, 7 * MIB));
    }
  }

  @Test
  void aCapHoldsBelowWhatTheDeviceHas() {
    try (Backend b =
        Devices.open(CudaSettings.DEFAULTS.withMemory(10 * MIB), Devices.withoutCuBlas())) {
      assertEquals(10 * MIB, b.capacity());
      Storage x = b.allocate(DType.F32, 2 * MIB);
      DeviceMemoryException e =
          assertThrows(DeviceMemoryException.class, () -> b.allocate(DType.F32, MIB));
      assertTrue(e.getMessage().contains(", gradus.cuda.memory allows 10.0 MiB"), e.getMessage());
      assertEquals("use smaller batches, or raise -Dgradus.cuda.memory", b.memoryRemedy());
      b.free(x);
      b.free(b.allocate(DType.F32, MIB));
    }
  }

  // ---- copies

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  void uploadsArriveWhateverTheStreamsDo(int seed) {
    if (seed > 0) {
      Devices.configure("defer=" + seed);
    }
    try (Backend b = Devices.open()) {
      float[] host = new float[1_500_000];
      for (int n : new int[] {1, 16_384, 16_385, 1_048_576, 1_500_000, 3}) {
        Storage[] all = new Storage[9];
        for (int i = 0; i < all.length; i++) {
          Arrays.fill(host, 0, n, i + 1);
          all[i] = b.allocate(DType.F32, n);
          b.upload(FloatBuffer.wrap(host, 0, n), all[i]);
          b.unary(UnaryOp.MUL_SCALAR, all[i], all[i], 2, 0);
        }
        for (int i = 0; i < all.length; i++) {
          float[] values = read(b, all[i]);
          assertEquals(2 * (i + 1), values[0]);
          assertEquals(2 * (i + 1), values[n - 1]);
          b.free(all[i]);
        }
      }
    }
  }
}
