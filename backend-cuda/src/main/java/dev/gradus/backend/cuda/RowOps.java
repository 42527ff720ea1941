package dev.gradus.backend.cuda;

import static dev.gradus.backend.cuda.KernelTable.suffix;
import static dev.gradus.backend.cuda.KernelTable.unsupported;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;

/** Fused operations along rows: {@code rows.cu}. */
final class RowOps {
  private static final long LONG = 8192;
  private static final int MOST_THREADS = 1024;

  private final CudaDevice device;
  private final Kernels kernels;

  RowOps(CudaDevice device) {
    this.device = device;
    this.kernels = device.kernels();
  }

  private Kernel kernel(String name, DType dtype) {
    if (!dtype.isFloating()) {
      throw unsupported(name, dtype);
    }
    return kernels.get(name + "_" + suffix(dtype));
  }

  /** A warp for each short row, a block for each other. */
  private static void run(LaunchBlock launch, Kernel kernel, long rows, long cols) {
    if (cols <= Axes.SHORT) {
      launch.run(kernel, Axes.ceil(rows, Axes.SHARE), 1, Axes.WARP, Axes.SHARE);
    } else {
      int threads = cols <= LONG ? CudaDevice.THREADS : MOST_THREADS;
      launch.run(kernel, rows, cols <= Axes.MIDDLE ? Axes.MIDDLE_THREADS : threads);
    }
  }

  void softmax(boolean log, Storage x, Storage out, long rows, long cols) {
    Kernel kernel = kernel("softmax", x.dtype());
    if (rows * cols > 0) {
      LaunchBlock launch = device.launch().put(x).put(out).put(rows).put(cols);
      run(launch.put(log ? 1 : 0), kernel, rows, cols);
    }
  }

  void softmaxGrad(boolean log, Storage grad, Storage y, Storage out, long rows, long cols) {
    Kernel kernel = kernel("softmax_grad", grad.dtype());
    if (rows * cols > 0) {
      LaunchBlock launch = device.launch().put(grad).put(y).put(out).put(rows).put(cols);
      run(launch.put(log ? 1 : 0), kernel, rows, cols);
    }
  }

  void normalize(Storage x, Storage out, Storage rstd, long rows, long cols, double eps) {
    Kernel kernel = kernel("normalize", x.dtype());
    if (rows * cols > 0) {
      LaunchBlock launch = device.launch().put(x).put(out).put(rstd).put(rows).put(cols);
      run(launch.put(eps), kernel, rows, cols);
    }
  }

  void normalizeGrad(Storage grad, Storage y, Storage rstd, Storage out, long rows, long cols) {
    Kernel kernel = kernel("normalize_grad", grad.dtype());
    if (rows * cols > 0) {
      LaunchBlock launch = device.launch().put(grad).put(y).put(rstd).put(out);
      run(launch.put(rows).put(cols), kernel, rows, cols);
    }
  }

  void nll(
      Storage logp,
      Storage targets,
      Storage out,
      long rows,
      long cols,
      double smoothing,
      long ignore) {
    rowLoss(kernel("nll", logp.dtype()), logp, targets, out, rows, cols, smoothing, ignore);
  }

  void nllGrad(
      Storage grad,
      Storage targets,
      Storage out,
      long rows,
      long cols,
      double smoothing,
      long ignore) {
    rowLoss(kernel("nll_grad", grad.dtype()), grad, targets, out, rows, cols, smoothing, ignore);
  }

  private void rowLoss(
      Kernel kernel,
      Storage in,
      Storage targets,
      Storage out,
      long rows,
      long cols,
      double smoothing,
      long ignore) {
    if (rows * cols > 0) {
      LaunchBlock launch = device.launch().put(in).put(targets).put(out).put(rows).put(cols);
      run(launch.put(ignore).put(smoothing), kernel, rows, cols);
    }
  }
}
