package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gradus.testing.ReferenceBackend;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CapturedStepTest {
  @Test
  void whereNothingIsRecordedEachRunRunsTheBody() {
    try (Device device = Device.over(new ReferenceBackend("plain"))) {
      Tensor x = device.tensor(new float[] {1, 2, 3});
      AtomicInteger runs = new AtomicInteger();
      try (CapturedStep step =
          device.capture(
              List.of(x),
              () -> {
                runs.incrementAndGet();
                assertFalse(CapturedStep.isRecording());
                return x.sum();
              })) {
        for (int i = 1; i <= 5; i++) {
          x.copyFrom(device.tensor(new float[] {i, 0, 1}));
          assertEquals(i + 1, step.run().item());
          assertEquals(i, runs.get());
        }
      }
    }
  }

  @Test
  void aClosedStepAndAnInputOfAnotherDeviceAreRefused() {
    try (Device device = Device.over(new ReferenceBackend("here"));
        Device other = Device.over(new ReferenceBackend("there"))) {
      Tensor x = other.tensor(new float[] {1});
      IllegalArgumentException wrong =
          assertThrows(
              IllegalArgumentException.class, () -> device.capture(List.of(x), () -> x).run());
      assertEquals("capture: input [1] is on 'there', not on 'here'", wrong.getMessage());
      CapturedStep step = other.capture(List.of(x), x::sum);
      step.close();
      IllegalStateException closed = assertThrows(IllegalStateException.class, step::run);
      assertEquals("CapturedStep.run: this step is closed", closed.getMessage());
    }
  }
}
