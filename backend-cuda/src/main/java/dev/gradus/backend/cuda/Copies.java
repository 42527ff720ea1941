package dev.gradus.backend.cuda;

import static dev.gradus.backend.cuda.KernelTable.sizeSuffix;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Storage;

/** Copies with strides, and look-ups, of any type: {@code copy.cu}. */
final class Copies {
  /** What {@code copy.cu} takes. */
  private static final int MOST_DIMENSIONS = 8;

  /** The widest load of a thread, in bytes. */
  private static final int WIDEST = 16;

  private final CudaDevice device;
  private final Kernels kernels;

  Copies(CudaDevice device) {
    this.device = device;
    this.kernels = device.kernels();
  }

  void strided(
      long[] shape,
      Storage src,
      long srcOffset,
      long[] srcStrides,
      Storage dst,
      long dstOffset,
      long[] dstStrides) {
    Block block = new Block(shape, srcStrides, dstStrides);
    if (block.numel > 0) {
      copy(block, src, srcOffset, dst, dstOffset);
    }
  }

  private void copy(Block block, Storage src, long from, Storage dst, long to) {
    if (block.isContiguous()) {
      device.copy(src, from, dst, to, block.numel);
    } else if (block.dimensions > MOST_DIMENSIONS) {
      int last = --block.dimensions;
      block.numel /= block.size[last];
      for (long i = 0; i < block.size[last]; i++) {
        copy(block.copy(), src, from + i * block.from[last], dst, to + i * block.to[last]);
      }
    } else {
      int bytes = src.dtype().bytes();
      int unit = WIDEST / bytes;
      boolean wide = from % unit == 0 && to % unit == 0 && block.widen(unit);
      LaunchBlock launch = device.launch().put(src, from).put(dst, to).put(block.numel);
      put(launch, block.size);
      put(launch, block.from);
      put(launch, block.to);
      launch.put(block.dimensions);
      Kernel kernel = kernels.get("copy_" + sizeSuffix(wide ? WIDEST : bytes));
      launch.run(kernel, device.blocksFor(block.numel, 1), CudaDevice.THREADS);
    }
  }

  private static void put(LaunchBlock launch, long[] values) {
    for (int d = 0; d < MOST_DIMENSIONS; d++) {
      launch.put(values[d]);
    }
  }

  /** The dimensions of a copy, the innermost first; those that lie one in the other are one. */
  private static final class Block {
    long[] size;
    long[] from;
    long[] to;
    int dimensions;
    long numel;

    Block(long[] shape, long[] srcStrides, long[] dstStrides) {
      int room = Math.max(shape.length, MOST_DIMENSIONS);
      size = new long[room];
      from = new long[room];
      to = new long[room];
      numel = 1;
      for (int d = shape.length - 1; d >= 0; d--) {
        numel *= shape[d];
        if (shape[d] != 1) {
          add(shape[d], srcStrides[d], dstStrides[d]);
        }
      }
    }

    private void add(long n, long src, long dst) {
      int last = dimensions - 1;
      if (last >= 0 && src == from[last] * size[last] && dst == to[last] * size[last]) {
        size[last] *= n;
      } else {
        size[dimensions] = n;
        from[dimensions] = src;
        to[dimensions] = dst;
        dimensions++;
      }
    }

    Block copy() {
      Block copy = new Block(new long[0], new long[0], new long[0]);
      copy.size = size.clone();
      copy.from = from.clone();
      copy.to = to.clone();
      copy.dimensions = dimensions;
      copy.numel = numel;
      return copy;
    }

    boolean isContiguous() {
      return dimensions == 0 || (dimensions == 1 && from[0] == 1 && to[0] == 1);
    }

    /** Takes so many elements as one, if everything is a multiple of them. */
    boolean widen(int count) {
      boolean fits = from[0] == 1 && to[0] == 1 && size[0] % count == 0;
      for (int d = 1; d < dimensions; d++) {
        fits &= from[d] % count == 0 && to[d] % count == 0;
      }
      if (fits) {
        size[0] /= count;
        numel /= count;
        for (int d = 1; d < dimensions; d++) {
          from[d] /= count;
          to[d] /= count;
        }
      }
      return fits;
    }
  }

  void gather(Storage x, Axis axis, Storage ids, Storage out) {
    int bytes = x.dtype().bytes();
    boolean wide = axis.inner() * bytes % WIDEST == 0;
    int unit = wide ? WIDEST : bytes;
    long inner = axis.inner() * bytes / unit;
    long n = axis.outer() * ids.numel() * inner;
    if (n > 0) {
      LaunchBlock launch = device.launch().put(x).put(ids).put(out).put(n);
      launch.put(axis.length()).put(ids.numel()).put(inner);
      Kernel kernel = kernels.get("gather_" + sizeSuffix(unit));
      launch.run(kernel, device.blocksFor(n, 1), CudaDevice.THREADS);
    }
  }
}
