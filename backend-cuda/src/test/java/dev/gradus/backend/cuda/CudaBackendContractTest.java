package dev.gradus.backend.cuda;

import dev.gradus.spi.Backend;
import dev.gradus.testing.BackendContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

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

    @Override
    public void coalescedRowsAreWhatAScatterOfAllRowsGives() {
      // As above: it compares the bits of two calls.
    }
  }

  /** Watched for races, with blocks in other orders, and with streams that run late. */
  @Nested
  @Tag("long")
  @ParameterizedClass
  @ValueSource(
      strings = {
        "race", "order=1", "order=2", "order=3", "defer=1", "defer=2", "defer=3", "defer=4",
        "defer=5"
      })
  class InAMode extends BackendContract {
    private final String mode;

    InAMode(String mode) {
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
}
