package dev.gradus.backend.cuda;

import dev.gradus.spi.Probe;
import org.jspecify.annotations.Nullable;

/** Why CUDA cannot be used here, and what a user can do about it. */
final class CudaUnusable extends Exception {
  private static final long serialVersionUID = 1L;

  private final Probe.Status status;
  private final String reason;
  private final String remedy;

  private CudaUnusable(
      Probe.Status status, String reason, String remedy, @Nullable Throwable cause) {
    super(reason, cause);
    this.status = status;
    this.reason = reason;
    this.remedy = remedy;
  }

  /** What CUDA needs is not on this machine. */
  static CudaUnusable absent(String reason, String remedy) {
    return new CudaUnusable(Probe.Status.ABSENT, reason, remedy, null);
  }

  /** What CUDA needs is here and does not work. */
  static CudaUnusable broken(String reason, String remedy, @Nullable Throwable cause) {
    return new CudaUnusable(Probe.Status.BROKEN, reason, remedy, cause);
  }

  String reason() {
    return reason;
  }

  String remedy() {
    return remedy;
  }

  Probe probe() {
    return Probe.unusable(status, reason, remedy, getCause());
  }
}
