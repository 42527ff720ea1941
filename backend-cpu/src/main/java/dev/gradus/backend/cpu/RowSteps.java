package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.i64;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.SgdHyper;
import dev.gradus.spi.SgdSlot;
import dev.gradus.types.DType;

/** Steps that change the rows of a table that have a gradient, and no others. */
final class RowSteps {
  /*
   * C2 vectorises a loop over several arrays only where all have one index. Adam's lazy rule
   * therefore runs on copies of a block of rows; copying costs less than roots and quotients one by
   * one. The copies are made once, for each task its own.
   */

  /** Elements of a block: four arrays of it lie in the first-level cache. */
  private static final int BLOCK = 1 << 11;

  private final Parallel parallel;
  private final Gradient.Rows grad;
  private final int cols;
  private final int rowsInBlock;
  private final int tasks;
  private final float[][] scratch;

  /** Steps along this gradient, of Adam or of SGD. */
  RowSteps(Parallel parallel, Gradient.Rows grad) {
    this.parallel = parallel;
    this.grad = grad;
    this.cols = (int) grad.cols();
    this.rowsInBlock = Math.max(1, BLOCK / Math.max(1, cols));
    this.tasks = parallel.splits(grad.values().numel()) ? 4 * parallel.threads() : 1;
    this.scratch = new float[4 * tasks][];
  }

  /** Runs on the rows in parts; those left over, at the end, are none. */
  private void run(Parallel.Task task) {
    parallel.run(tasks, task);
  }

  /** Where part p begins. */
  private int start(int p) {
    return (int) (grad.ids().numel() * p / tasks);
  }

  void adam(AdamSlot s, AdamHyper h) {
    double step = -(h.lr() * Math.sqrt(h.biasCorrection2()) / h.biasCorrection1());
    if (grad.values().dtype() == DType.F32) {
      run(p -> adamF32(s, h, step, p));
    } else {
      run(p -> adamF64(s, h, step, p));
    }
  }

  private void adamF32(AdamSlot s, AdamHyper h, double step, int task) {
    long[] ids = i64(grad.ids());
    float[] theta = scratch(4 * task);
    float[] m = scratch(4 * task + 1);
    float[] v = scratch(4 * task + 2);
    float[] g = scratch(4 * task + 3);
    int end = start(task + 1);
    for (int lo = start(task); lo < end && ids[lo] >= 0; lo += rowsInBlock) {
      int hi = Math.min(end, lo + rowsInBlock);
      int n = 0;
      while (lo + n < hi && ids[lo + n] >= 0) {
        int from = (int) ids[lo + n] * cols;
        System.arraycopy(f32(s.param()), from, theta, n * cols, cols);
        System.arraycopy(f32(s.expAvg()), from, m, n * cols, cols);
        System.arraycopy(f32(s.expAvgSq()), from, v, n * cols, cols);
        n++;
      }
      System.arraycopy(f32(grad.values()), lo * cols, g, 0, n * cols);
      adam(
          theta,
          m,
          v,
          g,
          n * cols,
          h.maximize() ? -1 : 1,
          (float) (1 - h.beta1()),
          (float) (1 - h.beta2()),
          (float) h.eps(),
          (float) step);
      for (int k = 0; k < n; k++) {
        int to = (int) ids[lo + k] * cols;
        System.arraycopy(theta, k * cols, f32(s.param()), to, cols);
        System.arraycopy(m, k * cols, f32(s.expAvg()), to, cols);
        System.arraycopy(v, k * cols, f32(s.expAvgSq()), to, cols);
      }
    }
  }

  private float[] scratch(int index) {
    if (scratch[index] == null) {
      scratch[index] = new float[rowsInBlock * cols];
    }
    return scratch[index];
  }

  private static void adam(
      float[] theta,
      float[] m,
      float[] v,
      float[] grad,
      int n,
      float sign,
      float w,
      float c,
      float eps,
      float step) {
    for (int i = 0; i < n; i++) {
      float g = grad[i] * sign;
      float mean = m[i] + (g - m[i]) * w;
      float square = v[i] + (g * g - v[i]) * c;
      m[i] = mean;
      v[i] = square;
      theta[i] = theta[i] + step * (mean / ((float) Math.sqrt(square) + eps));
    }
  }

  private void adamF64(AdamSlot s, AdamHyper h, double step, int task) {
    long[] ids = i64(grad.ids());
    double[] theta = f64(s.param());
    double[] m = f64(s.expAvg());
    double[] v = f64(s.expAvgSq());
    double[] values = f64(grad.values());
    for (int k = start(task); k < start(task + 1) && ids[k] >= 0; k++) {
      int to = (int) ids[k] * cols;
      for (int i = to; i < to + cols; i++) {
        double g = values[k * cols + i - to] * (h.maximize() ? -1 : 1);
        m[i] = m[i] + (g - m[i]) * (1 - h.beta1());
        v[i] = v[i] + (g * g - v[i]) * (1 - h.beta2());
        theta[i] = theta[i] + step * (m[i] / (Math.sqrt(v[i]) + h.eps()));
      }
    }
  }

  void sgd(SgdSlot s, SgdHyper h, boolean fma) {
    double step = h.maximize() ? h.lr() : -h.lr();
    if (grad.values().dtype() == DType.F32) {
      run(p -> sgdF32(f32(s.param()), (float) step, fma, p));
    } else {
      run(p -> sgdF64(f64(s.param()), step, p));
    }
  }

  private void sgdF32(float[] theta, float step, boolean fma, int task) {
    long[] ids = i64(grad.ids());
    float[] values = f32(grad.values());
    for (int k = start(task); k < start(task + 1) && ids[k] >= 0; k++) {
      int to = (int) ids[k] * cols;
      int from = k * cols;
      for (int i = 0; i < cols; i++) {
        theta[to + i] = Scalars.multiplyAdd(step, values[from + i], theta[to + i], fma);
      }
    }
  }

  private void sgdF64(double[] theta, double step, int task) {
    long[] ids = i64(grad.ids());
    double[] values = f64(grad.values());
    for (int k = start(task); k < start(task + 1) && ids[k] >= 0; k++) {
      int to = (int) ids[k] * cols;
      for (int i = 0; i < cols; i++) {
        theta[to + i] = Math.fma(step, values[k * cols + i], theta[to + i]);
      }
    }
  }
}
