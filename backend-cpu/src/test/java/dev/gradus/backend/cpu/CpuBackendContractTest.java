package dev.gradus.backend.cpu;

import dev.gradus.spi.Backend;
import dev.gradus.testing.BackendContract;
import org.junit.jupiter.api.Nested;

/**
 * The backend contract, with 1 thread and with 2, without the Vector API, and without a hardware
 * FMA.
 */
final class CpuBackendContractTest {
  @Nested
  final class WithOneThread extends BackendContract {
    @Override
    protected Backend open() {
      return new CpuBackend(CpuSettings.ofProcess().withThreads(1));
    }

    @Override
    public boolean exactFma() {
      return HardwareFma.PRESENT;
    }
  }

  @Nested
  final class WithTwoThreads extends BackendContract {
    @Override
    protected Backend open() {
      return new CpuBackend(CpuSettings.ofProcess().withThreads(2));
    }

    @Override
    public boolean exactFma() {
      return HardwareFma.PRESENT;
    }
  }

  @Nested
  final class WithoutTheVectorApi extends BackendContract {
    @Override
    protected Backend open() {
      VectorApi plain = VectorApi.without("to test the plain loops");
      return new CpuBackend(CpuSettings.ofProcess().withThreads(2).withVectors(plain));
    }

    @Override
    public boolean exactFma() {
      return HardwareFma.PRESENT;
    }
  }

  @Nested
  final class WithoutHardwareFma extends BackendContract {
    @Override
    protected Backend open() {
      return new CpuBackend(CpuSettings.ofProcess().withThreads(2).withFma(false));
    }

    @Override
    public boolean exactFma() {
      return false;
    }
  }
}
