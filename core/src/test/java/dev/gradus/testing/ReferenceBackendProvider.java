package dev.gradus.testing;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.BackendProvider;
import dev.gradus.spi.Probe;
import java.util.List;
import java.util.Map;

/** The service of the {@link ReferenceBackend}: always usable, and behind every other backend. */
public final class ReferenceBackendProvider implements BackendProvider {
  /** Found by {@link java.util.ServiceLoader}. */
  public ReferenceBackendProvider() {}

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public int priority() {
    return -1000;
  }

  @Override
  public Probe probe() {
    return Probe.usable(List.of("ref"), Map.of("arithmetic", "double, rounded at the end"));
  }

  @Override
  public Backend open(int ordinal) {
    if (ordinal != 0) {
      throw new BackendException(
          "backend 'reference' has one device, 0, but was asked for " + ordinal);
    }
    return new ReferenceBackend("ref");
  }
}
