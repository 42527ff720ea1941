package dev.gradus.testing;

import dev.gradus.tensor.Device;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The device of tests that have to pass on every device, those of modules, losses and optimizers.
 * Where they stand they run on the one that they name; a backend runs them again on its own.
 */
public final class DeviceUnderTest {
  private static volatile @Nullable Supplier<Device> given;

  private DeviceUnderTest() {}

  /**
   * Opens the device that was given, or else the usual one.
   *
   * @param usual opens what the tests run on where they stand
   */
  public static Device open(Supplier<Device> usual) {
    Supplier<Device> backend = given;
    return (backend == null ? usual : backend).get();
  }

  /**
   * From here on tests run on this device.
   *
   * @param device opens it; null for the usual one again
   */
  public static void give(@Nullable Supplier<Device> device) {
    given = device;
  }
}
