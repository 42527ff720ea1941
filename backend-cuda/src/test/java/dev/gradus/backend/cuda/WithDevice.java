package dev.gradus.backend.cuda;

import dev.gradus.spi.Backend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A test that begins with a device as it is by default, and ends with one that nobody has used. */
abstract class WithDevice {
  Backend b;

  @BeforeEach
  final void open() {
    Devices.restart();
    b = Devices.open();
  }

  @AfterEach
  final void close() {
    if (b != null) { // else opening it failed, or skipped the test
      b.close();
    }
    Devices.restart();
  }
}
