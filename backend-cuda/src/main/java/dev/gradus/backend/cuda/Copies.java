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

  // Squares of a matrix that is turned: what copy.cu says.
  private static final int SQUARE = 32;
  private static final int STRIPE = 8;

  /** The least side of such a matrix: of a shorter one most of a square would be empty. */
  private static final int LEAST_TURNED = 8;

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
      return;
    }
    boolean turned = block.arrangeTurned();
    if (block.dimensions > MOST_DIMENSIONS + (turned ? 2 : 0)) {
      int last = --block.dimensions;
      block.numel /= block.size[last];
      for (long i = 0; i < block.size[last]; i++) {
        copy(block.copy(), src, from + i * block.from[last], dst, to + i * block.to[last]);
      }
    } else if (turned) {
      turn(block, src, from, dst, to);
    } else {
      int bytes = src.dtype().bytes();
      int unit = WIDEST / bytes;
      boolean wide = from % unit == 0 && to % unit == 0 && block.widen(unit);
      LaunchBlock launch = device.launch().put(src, from).put(dst, to).put(block.numel);
      put(launch, block, 0);
      Kernel kernel = kernels.get("copy_" + sizeSuffix(wide ? WIDEST : bytes));
      launch.run(kernel, device.blocksFor(block.numel, 1), CudaDevice.THREADS);
    }
  }

  private void turn(Block block, Storage src, long from, Storage dst, long to) {
    long columns = block.size[0];
    long rows = block.size[1];
    long matrices = block.numel / (columns * rows);
    long squares = matrices * Axes.ceil(columns, SQUARE) * Axes.ceil(rows, SQUARE);
    LaunchBlock launch = device.launch().put(src, from).put(dst, to);
    launch.put(rows).put(columns).put(block.from[1]).put(block.to[0]);
    put(launch, block, 2);
    Kernel kernel = kernels.get("turn_" + sizeSuffix(src.dtype().bytes()));
    launch.run(kernel, squares, 1, SQUARE, STRIPE);
  }

  /** The dimensions behind the first so many. */
  private static void put(LaunchBlock launch, Block block, int first) {
    for (long[] values : new long[][] {block.size, block.from, block.to}) {
      for (int d = first; d < first + MOST_DIMENSIONS; d++) {
        launch.put(d < block.dimensions ? values[d] : 0);
      }
    }
    launch.put(block.dimensions - first);
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

    /**
     * Where the source lies side by side in another dimension than the result, and both are long
     * enough: brings the source's to the first place and the result's to the second. Else false.
     */
    boolean arrangeTurned() {
      int source = sideBySide(from);
      int result = sideBySide(to);
      if (source == result || source < 0 || result < 0) {
        return false;
      }
      bringTo(0, source);
      bringTo(1, result < source ? result + 1 : result);
      return true;
    }

    /** The first long dimension of stride 1; -1 if there is none. */
    private int sideBySide(long[] strides) {
      for (int d = 0; d < dimensions; d++) {
        if (strides[d] == 1 && size[d] >= LEAST_TURNED) {
          return d;
        }
      }
      return -1;
    }

    private void bringTo(int place, int d) {
      for (long[] values : new long[][] {size, from, to}) {
        long moved = values[d];
        System.arraycopy(values, place, values, place + 1, d - place);
        values[place] = moved;
      }
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
