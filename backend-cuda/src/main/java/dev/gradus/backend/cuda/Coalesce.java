package dev.gradus.backend.cuda;

import static dev.gradus.backend.cuda.KernelTable.suffix;
import static dev.gradus.backend.cuda.KernelTable.unsupported;

import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows summed by their ids, which stand in the order in which they appear: {@code coalesce.cu}. An
 * id's rows are added in their order, unless the settings let atomic operations add them in any.
 */
final class Coalesce {
  private static final int SCAN_THREADS = 1024;
  private static final int MOST_TILES = 64;

  private final CudaDevice device;
  private final Kernels kernels;
  private final Scatter scatter;

  Coalesce(CudaDevice device, Scatter scatter) {
    this.device = device;
    this.kernels = device.kernels();
    this.scatter = scatter;
  }

  void run(Storage ids, long skip, Storage rows, Gradient.Rows out, boolean accumulate) {
    DType dtype = rows.dtype();
    if (!dtype.isFloating()) {
      throw unsupported("coalesce", dtype);
    }
    long places = out.ids().numel();
    long had = accumulate ? places : 0;
    long count = had + ids.numel();
    List<CudaStorage> work = new ArrayList<>();
    try {
      CudaStorage all = add(work, count);
      CudaStorage first = add(work, count);
      CudaStorage run = add(work, places);
      device.fill(first, (byte) 0);
      if (count == 0) {
        place(all, first, run, out.ids());
        return;
      }
      LaunchBlock join = device.launch().put(out.ids()).put(had).put(ids).put(ids.numel());
      each(join.put(skip).put(all), "coalesce_ids", count);
      CudaStorage keys = scatter.sorted(all, -1);
      work.add(keys);
      LaunchBlock begin = device.launch().put(keys).put(count).put(Scatter.bits(count)).put(first);
      each(begin, "coalesce_first", count);
      place(all, first, run, out.ids());
      if (out.values().numel() > 0) {
        if (device.settings().atomics()) {
          sumInAnyOrder(dtype, keys, run, first, rows, had, out);
        } else {
          sum(dtype, keys, run, count, rows, had, out);
        }
      }
    } finally {
      work.forEach(device::free);
    }
  }

  private CudaStorage add(List<CudaStorage> work, long count) {
    CudaStorage s = device.allocate(DType.I64, count);
    work.add(s);
    return s;
  }

  private void place(Storage all, Storage first, Storage run, Storage ids) {
    LaunchBlock launch = device.launch().put(all).put(first).put(all.numel()).put(ids).put(run);
    launch.put(ids.numel()).run(kernels.get("coalesce_places"), 1, SCAN_THREADS);
  }

  private void each(LaunchBlock launch, String kernel, long count) {
    launch.run(kernels.get(kernel), device.blocksFor(count, 1), CudaDevice.THREADS);
  }

  private void sum(
      DType dtype,
      CudaStorage keys,
      CudaStorage run,
      long count,
      Storage rows,
      long had,
      Gradient.Rows out) {
    long places = run.numel();
    LaunchBlock launch = device.launch().put(keys).put(run).put(count).put(Scatter.bits(count));
    launch.put(rows).put(had).put(out.values()).put(places).put(out.cols());
    int tiles = (int) Math.min(Axes.ceil(out.cols(), Axes.WARP), MOST_TILES);
    Kernel kernel = kernels.get("coalesce_" + suffix(dtype));
    launch.run(kernel, Axes.ceil(places, Axes.SHARE), tiles, Axes.WARP, Axes.SHARE);
  }

  private void sumInAnyOrder(
      DType dtype,
      CudaStorage keys,
      CudaStorage run,
      CudaStorage place,
      Storage rows,
      long had,
      Gradient.Rows out) {
    long count = place.numel();
    int bits = Scatter.bits(count);
    LaunchBlock zeros = device.launch().put(keys).put(run).put(bits).put(had);
    zeros.put(out.values()).put(run.numel()).put(out.cols());
    each(zeros, "coalesce_zeros_" + suffix(dtype), run.numel() * out.cols());
    LaunchBlock add = device.launch().put(keys).put(place).put(count).put(bits);
    add.put(rows).put(had).put(out.values()).put(out.cols());
    each(add, "coalesce_atomic_" + suffix(dtype), count * out.cols());
  }
}
