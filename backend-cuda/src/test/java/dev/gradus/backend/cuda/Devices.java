package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.backend.cuda.emulator.Emulator;
import dev.gradus.backend.cuda.emulator.EmulatorControl;
import dev.gradus.spi.Backend;
import org.junit.jupiter.api.Assumptions;

/**
 * The device that tests compute on, through JCuda's own native code: the emulated one, or with
 * {@code -Dgradus.test.cuda=real} the machine's own. There, tests that tell the emulated driver
 * something or ask it are skipped.
 */
final class Devices {
  private Devices() {}

  /**
   * Loads the driver into this process: the emulated one, unless the machine's own is asked for;
   * without g++ the test is aborted.
   */
  static void load() {
    if (!Emulator.isLeftOut()) {
      System.setProperty(LibrarySearch.PROPERTY, Emulator.build().toString());
    }
    try {
      NativeLoader.ofProcess().loadDriver();
    } catch (CudaUnusable e) {
      throw new AssertionError(e);
    }
    assertEquals(Cu.SUCCESS, Cu.init());
  }

  /** Opens the device as it is by default. */
  static Backend open() {
    return open(CudaSettings.DEFAULTS, cuBlas());
  }

  static Backend open(CudaSettings settings, BlasLibrary libraries) {
    load();
    try {
      return CudaBackend.open(0, settings, libraries);
    } catch (CudaUnusable e) {
      throw new AssertionError(e);
    }
  }

  /** Tells the emulated driver how to behave, from here on. */
  static void configure(String modes) {
    if (modes.isEmpty() && Emulator.isLeftOut()) {
      return;
    }
    needEmulator("its mode " + modes);
    load();
    EmulatorControl.configure(modes);
  }

  /** Makes the emulated driver as in a new process, whatever happened to it. */
  static void restart() {
    if (!Emulator.isLeftOut()) {
      configure("");
      EmulatorControl.reset();
    }
  }

  /**
   * Skips the calling test where the emulated driver is left out.
   *
   * @param what what the test needs it for
   */
  static void needEmulator(String what) {
    Assumptions.assumeFalse(Emulator.isLeftOut(), "needs the emulated driver for " + what);
  }

  static BlasLibrary cuBlas() {
    load();
    BlasLibrary blas = BlasLibrary.ofProcess();
    if (blas.problem() != null) {
      throw new AssertionError(blas.problem());
    }
    return blas;
  }

  static BlasLibrary withoutCuBlas() {
    return new BlasLibrary(CudaUnusable.absent("cuBLAS is left out", "none: a test wants it so"));
  }
}
