package dev.gradus.programs;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.util.Random;

/** Programs that are careless with memory, each by its name. */
public final class MemoryProgram {
  private static final int STEPS = 100_000;

  private MemoryProgram() {}

  /**
   * Runs one.
   *
   * @param args its name
   */
  public static void main(String[] args) {
    try (Device device = Device.over(new ReferenceBackend("reference"))) {
      switch (args[0]) {
        case "forgetScope" -> forgetScope(device);
        case "fillTheHeap" -> fillTheHeap(device);
        case "variedSizes" -> variedSizes(device);
        case "leak" -> leak(device);
        default -> throw new IllegalArgumentException("no program " + args[0]);
      }
    }
  }

  /** A training loop without a scope: w follows t. */
  @SuppressWarnings("try") // the block is open for its effect
  private static void forgetScope(Device device) {
    Tensor w = device.zeros(4, 8).requiresGrad(true);
    Tensor t = device.ones(3, 8);
    Tensor x = device.ones(3, 4);
    double loss = 0;
    for (int step = 0; step < STEPS; step++) {
      w.zeroGrad();
      Tensor error = x.matmul(w).sub(t);
      Tensor squares = error.mul(error).mean();
      squares.backward();
      try (NoGrad off = NoGrad.open()) {
        w.copyFrom(w.sub(w.grad().mul(0.1)));
      }
      loss = squares.item();
    }
    System.out.println("steps " + STEPS + ", converged " + (loss < 1e-9));
  }

  /** Few and large tensors, more than the heap holds at once. */
  private static void fillTheHeap(Device device) {
    double sum = 0;
    for (int i = 0; i < 200; i++) {
      sum += device.ones(DType.F64, 1_000_000).select(0, 5).item();
    }
    System.out.println("sum " + sum);
  }

  /** Steps of sizes that hardly come back, then an array of the user's own. */
  @SuppressWarnings("try") // the scope is open for its effect
  private static void variedSizes(Device device) {
    Random sizes = new Random(0);
    for (int i = 0; i < 3000; i++) {
      try (Scope step = Scope.open()) {
        device.zeros(1 + sizes.nextInt(200_000));
      }
    }
    byte[] own = new byte[60 << 20];
    System.out.println("in use " + device.bytesInUse() + ", own array " + own.length);
  }

  /** Two tensors that are still referenced when the device is closed, and one that is not. */
  @SuppressWarnings("try") // the scope is open for its effect
  private static void leak(Device device) {
    held = device.ones(3, 4);
    also = held.reshape(12).mul(2).requiresGrad(true);
    try (Scope scope = Scope.open()) {
      held.mul(2);
    }
  }

  static Tensor held;
  static Tensor also;
}
