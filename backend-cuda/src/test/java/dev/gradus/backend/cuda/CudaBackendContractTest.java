package dev.gradus.backend.cuda;

import dev.gradus.spi.Backend;
import dev.gradus.testing.BackendContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/**
 * The backend contract on the emulated device: with cuBLAS and memory that is kept, and with the
 * products' own kernel and memory of its own for each storage, so that a step outside is seen. Then
 * with everything that a device may do in another order.
 */
class CudaBackendContractTest {
  @BeforeAll
  @AfterAll
  static void anew() {
    Devices.restart();
  }

  @Nested
  class WithCuBlas extends BackendContract {
    @Override
    protected Backend open() {
      return Devices.open();
    }
  }

  @Nested
  class WithItsOwnProducts extends BackendContract {
    @Override
    protected Backend open() {
      CudaSettings settings = CudaSettings.DEFAULTS.withCaching(false).withDebug(true);
      return Devices.open(settings, Devices.withoutCuBlas());
    }
  }

  @Nested
  @Tag("long")
  class WithAtomics extends BackendContract {
    @Override
    protected Backend open() {
      return Devices.open(CudaSettings.DEFAULTS.withAtomics(true), Devices.cuBlas());
    }

    @Override
    public void eightThreadsGetTheBitsOfOne() {
      // Not with atomics: their order is another one each time.
    }

    @Override
    public void theSameCallTwiceGivesTheSameBits() {
      // As above.
    }
  }

  /** The emulated driver in a mode, for the contract. */
  abstract static class InMode extends BackendContract {
    private final String mode;

    InMode(String mode) {
      this.mode = mode;
    }

    @Override
    protected Backend open() {
      Devices.configure(mode);
      return Devices.open(CudaSettings.DEFAULTS.withCaching(false), Devices.cuBlas());
    }

    @AfterAll
    static void asItWas() {
      anew();
    }
  }

  @Nested
  @Tag("long")
  class WatchedForRaces extends InMode {
    WatchedForRaces() {
      super("race");
    }
  }

  @Nested
  @Tag("long")
  class WithBlocksInAnotherOrder extends InMode {
    WithBlocksInAnotherOrder() {
      super("order=3");
    }
  }

  @Nested
  @Tag("long")
  class WithBlocksInASecondOrder extends InMode {
    WithBlocksInASecondOrder() {
      super("order=1");
    }
  }

  @Nested
  @Tag("long")
  class WithBlocksInAThirdOrder extends InMode {
    WithBlocksInAThirdOrder() {
      super("order=2");
    }
  }

  @Nested
  @Tag("long")
  class WithStreamsThatWait extends InMode {
    WithStreamsThatWait() {
      super("defer=5");
    }
  }
}
