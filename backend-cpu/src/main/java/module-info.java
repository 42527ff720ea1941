/**
 * The backend that computes on the host; found by {@link java.util.ServiceLoader}. Large matrix
 * products go to a native library where its modules are there ({@code --add-modules
 * ALL-MODULE-PATH}).
 */
module dev.gradus.backend.cpu {
  requires dev.gradus.core;
  requires static dev.ludovic.netlib.blas;
  requires static java.logging;
  requires static org.bytedeco.openblas;
  requires static org.jspecify;

  provides dev.gradus.spi.BackendProvider with
      dev.gradus.backend.cpu.CpuBackendProvider;
}
