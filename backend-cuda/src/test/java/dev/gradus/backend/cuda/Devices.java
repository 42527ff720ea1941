package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.backend.cuda.emulator.Emulator;
import dev.gradus.backend.cuda.emulator.EmulatorControl;
import dev.gradus.spi.Backend;

/** The device that tests compute on: the emulated one, through JCuda's own native code. */
final class Devices {
  private Devices() {}

  /** Makes the emulated driver the one of this process; without g++ the test is aborted. */
  static void load() {
    System.setProperty(LibrarySearch.PROPERTY, Emulator.build().toString());
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
    load();
    EmulatorControl.configure(modes);
  }

  /** Makes the emulated driver as in a new process, whatever happened to it. */
  static void restart() {
    configure("");
    EmulatorControl.reset();
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
