package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.backend.cuda.emulator.EmulatorControl;
import dev.gradus.spi.Backend;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is timed moves at least what is said of it; else a bandwidth would be too great. */
class KernelSpeedTest {
  private static final KernelSpeed.Sizes SIZES = KernelSpeed.Sizes.quick();

  /** Of each trial: three to warm up, then a sample each. */
  private static final int CALLS = 3 + SIZES.samples();

  @BeforeEach
  void anew() {
    Devices.restart();
  }

  @Test
  void everyTrialMovesWhatItSays() {
    Devices.needEmulator("what it counts");
    KernelSpeed speed = new KernelSpeed(SIZES);
    try (Backend b = Devices.open()) {
      for (String name : speed.names()) {
        EmulatorControl.clearCounters();
        KernelSpeed.Figure figure = speed.run(name, b);
        assertTrue(figure.micros() > 0, name);
        double moved = moved() / CALLS;
        assertTrue(moved >= figure.bytes(), name + " moves " + moved + ", not " + figure.bytes());
        if (name.equals("add")) {
          // And the making of the operands.
          assertTrue(moved < 1.2 * figure.bytes(), name + " moves " + moved);
        }
      }
    }
  }

  private static double moved() {
    double bytes =
        2 * EmulatorControl.counter("d2d-bytes") + EmulatorControl.counter("memset-bytes");
    for (String kernel : EmulatorControl.kernels()) {
      EmulatorControl.KernelCounts counts = EmulatorControl.kernel(kernel);
      bytes += counts.loads().bytes() + counts.stores().bytes();
    }
    return bytes;
  }

  @Test
  void sizesFitTheDevice() {
    assertEquals(1 << 26, KernelSpeed.Sizes.full(80L << 30).numel());
    assertEquals(1 << 24, KernelSpeed.Sizes.full(1L << 30).numel());
    assertEquals(1 << 10, KernelSpeed.Sizes.full(1).numel());
  }
}
