package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class HardwareFmaTest {
  @Test
  void theTimedProbeAgreesWithTheFlag() {
    assertEquals(HardwareFma.PRESENT, HardwareFma.timed());
  }
}
