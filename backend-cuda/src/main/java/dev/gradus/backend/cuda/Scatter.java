package dev.gradus.backend.cuda;

import static dev.gradus.backend.cuda.KernelTable.suffix;
import static dev.gradus.backend.cuda.KernelTable.unsupported;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;

/**
 * Sums of rows by their ids: {@code scatter.cu}. In the order of the rows, unless the settings let
 * atomic operations add them in any.
 */
final class Scatter {
  /** Keys that a block sorts in shared memory, at most. */
  private static final int MOST_SORTED = 2048;

  private static final int MOST_THREADS = 1024;
  private static final int MOST_TILES = 64;

  private final CudaDevice device;
  private final Kernels kernels;

  Scatter(CudaDevice device) {
    this.device = device;
    this.kernels = device.kernels();
  }

  void add(Storage x, Axis axis, Storage ids, long skip, Storage out, boolean accumulate) {
    DType dtype = x.dtype();
    if (dtype == DType.BOOL) {
      throw unsupported("scatterAdd", dtype);
    }
    if (!accumulate) {
      device.fill(out, (byte) 0);
    }
    long count = ids.numel();
    long row = axis.outer() * axis.inner();
    if (count == 0 || row == 0) {
      return;
    }
    if (device.settings().atomics() && dtype.isFloating()) {
      addInAnyOrder(x, axis, ids, skip, out);
      return;
    }
    CudaStorage keys = sorted(ids, skip);
    try {
      LaunchBlock launch = device.launch().put(x).put(keys).put(out).put(count);
      launch.put(axis.outer()).put(axis.length()).put(axis.inner()).put(bits(count));
      int tiles = (int) Math.min(Axes.ceil(row, Axes.WARP), MOST_TILES);
      Kernel kernel = kernels.get("scatter_" + suffix(dtype));
      launch.run(kernel, Axes.ceil(count, Axes.SHARE), tiles, Axes.WARP, Axes.SHARE);
    } finally {
      device.free(keys);
    }
  }

  private void addInAnyOrder(Storage x, Axis axis, Storage ids, long skip, Storage out) {
    long count = ids.numel();
    long n = axis.outer() * count * axis.inner();
    LaunchBlock launch = device.launch().put(x).put(ids).put(out).put(count);
    launch.put(axis.length()).put(axis.inner()).put(skip).put(n);
    Kernel kernel = kernels.get("scatter_atomic_" + suffix(x.dtype()));
    launch.run(kernel, device.blocksFor(n, 1), CudaDevice.THREADS);
  }

  /** How many low bits of a key hold the place. */
  static int bits(long count) {
    return Long.SIZE - Long.numberOfLeadingZeros(count - 1);
  }

  /**
   * The keys {@code (id << bits) | place} in ascending order, so by id and then by place. Those of
   * skipped ids, and what there is beyond the number of ids, come last, as -1.
   */
  CudaStorage sorted(Storage ids, long skip) {
    CudaStorage keys = device.allocate(DType.I64, Math.max(2, 1L << bits(ids.numel())));
    try {
      sort(ids, skip, keys);
    } catch (RuntimeException e) {
      device.free(keys);
      throw e;
    }
    return keys;
  }

  private void sort(Storage ids, long skip, CudaStorage keys) {
    long count = ids.numel();
    long padded = keys.numel();
    LaunchBlock launch = device.launch().put(ids).put(keys).put(count).put(padded).put(skip);
    launch.put(bits(count));
    launch.run(kernels.get("sort_keys"), device.blocksFor(padded, 1), CudaDevice.THREADS);
    int span = (int) Math.min(padded, MOST_SORTED);
    near(keys, span, span);
    for (long width = 2L * span; width <= padded; width *= 2) {
      for (long distance = width / 2; distance >= span; distance /= 2) {
        long pairs = padded / 2;
        LaunchBlock far = device.launch().put(keys).put(pairs).put(width).put(distance);
        far.run(kernels.get("sort_far"), device.blocksFor(pairs, 1), CudaDevice.THREADS);
      }
      near(keys, width, span);
    }
  }

  private void near(CudaStorage keys, long width, int span) {
    int threads = Math.min(MOST_THREADS, Math.max(Axes.WARP, span / 2));
    LaunchBlock launch = device.launch().put(keys).put(width).put(span);
    launch.run(kernels.get("sort_near"), keys.numel() / span, threads);
  }
}
