package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Losses;
import dev.gradus.nn.ReLU;
import dev.gradus.nn.Sequential;
import dev.gradus.optim.Adam;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import org.junit.jupiter.api.Test;

/** What steps allocate on the heap once they are compiled: objects, but no arrays of values. */
@SuppressWarnings("try") // scopes are open for their effect
class AllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Bytes allocated so far by this thread and by those of the CPU backend. */
  private static long allocated() {
    long bytes = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
    for (ThreadInfo info : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
      if (info != null && info.getThreadName().startsWith("gradus-cpu-")) {
        bytes += Math.max(0, THREADS.getThreadAllocatedBytes(info.getThreadId()));
      }
    }
    return bytes;
  }

  /** The least that a step takes of several rounds, after others: the compiler is late at times. */
  private static long perStep(int warmUp, int steps, Runnable step) {
    for (int i = 0; i < warmUp; i++) {
      step.run();
    }
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 4; round++) {
      long before = allocated();
      for (int i = 0; i < steps; i++) {
        step.run();
      }
      least = Math.min(least, (allocated() - before) / steps);
    }
    return least;
  }

  @Test
  void aStepOfTheToursModelTakesAtMost8KiB() {
    try (Device device = Device.open("cpu")) {
      SeedModel model = new SeedModel(device);
      Tensor x = device.arange(5);
      Tensor y = device.tensor(new float[] {0, 1, 0, 1, 1}, 5, 1);
      Adam adam =
          Adam.withDefaults(o -> o.withLr(0.01))
              .group("head", model.namedParameters().matching("linear2.**"), o -> o.withLr(0.1))
              .group("rest", model.namedParameters().others())
              .build();
      long bytes =
          perStep(
              20_000,
              5_000,
              () -> {
                try (Scope step = Scope.open()) {
                  adam.zeroGrad();
                  Losses.binaryCrossEntropy(model.forward(x), y).backward();
                  adam.step();
                }
              });
      assertTrue(bytes <= 8 << 10, bytes + " bytes a step");
    }
  }

  private static long perceptron(int batch) {
    try (Device device = Device.open("cpu")) {
      Sequential model =
          new Sequential(
              new Linear(device, 784, 512),
              new ReLU(),
              new Linear(device, 512, 512),
              new ReLU(),
              new Linear(device, 512, 10));
      Adam adam = Adam.of(model.namedParameters());
      Tensor x = device.randn(batch, 784);
      Tensor y = device.randint(0, 10, batch);
      return perStep(
          100,
          20,
          () -> {
            try (Scope step = Scope.open()) {
              adam.zeroGrad();
              Losses.crossEntropy(model.forward(x), y).backward();
              adam.step();
            }
          });
    }
  }

  /** A batch of 256 has 768 KiB more of activations than one of 64. */
  @Test
  void whatAPerceptronsStepTakesDoesNotDependOnTheBatch() {
    perceptron(256); // compiles what both run
    long small = perceptron(64);
    long large = perceptron(256);
    assertTrue(Math.abs(large - small) < 1024, small + " bytes at 64, " + large + " at 256");
  }
}
