package dev.gradus.backend.cuda;

import dev.gradus.tensor.Device;
import dev.gradus.testing.DeviceUnderTest;
import org.junit.platform.suite.api.AfterSuite;
import org.junit.platform.suite.api.BeforeSuite;
import org.junit.platform.suite.api.ExcludeClassNamePatterns;
import org.junit.platform.suite.api.SelectPackages;
import org.junit.platform.suite.api.Suite;

/**
 * The tests of modules, losses and optimizers, as they stand in their modules, with this backend's
 * device in the place of theirs. Left out are those of schedules, which compute on the host.
 */
@Suite
@SelectPackages({"dev.gradus.nn", "dev.gradus.optim"})
@ExcludeClassNamePatterns({
  ".*Schedules?Test",
  ".*ScheduleStateTest",
  ".*(Combinations|ReduceOnPlateau|GroupTable)Test"
})
class ModulesAndOptimizersTest {
  @BeforeSuite
  static void give() {
    Devices.restart();
    DeviceUnderTest.give(() -> Device.over(Devices.open()));
  }

  @AfterSuite
  static void takeBack() {
    DeviceUnderTest.give(null);
  }
}
