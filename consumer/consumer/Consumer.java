package consumer;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import java.util.Arrays;

/** Finds a backend, computes a gradient, and says from which path it ran. */
public final class Consumer {
  private Consumer() {}

  /**
   * Differentiates the sum of squares at (1, 2, 3).
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (Device device = Device.open()) {
      Tensor x = device.tensor(new float[] {1, 2, 3}).requiresGrad(true);
      x.mul(x).sum().backward();
      float[] gradient = x.grad().toFloatArray();
      if (!Arrays.equals(gradient, new float[] {2, 4, 6})) {
        throw new AssertionError(
            "gradient is " + Arrays.toString(gradient) + ", not [2.0, 4.0, 6.0]");
      }
      boolean named = Consumer.class.getModule().isNamed();
      System.out.printf(
          "consumer: Java %s, %s path, %s%n",
          Runtime.version().feature(), named ? "module" : "class", Tensor.class.getModule());
    }
  }
}
