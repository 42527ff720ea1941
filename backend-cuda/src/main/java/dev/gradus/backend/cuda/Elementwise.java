package dev.gradus.backend.cuda;

import static dev.gradus.backend.cuda.KernelTable.sizeSuffix;
import static dev.gradus.backend.cuda.KernelTable.suffix;
import static dev.gradus.backend.cuda.KernelTable.unsupported;

import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.Philox;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;

/** Operations on each element by itself: {@code elementwise.cu} and {@code random.cu}. */
final class Elementwise {
  /** Elements that a thread takes at a time; some kernels take fewer, and more turns. */
  private static final int PACK = 4;

  private final CudaDevice device;
  private final Kernels kernels;
  private final KernelTable<UnaryOp> unary;
  private final KernelTable<UnaryOp> unaryGrad;
  private final KernelTable<BinaryOp> binary;
  private final KernelTable<TernaryOp> ternary;

  Elementwise(CudaDevice device) {
    this.device = device;
    this.kernels = device.kernels();
    this.unary = new KernelTable<>(kernels, UnaryOp.class, "");
    this.unaryGrad = new KernelTable<>(kernels, UnaryOp.class, "_grad");
    this.binary = new KernelTable<>(kernels, BinaryOp.class, "");
    this.ternary = new KernelTable<>(kernels, TernaryOp.class, "");
  }

  private void run(LaunchBlock launch, Kernel kernel, long n) {
    launch.run(kernel, device.blocksFor(n, PACK), CudaDevice.THREADS);
  }

  void unary(UnaryOp op, Storage x, Storage out, double a, double b) {
    DType dtype = x.dtype();
    Kernel kernel = unary.get(op, dtype);
    long n = out.numel();
    if (n > 0) {
      run(device.launch().put(x).put(out).put(n).put(dtype, a).put(dtype, b), kernel, n);
    }
  }

  void unaryGrad(UnaryOp op, Storage grad, Storage saved, Storage out, double a, double b) {
    DType dtype = grad.dtype();
    if (!dtype.isFloating()) {
      throw unsupported(KernelTable.name(op) + " gradient", dtype);
    }
    switch (op) {
      case NEG, RSUB_SCALAR -> unary(UnaryOp.NEG, grad, out, 0, 0);
      case ADD_SCALAR -> unary(UnaryOp.MUL_SCALAR, grad, out, 1, 0);
      case MUL_SCALAR, DIV_SCALAR -> unary(op, grad, out, a, 0);
      case RDIV_SCALAR,
          POW_SCALAR,
          RPOW_SCALAR,
          EXP,
          LOG,
          SQRT,
          ABS,
          CLAMP,
          SIGMOID,
          TANH,
          RELU,
          LEAKY_RELU,
          GELU,
          GELU_TANH,
          SILU,
          SOFTPLUS ->
          derivative(unaryGrad.get(op, dtype), grad, saved, out, a, b);
    }
  }

  private void derivative(
      Kernel kernel, Storage grad, Storage saved, Storage out, double a, double b) {
    DType dtype = grad.dtype();
    long n = out.numel();
    if (n > 0) {
      LaunchBlock launch = device.launch().put(grad).put(saved).put(out).put(n);
      run(launch.put(dtype, a).put(dtype, b), kernel, n);
    }
  }

  void binary(BinaryOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out, double a) {
    Kernel kernel = binary.get(op, x.dtype());
    long n = out.numel();
    if (n > 0) {
      LaunchBlock launch = device.launch().put(x).put(y).put(out).put(n);
      spread(launch, x, xs, y, ys, n);
      run(launch.put(x.dtype(), a), kernel, n);
    }
  }

  void compare(CompareOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out) {
    Kernel kernel = kernels.get("compare_" + suffix(x.dtype()));
    long n = out.numel();
    if (n > 0) {
      LaunchBlock launch = device.launch().put(x).put(y).put(out).put(n);
      spread(launch, x, xs, y, ys, n);
      run(launch.put(holds(op)), kernel, n);
    }
  }

  private static void spread(
      LaunchBlock launch, Storage x, Spread xs, Storage y, Spread ys, long n) {
    launch.put(by(x, xs, n)).put(by(y, ys, n)).put(how(xs)).put(how(ys));
  }

  /** What {@code elementwise.cu} calls a spread. */
  private static int how(Spread spread) {
    return switch (spread) {
      case FULL -> 0;
      case SCALAR -> 1;
      case ROW -> 2;
      case COLUMN -> 3;
    };
  }

  /** The number by which an index is divided: the row's elements, or how long one is held. */
  private static long by(Storage x, Spread spread, long n) {
    return switch (spread) {
      case FULL, SCALAR -> 1;
      case ROW -> x.numel();
      case COLUMN -> n / x.numel();
    };
  }

  /** For what a comparison holds: 1 less, 2 equal, 4 greater, 8 one is NaN. */
  private static int holds(CompareOp op) {
    return switch (op) {
      case EQ -> 2;
      case NE -> 1 | 4 | 8;
      case LT -> 1;
      case LE -> 1 | 2;
      case GT -> 4;
      case GE -> 4 | 2;
    };
  }

  void ternary(TernaryOp op, Storage x, Storage y, Storage z, Storage out, double a) {
    DType dtype = out.dtype();
    Kernel kernel =
        switch (op) {
          case WHERE -> kernels.get("where_" + sizeSuffix(dtype.bytes()));
          case ADDCMUL, ADDCDIV, MAX_GRAD, BCE_GRAD -> ternary.get(op, dtype);
        };
    long n = out.numel();
    if (n == 0) {
      return;
    }
    LaunchBlock launch = device.launch().put(x).put(y).put(z).put(out).put(n);
    launch.put(single(x)).put(single(y)).put(single(z));
    run(op == TernaryOp.WHERE ? launch : launch.put(dtype, a), kernel, n);
  }

  private static int single(Storage x) {
    return x.numel() == 1 ? 1 : 0;
  }

  void fill(Storage out, double value) {
    switch (out.dtype()) {
      case F32 -> device.fill(out, Float.floatToRawIntBits((float) value));
      case BOOL -> device.fill(out, (byte) (value != 0 ? 1 : 0));
      case F64 -> fill(out, Double.doubleToRawLongBits(value));
      case I64 -> fill(out, (long) value);
    }
  }

  private void fill(Storage out, long bits) {
    long n = out.numel();
    if ((int) bits == (int) (bits >>> Integer.SIZE)) {
      device.fill(out, (int) bits);
    } else if (n > 0) {
      run(device.launch().put(out).put(n).put(bits), kernels.get("fill_b64"), n);
    }
  }

  void cast(Storage x, Storage out) {
    long n = out.numel();
    if (x.dtype() == out.dtype()) {
      device.copy(x, 0, out, 0, n);
    } else if (n > 0) {
      String name = "cast_" + suffix(x.dtype()) + "_" + suffix(out.dtype());
      run(device.launch().put(x).put(out).put(n), kernels.get(name), n);
    }
  }

  void dropout(Storage x, Storage out, double p, long seed, long offset) {
    DType dtype = x.dtype();
    if (!dtype.isFloating()) {
      throw unsupported("dropout", dtype);
    }
    long n = out.numel();
    if (n > 0) {
      CudaRecording r = device.recording();
      LaunchBlock launch = device.launch().put(x).put(out).put(n).put(seed);
      if (r == null) {
        launch.put(offset).put(0L);
      } else {
        launch.put(offset - r.offset()).put(r.random());
      }
      launch.put(dtype, p == 1 ? 0 : 1 / (1 - p)).put(Philox.threshold(p));
      run(launch, kernels.get("dropout_" + suffix(dtype)), n);
    }
  }
}
