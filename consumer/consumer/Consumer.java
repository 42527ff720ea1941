package consumer;

import dev.gradus.io.SafeTensors;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Losses;
import dev.gradus.optim.Adam;
import dev.gradus.tensor.CustomFunction;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.GradCheck;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Finds a backend, trains a line, saves and loads it, checks an operation of its own, and says from
 * which path it ran.
 */
public final class Consumer {
  private Consumer() {}

  /**
   * Fits y = 2 x + 1.
   *
   * @param args none
   * @throws IOException if the model cannot be saved
   */
  public static void main(String[] args) throws IOException {
    try (Device device = Device.open()) {
      device.manualSeed(1);
      Linear line = new Linear(device, 1, 1);
      Tensor x = device.tensor(new float[] {-1, 0, 1, 2}, 4, 1);
      Tensor y = device.tensor(new float[] {-1, 1, 3, 5}, 4, 1);
      Adam adam = Adam.of(line.namedParameters(), o -> o.withLr(0.1));
      for (int i = 0; i < 300; i++) {
        try (Scope step = Scope.open()) {
          adam.zeroGrad();
          Tensor loss = Losses.mse(line.forward(x), y);
          loss.backward();
          adam.step();
          requireThat(i < 299 || loss.item() < 1e-4, "the loss is " + loss + " in " + step);
        }
      }
      Path file = Files.createTempFile("consumer", ".safetensors");
      SafeTensors.save(file, line);
      Linear loaded = new Linear(device, 1, 1);
      SafeTensors.loadInto(file, loaded);
      Files.delete(file);
      float[] weight = line.weight().toFloatArray();
      requireThat(
          Arrays.equals(weight, loaded.weight().toFloatArray()), "loaded " + loaded.weight());
      Tensor point = device.tensor(new double[] {-1, 0.5, 2}, 3).requiresGrad(true);
      GradCheck.check("cube", in -> new Cube().apply(in.get(0)), point);
      boolean named = Consumer.class.getModule().isNamed();
      System.out.printf(
          "consumer: Java %s, %s path, %s%n",
          Runtime.version().feature(), named ? "module" : "class", Tensor.class.getModule());
    }
  }

  /** x cubed, with a backward of its own. */
  private static final class Cube extends CustomFunction {
    @Override
    protected Tensor forward(Context context, List<Tensor> inputs) {
      Tensor x = inputs.get(0);
      context.save(x);
      return x.mul(x).mul(x);
    }

    @Override
    protected List<Tensor> backward(Context context, Tensor grad) {
      Tensor x = context.saved(0);
      return List.of(x.mul(x).mul(3).mul(grad));
    }
  }

  private static void requireThat(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }
}
