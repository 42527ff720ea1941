package dev.gradus.backend.cpu;

import dev.gradus.spi.Backend;
import dev.gradus.testing.BackendContract;
import org.junit.jupiter.api.Nested;

/** The backend contract, with 1 thread and with 2, and without a hardware FMA. */
final class CpuBackendContractTest {
  @Nested
  final class WithOneThread extends BackendContract {
    @Override
    protected Backend open() {
      return new CpuBackend(1, HardwareFma.PRESENT);
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
      return new CpuBackend(2, HardwareFma.PRESENT);
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
      return new CpuBackend(2, false);
    }

    @Override
    public boolean exactFma() {
      return false;
    }
  }
}
