package dev.gradus.backend.cuda;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.BackendProvider;
import dev.gradus.spi.Probe;

/**
 * The provider of the backend {@code cuda}. System properties: {@code gradus.cuda.lib} names
 * folders in which CUDA's libraries are looked for first; {@code gradus.cuda.memory} the most bytes
 * that a device may hold, as {@code 8g}; {@code gradus.cuda.tf32}, {@code on}, lets float32
 * products round their operands; {@code gradus.cuda.atomics}, {@code on}, lets rows be summed by
 * their ids in any order, so that bits may differ from run to run; {@code gradus.cuda.debug},
 * {@code on}, waits for each launch, so that an error names the one that made it; {@code
 * gradus.cuda.cache}, {@code off}, gives freed memory back to the driver at once, for tools that
 * look for wrong accesses.
 */
public final class CudaBackendProvider implements BackendProvider {
  private static final int ABOVE_THE_CPU = 100;

  /** Found by {@link java.util.ServiceLoader}; does nothing. */
  public CudaBackendProvider() {}

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public int priority() {
    return ABOVE_THE_CPU;
  }

  @Override
  public Probe probe() {
    return CudaProbe.result();
  }

  /**
   * Opens a device.
   *
   * @throws IllegalArgumentException if one of the properties has none of its values
   */
  @Override
  public Backend open(int ordinal) {
    CudaSettings settings = CudaSettings.of(System.getProperties());
    Probe probe = CudaProbe.result();
    String name = "cuda:" + ordinal;
    if (!probe.devices().contains(name)) {
      throw new BackendException(
          "backend 'cuda' has no device "
              + ordinal
              + "; it has "
              + String.join(", ", probe.devices()));
    }
    try {
      return CudaBackend.open(ordinal, settings, BlasLibrary.ofProcess());
    } catch (CudaUnusable e) {
      throw new BackendException(
          "backend 'cuda' is not usable: " + e.reason() + " (" + e.remedy() + ")", e);
    }
  }
}
