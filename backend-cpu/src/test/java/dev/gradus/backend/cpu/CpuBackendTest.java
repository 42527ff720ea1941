package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.PointwiseSlot;
import dev.gradus.spi.Probe;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.nio.FloatBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CpuBackendTest {
  private static String message(Class<? extends Exception> type, Runnable call) {
    return String.valueOf(assertThrows(type, call::run).getMessage());
  }

  @Test
  void itIsAlwaysUsableAndSaysOnWhatItRuns() {
    Probe probe = new CpuBackendProvider().probe();
    assertEquals(Probe.Status.USABLE, probe.status());
    assertEquals(List.of("cpu"), probe.devices());
    assertEquals(
        List.of(
            "threads",
            "hardware FMA",
            "vector API",
            "matrix products",
            "JDK",
            "architecture",
            "heap"),
        List.copyOf(probe.versions().keySet()));
  }

  @Test
  void aMissingHardwareFmaIsReported() {
    try (Backend b = new CpuBackend(CpuSettings.ofProcess().withThreads(1).withFma(false))) {
      assertEquals("no: emulated, bit equality is off", b.details().get("hardware FMA"));
      assertEquals("1", b.details().get("threads"));
    }
  }

  @Test
  void thereIsOneDevice() {
    assertEquals(
        "backend 'cpu' has no device 1; it has only cpu",
        message(BackendException.class, () -> new CpuBackendProvider().open(1)));
  }

  @Test
  void severalDevicesAreIndependent() {
    Backend a = new CpuBackendProvider().open(0);
    Backend b = new CpuBackendProvider().open(0);
    assertNotSame(a, b);
    a.close();
    assertEquals(3, b.allocate(DType.F32, 3).numel());
    b.close();
  }

  @Test
  void aClosedDeviceRefusesMemory() {
    Backend b = new CpuBackend(CpuSettings.ofProcess().withThreads(1));
    b.close();
    assertEquals(
        "cpu: the device is closed; open another one",
        message(IllegalStateException.class, () -> b.allocate(DType.F32, 1)));
  }

  @Test
  void moreElementsThanAnArrayTakesAreRefused() {
    try (Backend b = new CpuBackend(CpuSettings.ofProcess().withThreads(1))) {
      assertEquals(
          "cpu: a tensor of 2147483640 elements is too large; the cpu backend takes at most"
              + " 2147483639 elements",
          message(IllegalArgumentException.class, () -> b.allocate(DType.BOOL, 2147483640L)));
    }
  }

  @Test
  void aTypeThatAnOperationLacksIsNamedWithIt() {
    try (Backend b = new CpuBackend(CpuSettings.ofProcess().withThreads(1))) {
      Storage x = b.allocate(DType.I64, 1);
      Class<UnsupportedOperationException> type = UnsupportedOperationException.class;
      assertEquals(
          "cpu: exp does not take int64", message(type, () -> b.unary(UnaryOp.EXP, x, x, 0, 0)));
      assertEquals(
          "cpu: softmax does not take int64", message(type, () -> b.softmax(false, x, x, 1, 1)));
      assertEquals(
          "cpu: pointwise does not take int64",
          message(type, () -> b.planPointwise(List.of(new PointwiseSlot(x, x, List.of())))));
      assertEquals(
          "cpu: the gradient of exp does not take int64",
          message(type, () -> b.unaryGrad(UnaryOp.EXP, x, x, x, 0, 0)));
      assertEquals(
          "cpu: div does not take int64",
          message(
              type,
              () -> b.binary(dev.gradus.spi.BinaryOp.DIV, x, Spread.FULL, x, Spread.FULL, x, 0)));
    }
  }

  @Test
  void transfersLeaveTheBufferWhereItWas() {
    try (Backend b = new CpuBackend(CpuSettings.ofProcess().withThreads(1))) {
      FloatBuffer from = FloatBuffer.wrap(new float[] {9, 1, 2});
      from.position(1);
      Storage x = b.allocate(DType.F32, 2);
      b.upload(from, x);
      FloatBuffer to = FloatBuffer.allocate(2);
      b.download(x, to);
      assertEquals(1, from.position());
      assertEquals(FloatBuffer.wrap(new float[] {1, 2}), to);
    }
  }

  @Test
  void theCapacityIsPartOfTheHeap() {
    try (Backend b = new CpuBackend(CpuSettings.ofProcess().withThreads(1))) {
      assertTrue(b.capacity() > 0 && b.capacity() < Runtime.getRuntime().maxMemory());
      assertEquals("raise the heap with -Xmx", b.memoryRemedy());
      assertEquals("cpu", b.deviceName());
    }
  }
}
