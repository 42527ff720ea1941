package dev.gradus.backend.cuda;

import static dev.gradus.backend.cuda.KernelTable.suffix;
import static dev.gradus.backend.cuda.KernelTable.unsupported;

import dev.gradus.spi.Gemm;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Matrix products, by cuBLAS; where it is missing by {@code gemm.cu}, which is slower. */
final class Products {
  /** Elements of C that a block of {@code gemm.cu} computes, in each direction. */
  private static final long TILE = 64;

  private static final long MOST_BLOCKS_Y = 65_535;

  // What cuBLAS is told to work in, so that it does not allocate in the middle of a step.
  private static final int HOPPER = 9;
  private static final long HOPPER_WORKSPACE = 32L << 20;
  private static final long WORKSPACE = 4L << 20;

  private static final int ONE_F32 = 0;
  private static final int ZERO_F32 = 8;
  private static final int ONE_F64 = 16;
  private static final int ZERO_F64 = 24;
  private static final int NUMBERS = 32;

  private final CudaDevice device;
  private final CuBlas.@Nullable Handle blas;
  private final String description;
  private final Cu.HostPointer oneF32;
  private final Cu.HostPointer zeroF32;
  private final Cu.HostPointer oneF64;
  private final Cu.HostPointer zeroF64;

  /**
   * Products of a device.
   *
   * @param libraries where cuBLAS is looked for
   */
  Products(CudaDevice device, BlasLibrary libraries) {
    this.device = device;
    Cu.Host numbers = device.pin(NUMBERS);
    ByteBuffer buffer = numbers.buffer();
    buffer.putFloat(ONE_F32, 1).putFloat(ZERO_F32, 0).putDouble(ONE_F64, 1).putDouble(ZERO_F64, 0);
    this.oneF32 = new Cu.HostPointer(numbers.address() + ONE_F32);
    this.zeroF32 = new Cu.HostPointer(numbers.address() + ZERO_F32);
    this.oneF64 = new Cu.HostPointer(numbers.address() + ONE_F64);
    this.zeroF64 = new Cu.HostPointer(numbers.address() + ZERO_F64);
    this.blas = libraries.isLoaded() ? open() : null;
    this.description = blas == null ? libraries.description() : describe(blas);
  }

  private CuBlas.Handle open() {
    CuBlas.Handle handle = new CuBlas.Handle();
    Status status = device.status();
    status.checkBlas(CuBlas.create(handle), "opening cuBLAS");
    long bytes = device.attribute(Cu.Attribute.MAJOR) >= HOPPER ? HOPPER_WORKSPACE : WORKSPACE;
    long workspace = device.memory().allocate(bytes).address();
    status.checkBlas(CuBlas.stream(handle, device.compute()), "giving cuBLAS its stream");
    status.checkBlas(CuBlas.workspace(handle, workspace, bytes), "giving cuBLAS its workspace");
    status.checkBlas(CuBlas.tf32(handle, device.settings().tf32()), "telling cuBLAS the precision");
    return handle;
  }

  private String describe(CuBlas.Handle handle) {
    int[] version = new int[1];
    device.status().checkBlas(CuBlas.version(handle, version), "asking cuBLAS for its version");
    int number = version[0];
    return "cuBLAS " + number / 10_000 + "." + number / 100 % 100 + "." + number % 100;
  }

  /** What computes products, and why not cuBLAS. */
  String description() {
    return description;
  }

  void run(Gemm sizes, Storage a, Storage b, Storage c) {
    DType dtype = c.dtype();
    if (!dtype.isFloating()) {
      throw unsupported("gemm", dtype);
    }
    if (sizes.m() * sizes.n() * sizes.batch() == 0) {
      return;
    }
    if (sizes.k() == 0) {
      if (!sizes.accumulate()) {
        device.fill(c, (byte) 0);
      }
    } else if (blas == null) {
      own(sizes, a, b, c);
    } else {
      byCuBlas(blas, sizes, a, b, c);
    }
  }

  private void byCuBlas(CuBlas.Handle handle, Gemm s, Storage a, Storage b, Storage c) {
    device.enter();
    int status;
    try {
      CuBlas.Product product = product(s, a, b, c);
      // A handle is for one thread at a time.
      synchronized (handle) {
        boolean single = c.dtype() == DType.F32;
        status = single ? CuBlas.sgemm(handle, product) : CuBlas.dgemm(handle, product);
      }
    } finally {
      Reference.reachabilityFence(a);
      Reference.reachabilityFence(b);
      Reference.reachabilityFence(c);
    }
    if (status != CuBlas.SUCCESS) {
      device.status().checkBlas(status, "product " + s);
    }
    device.settle("product by cuBLAS");
  }

  // A row-major matrix is its transpose in cuBLAS's order, so the operands change places.
  private CuBlas.Product product(Gemm s, Storage a, Storage b, Storage c) {
    boolean single = c.dtype() == DType.F32;
    Cu.HostPointer one = single ? oneF32 : oneF64;
    Cu.HostPointer zero = single ? zeroF32 : zeroF64;
    long leadingA = s.transA() ? s.m() : s.k();
    long leadingB = s.transB() ? s.k() : s.n();
    return new CuBlas.Product(
        s.transB(),
        s.transA(),
        s.n(),
        s.m(),
        s.k(),
        s.batch(),
        new CuBlas.Matrix(CudaStorage.of(b).address(), leadingB, s.strideB()),
        new CuBlas.Matrix(CudaStorage.of(a).address(), leadingA, s.strideA()),
        new CuBlas.Matrix(CudaStorage.of(c).address(), s.n(), s.m() * s.n()),
        one,
        s.accumulate() ? one : zero);
  }

  private void own(Gemm s, Storage a, Storage b, Storage c) {
    Kernel kernel = device.kernels().get("gemm_" + suffix(c.dtype()));
    LaunchBlock launch = device.launch().put(a).put(b).put(c);
    launch.put(s.m()).put(s.n()).put(s.k()).put(s.batch()).put(s.strideA()).put(s.strideB());
    launch.put(s.transA() ? 1L : s.k()).put(s.transA() ? s.m() : 1L);
    launch.put(s.transB() ? 1L : s.n()).put(s.transB() ? s.k() : 1L);
    launch.put(s.accumulate() ? 1 : 0);
    long blocks = Axes.ceil(s.m(), TILE) * Axes.ceil(s.n(), TILE);
    int batch = (int) Math.min(s.batch(), MOST_BLOCKS_Y);
    launch.run(kernel, blocks, batch, CudaDevice.THREADS, 1);
  }

  void close() {
    if (blas != null) {
      Status.ignore(CuBlas.destroy(blas));
    }
  }
}
