package dev.gradus.benchmarks;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** What the benchmarks of libtorch share: its threads, and values in and out. */
final class Torch {
  private Torch() {}

  /** Gives libtorch as many threads as Gradus has. */
  static void open() {
    torch.set_num_threads(Cores.count());
  }

  static Tensor tensor(float[] values, long... shape) {
    Tensor flat = torch.tensor(values);
    return shape.length == 0 ? flat : flat.reshape(shape);
  }

  static Tensor tensor(long[] values, long... shape) {
    Tensor flat = torch.tensor(values);
    return shape.length == 0 ? flat : flat.reshape(shape);
  }

  static float[] values(Tensor x) {
    float[] values = new float[Math.toIntExact(x.numel())];
    Tensor dense = x.detach().contiguous();
    new FloatPointer(dense.data_ptr()).get(values);
    return values;
  }
}
