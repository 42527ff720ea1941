package dev.gradus.backend.cuda;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.BackendProvider;
import dev.gradus.spi.Probe;

/**
 * The provider of the backend {@code cuda}. The system property {@code gradus.cuda.lib} names
 * folders in which CUDA's libraries are looked for first.
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

  @Override
  public Backend open(int ordinal) {
    throw new BackendException("backend 'cuda' has no kernels yet; use -Dgradus.backend=cpu");
  }
}
