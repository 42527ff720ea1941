package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.nn.Dropout;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Losses;
import dev.gradus.nn.Sequential;
import dev.gradus.nn.Tanh;
import dev.gradus.optim.Adam;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Who opens no scope leaves the memory to the garbage collector, which suffices. */
class WithoutScopeTest {
  private static final int STEPS = 100_000;

  @Test
  @Tag("long")
  void aHundredThousandStepsNeedLittleMemoryAndOneWarning() throws Exception {
    Run run = Child.of(List.of("-Xmx256m"), Training.class);
    assertEquals(0, run.code(), run.err());
    assertEquals(STEPS + " steps", run.out().strip());
    assertEquals(
        1, run.errors().stream().filter(line -> line.contains("open a Scope")).count(), run.err());
  }

  /** The program of the other process. */
  static final class Training {
    private Training() {}

    public static void main(String[] args) {
      try (Device device = Device.open("cpu")) {
        device.manualSeed(0);
        Sequential model =
            new Sequential(
                new Linear(device, 8, 16), new Tanh(), new Dropout(0.1), new Linear(device, 16, 1));
        Adam adam = Adam.of(model.namedParameters());
        Tensor x = device.randn(32, 8);
        Tensor y = device.randn(32, 1);
        int steps = 0;
        while (steps < STEPS) {
          adam.zeroGrad();
          Losses.mse(model.forward(x), y).backward();
          adam.step();
          steps++;
        }
        System.out.println(steps + " steps");
      }
    }
  }
}
