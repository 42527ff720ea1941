package dev.gradus.backend.cpu;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.BackendProvider;
import dev.gradus.spi.Probe;
import java.util.List;

/**
 * The provider of the backend {@code cpu}, which can be used everywhere. The system property {@code
 * gradus.threads} sets how many threads compute (default: one for each processor); results have the
 * same bits for any number. {@code gradus.blas} says how large matrix products use a native
 * library: {@code tiled} (default), {@code whole} (as fast as the library can, but bits may depend
 * on the number of threads), or {@code off}.
 */
public final class CpuBackendProvider implements BackendProvider {
  private static final int LOWEST_PRIORITY = 0;

  /** Found by {@link java.util.ServiceLoader}; does nothing. */
  public CpuBackendProvider() {}

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public int priority() {
    return LOWEST_PRIORITY;
  }

  @Override
  public Probe probe() {
    try {
      return Probe.usable(List.of("cpu"), new CpuDetails(CpuSettings.ofProcess()));
    } catch (IllegalArgumentException e) {
      return Probe.unusable(
          Probe.Status.BROKEN,
          String.valueOf(e.getMessage()),
          "correct the property, or leave it out",
          e);
    }
  }

  /**
   * Opens the host as a device.
   *
   * @throws IllegalArgumentException if {@code gradus.threads} is not a whole number of at least 1,
   *     or {@code gradus.blas} none of its values
   */
  @Override
  public Backend open(int ordinal) {
    if (ordinal != 0) {
      throw new BackendException("backend 'cpu' has no device " + ordinal + "; it has only cpu");
    }
    CpuSettings settings = CpuSettings.ofProcess();
    settings.vectors().tell();
    return new CpuBackend(settings);
  }
}
