/**
 * The backend that computes on the host, in plain Java; found by {@link java.util.ServiceLoader}.
 */
module dev.gradus.backend.cpu {
  requires dev.gradus.core;
  requires static org.jspecify;

  provides dev.gradus.spi.BackendProvider with
      dev.gradus.backend.cpu.CpuBackendProvider;
}
