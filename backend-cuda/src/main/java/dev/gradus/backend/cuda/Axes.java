package dev.gradus.backend.cuda;

import static dev.gradus.backend.cuda.KernelTable.suffix;
import static dev.gradus.backend.cuda.KernelTable.unsupported;

import dev.gradus.spi.Axis;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import org.jspecify.annotations.Nullable;

/** Reductions along one axis: {@code reduce.cu}. */
final class Axes {
  /** Lanes of a warp, and columns that a block of threads has side by side. */
  static final int WARP = 32;

  /** Rows of threads of a block of columns, and rows of a block of short rows. */
  static final int SHARE = 8;

  /** The longest row that a warp takes alone. */
  static final long SHORT = 512;

  /** The longest row of a small block: with few elements each, its threads mostly wait. */
  static final long MIDDLE = 2048;

  /** Threads of a small block. */
  static final int MIDDLE_THREADS = 128;

  // Few results are split into pieces until there is work for a large device; by the sizes alone.
  private static final long ENOUGH_BLOCKS = 512;
  private static final long LEAST_PIECE_OF_ROW = 4096;
  private static final long LEAST_PIECE_OF_COLUMN = 64;

  private final CudaDevice device;
  private final Kernels kernels;

  Axes(CudaDevice device) {
    this.device = device;
    this.kernels = device.kernels();
  }

  void reduce(ReduceOp op, Storage x, Axis axis, Storage out, boolean accumulate) {
    DType dtype = x.dtype();
    String name = KernelTable.name(op);
    if (dtype == DType.BOOL) {
      throw unsupported(name, dtype);
    }
    long results = axis.reduced();
    if (results == 0) {
      return;
    }
    boolean rows = axis.inner() == 1;
    long least = rows ? LEAST_PIECE_OF_ROW : LEAST_PIECE_OF_COLUMN;
    long most = ENOUGH_BLOCKS / ceil(results, rows ? 1 : WARP);
    long piece = Math.max(least, ceil(axis.length(), Math.max(1, most)));
    int pieces = (int) Math.max(1, ceil(axis.length(), piece));
    String type = suffix(dtype);
    if (pieces == 1) {
      run(name, type, x, null, out, axis, piece, 1, accumulate);
      return;
    }
    // A float sum is taken in double.
    boolean widened = op == ReduceOp.SUM && dtype == DType.F32;
    CudaStorage partial = device.allocate(widened ? DType.F64 : dtype, pieces * results);
    try {
      run(name, type, x, partial, out, axis, piece, pieces, false);
      Axis rest = new Axis(1, pieces, results);
      String last = widened ? suffix(DType.F64) + "_" + type : type;
      run(name, last, partial, null, out, rest, pieces, 1, accumulate);
    } finally {
      device.free(partial);
    }
  }

  private void run(
      String op,
      String type,
      Storage x,
      @Nullable Storage partial,
      Storage out,
      Axis axis,
      long piece,
      int pieces,
      boolean accumulate) {
    boolean rows = axis.inner() == 1;
    Kernel kernel = kernels.get(op + (rows ? "_rows_" : "_columns_") + type);
    long results = axis.reduced();
    LaunchBlock launch = device.launch().put(x);
    launch = partial == null ? launch.put(0L) : launch.put(partial);
    launch.put(out);
    launch.put(results).put(axis.length()).put(axis.inner()).put(piece).put(accumulate ? 1 : 0);
    if (!rows) {
      launch.run(kernel, ceil(results, WARP), pieces, WARP, SHARE);
    } else if (Math.min(piece, axis.length()) <= SHORT) {
      launch.run(kernel, ceil(results, SHARE), pieces, WARP, SHARE);
    } else {
      int threads = axis.length() <= MIDDLE ? MIDDLE_THREADS : CudaDevice.THREADS;
      launch.run(kernel, results, pieces, threads, 1);
    }
  }

  void argReduce(boolean greatest, Storage x, Axis axis, Storage out) {
    if (x.dtype() == DType.BOOL) {
      throw unsupported(greatest ? "argmax" : "argmin", x.dtype());
    }
    long results = axis.reduced();
    if (results > 0) {
      LaunchBlock launch = device.launch().put(x).put(out).put(results).put(axis.length());
      launch.put(axis.inner()).put(greatest ? 1 : 0);
      launch.run(kernels.get("arg_" + suffix(x.dtype())), ceil(results, SHARE), 1, WARP, SHARE);
    }
  }

  static long ceil(long n, long by) {
    return (n + by - 1) / by;
  }
}
