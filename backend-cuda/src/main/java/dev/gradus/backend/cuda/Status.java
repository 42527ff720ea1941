package dev.gradus.backend.cuda;

import dev.gradus.spi.BackendException;
import org.jspecify.annotations.Nullable;

/**
 * The health of a device: every status of the driver and of cuBLAS is looked at here. After some
 * errors the driver refuses everything in this process; the first of these is kept, and told to
 * everybody who comes later.
 */
final class Status {
  private final String device;
  private volatile @Nullable BackendException first;

  /**
   * A healthy device.
   *
   * @param device its name, as {@code cuda:0}
   */
  Status(String device) {
    this.device = device;
  }

  String device() {
    return device;
  }

  /** Whether an error has ended this device for this process. */
  boolean isLost() {
    return first != null;
  }

  /**
   * Refuses to go on with a device that is lost.
   *
   * @throws BackendException if it is, with the first error
   */
  void requireAlive() {
    BackendException e = first;
    if (e != null) {
      throw new BackendException(
          device
              + ": the device is lost since an earlier error; start a new process. "
              + e.getMessage(),
          e);
    }
  }

  /**
   * Looks at a status of the driver.
   *
   * @param call what was asked of it, for the message
   * @throws BackendException if it failed
   */
  void check(int status, String call) {
    if (status != Cu.SUCCESS) {
      throw failure(status, call);
    }
  }

  /** The error for a status of the driver. */
  BackendException failure(int status, String call) {
    BackendException e = new BackendException(device + ": " + call + " failed: " + Cu.text(status));
    if (isSticky(status)) {
      lose(e);
    }
    return e;
  }

  private synchronized void lose(BackendException e) {
    if (first == null) {
      first = e;
    }
  }

  /**
   * Looks at a status of cuBLAS, which does not tell the driver's error behind it.
   *
   * @throws BackendException if it failed
   */
  void checkBlas(int status, String call) {
    if (status != CuBlas.SUCCESS) {
      check(Cu.synchronizeContext(), call);
      throw new BackendException(device + ": " + call + " failed: " + CuBlas.text(status));
    }
  }

  /** Addresses, instructions and launches that went wrong: the context does not recover. */
  private static boolean isSticky(int status) {
    return switch (status) {
      case 700, 702, 710, 714, 715, 716, 717, 718, 719 -> true;
      default -> false;
    };
  }

  /** Takes a status that nobody can act on: what is closed has nobody to tell. */
  static void ignore(int status) {
    assert status >= 0;
  }
}
