package dev.gradus.tensor;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Backends;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * An open device: where tensors live, and the maker of those that are not computed from others. It
 * has a random stream of its own, drawn on the host so that one seed gives one model on every
 * backend.
 */
public final class Device implements AutoCloseable {
  /** The seed that a device starts with. */
  private static final long DEFAULT_SEED = 67280421310721L;

  private final Backend backend;
  private final Memory memory;
  private final Profiler profiler;
  private final Generator generator = new Generator(DEFAULT_SEED);
  private volatile boolean open = true;

  /** A device over a backend that tells this profiler what it computes. */
  Device(Backend backend, Profiler profiler) {
    this.backend = backend;
    this.memory = new Memory(backend);
    this.profiler = profiler;
  }

  /**
   * Opens the best usable device: the one that {@code -Dgradus.backend} or {@code GRADUS_BACKEND}
   * names, else that of the backend with the highest priority.
   *
   * @throws dev.gradus.spi.BackendException if there is none; the text tells why for each
   */
  public static Device open() {
    return over(Backends.open(null));
  }

  /**
   * Opens the device asked for, and no other.
   *
   * @param name {@code cpu}, {@code cuda}, {@code cuda:1}
   * @throws dev.gradus.spi.BackendException if it cannot be used; the text tells why and the way
   *     out
   */
  public static Device open(String name) {
    return over(Backends.open(name));
  }

  /** A device over a backend of one's own; closing the device closes the backend. */
  public static Device over(Backend backend) {
    return new Device(backend, Profiler.off());
  }

  /** Its name in messages and prints: {@code cpu}, {@code cuda:0}. */
  public String name() {
    return backend.deviceName();
  }

  /**
   * What computes on this device: for optimizers and for those who write a backend.
   *
   * @throws IllegalStateException if the device is closed
   */
  public Backend backend() {
    requireOpen();
    return backend;
  }

  /** What measures this device: the profiler that opened it, else {@link Profiler#off()}. */
  public Profiler profiler() {
    return profiler;
  }

  Memory memory() {
    return memory;
  }

  boolean isOpen() {
    return open;
  }

  void requireOpen() {
    if (!open) {
      throw new IllegalStateException(
          "device '" + backend.deviceName() + "' is closed; tensors end with their device");
    }
  }

  /** The random stream that initial values and dropout are drawn from. */
  public Generator generator() {
    return generator;
  }

  /** Starts the random stream anew; one seed gives the same numbers on every backend. */
  public void manualSeed(long seed) {
    generator.manualSeed(seed);
  }

  /** The bytes that living tensors take on this device. */
  public long bytesInUse() {
    return memory.liveBytes();
  }

  /** The bytes that are kept on this device for the next tensors. */
  public long bytesPooled() {
    return memory.pooledBytes();
  }

  /** Gives what is kept for the next tensors back: to the heap on the CPU, else to the device. */
  public void trim() {
    requireOpen();
    memory.trim();
  }

  /** Waits until everything asked of this device is done. */
  public void synchronize() {
    backend().synchronize();
  }

  /** Ends the device and every tensor on it; a second call does nothing. */
  @Override
  public void close() {
    if (open) {
      open = false;
      try {
        memory.close();
      } finally {
        backend.close();
      }
    }
  }

  /** The device's name. */
  @Override
  public String toString() {
    return name();
  }

  /**
   * A training step that is recorded, and replayed as a whole: on a GPU the host then asks for one
   * thing a step, not for each operation. See {@link CapturedStep} for what a step may do; where
   * the backend records nothing it just runs.
   *
   * @param inputs the tensors of this device that bring the batch; {@link Tensor#copyFrom} them
   *     before each run
   * @param body computes one step, reads no value of it, and returns its result, such as the loss
   */
  public CapturedStep capture(List<Tensor> inputs, Supplier<Tensor> body) {
    return new CapturedStep(this, inputs, body);
  }

  // ---- tensors from host values

  private Tensor upload(DType dtype, Shape shape, int length, Buffer values) {
    if (shape.numel() != length) {
      throw new IllegalArgumentException(
          "tensor: "
              + length
              + " values do not fill the shape "
              + shape
              + " of "
              + shape.numel()
              + " elements");
    }
    Tensor t = Tensor.born(this, shape, dtype);
    backend.upload(values, t.storage());
    return t;
  }

  private static Shape shapeOr(long[] dims, int length) {
    return dims.length == 0 ? Shape.of(length) : Shape.of(dims);
  }

  /**
   * A float32 tensor with these values, row by row.
   *
   * @param dims its shape; none for a vector
   * @throws IllegalArgumentException if the values do not fill the shape
   */
  public Tensor tensor(float[] values, long... dims) {
    return tensor(values, shapeOr(dims, values.length));
  }

  /**
   * A float32 tensor with these values, row by row; a scalar where the shape has no dimensions.
   *
   * @throws IllegalArgumentException if the values do not fill the shape
   */
  public Tensor tensor(float[] values, Shape shape) {
    return upload(DType.F32, shape, values.length, FloatBuffer.wrap(values));
  }

  /** A float64 tensor with these values, row by row; without dims a vector. */
  public Tensor tensor(double[] values, long... dims) {
    return tensor(values, shapeOr(dims, values.length));
  }

  /** A float64 tensor with these values in this shape, row by row. */
  public Tensor tensor(double[] values, Shape shape) {
    return upload(DType.F64, shape, values.length, DoubleBuffer.wrap(values));
  }

  /** An int64 tensor with these values, row by row; without dims a vector. */
  public Tensor tensor(long[] values, long... dims) {
    return tensor(values, shapeOr(dims, values.length));
  }

  /** An int64 tensor with these values in this shape, row by row. */
  public Tensor tensor(long[] values, Shape shape) {
    Tensor t = upload(DType.I64, shape, values.length, LongBuffer.wrap(values));
    t.idRange(IdRange.of(values));
    return t;
  }

  /** A bool tensor with these values, row by row; without dims a vector. */
  public Tensor tensor(boolean[] values, long... dims) {
    return tensor(values, shapeOr(dims, values.length));
  }

  /** A bool tensor with these values in this shape, row by row. */
  public Tensor tensor(boolean[] values, Shape shape) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (values[i] ? 1 : 0);
    }
    return upload(DType.BOOL, shape, bytes.length, ByteBuffer.wrap(bytes));
  }

  /** A float32 matrix with these rows, all of one length. */
  public Tensor tensor(float[][] rows) {
    int cols = rows.length == 0 ? 0 : rows[0].length;
    float[] flat = new float[rows.length * cols];
    for (int i = 0; i < rows.length; i++) {
      if (rows[i].length != cols) {
        throw new IllegalArgumentException(
            "tensor: row "
                + i
                + " has "
                + rows[i].length
                + " values but row 0 has "
                + cols
                + "; rows must have one length");
      }
      System.arraycopy(rows[i], 0, flat, i * cols, cols);
    }
    return tensor(flat, rows.length, cols);
  }

  /** A float32 scalar: a tensor without dimensions. */
  public Tensor scalar(double value) {
    return full(DType.F32, value);
  }

  // ---- tensors from a rule

  /**
   * A tensor with one value everywhere. Without dims a scalar.
   *
   * @param value for bool 0 or 1, for int64 a whole number in [-2^63, 2^63)
   */
  public Tensor full(DType dtype, double value, long... dims) {
    Checks.fits("full", dtype, value);
    Tensor t = Tensor.born(this, Shape.of(dims), dtype);
    backend.fill(t.storage(), value);
    return t;
  }

  /** A float32 tensor of zeros. */
  public Tensor zeros(long... dims) {
    return full(DType.F32, 0, dims);
  }

  /** A tensor of zeros. */
  public Tensor zeros(DType dtype, long... dims) {
    return full(dtype, 0, dims);
  }

  /** A float32 tensor of ones. */
  public Tensor ones(long... dims) {
    return full(DType.F32, 1, dims);
  }

  /** A tensor of ones. */
  public Tensor ones(DType dtype, long... dims) {
    return full(dtype, 1, dims);
  }

  /** The whole numbers from 0 to {@code end - 1}, int64. */
  public Tensor arange(long end) {
    return arange(0, end);
  }

  /** The whole numbers from {@code start} to {@code end - 1}, int64. */
  public Tensor arange(long start, long end) {
    if (end < start) {
      throw new IllegalArgumentException(
          "arange: end must be >= start but they are " + end + " and " + start);
    }
    String what = "arange: [" + start + ", " + end + ")";
    long[] values = new long[Checks.arrayLength(what, end - start, "make it in parts")];
    Arrays.setAll(values, i -> start + i);
    return tensor(values);
  }

  // ---- tensors from the random stream

  /** Float32 numbers drawn uniformly from [0, 1). */
  public Tensor rand(long... dims) {
    return uniform(DType.F32, 0, 1, dims);
  }

  /** Float32 numbers drawn from the standard normal distribution. */
  public Tensor randn(long... dims) {
    return normal(DType.F32, 0, 1, dims);
  }

  /** Numbers drawn uniformly from [from, to). */
  public Tensor uniform(DType dtype, double from, double to, long... dims) {
    Tensor t = Tensor.born(this, Shape.of(dims), requireFloating("uniform", dtype));
    fillUniform(t, from, to);
    return t;
  }

  /** Numbers drawn from the normal distribution with this mean and standard deviation. */
  public Tensor normal(DType dtype, double mean, double std, long... dims) {
    Tensor t = Tensor.born(this, Shape.of(dims), requireFloating("normal", dtype));
    fillNormal(t, mean, std);
    return t;
  }

  /** Whole numbers drawn uniformly from [low, high), int64. */
  public Tensor randint(long low, long high, long... dims) {
    Shape shape = Shape.of(dims);
    String what = "randint: a tensor " + shape;
    long[] values = new long[Checks.arrayLength(what, shape.numel(), "draw it in parts")];
    generator.randint(values, low, high);
    return tensor(values, shape);
  }

  /** The whole numbers from 0 to {@code n - 1} in random order, int64. */
  public Tensor randperm(int n) {
    if (n < 0) {
      throw new IllegalArgumentException("randperm: n must be >= 0 but is " + n);
    }
    long[] values = new long[n];
    generator.randperm(values);
    return tensor(values);
  }

  private static DType requireFloating(String who, DType dtype) {
    if (!dtype.isFloating()) {
      throw new UnsupportedOperationException(
          who + ": draws float32 or float64, not " + dtype.label());
    }
    return dtype;
  }

  /** Overwrites a tensor of this device with uniform numbers from [from, to). */
  void fillUniform(Tensor t, double from, double to) {
    Storage out = t.storage();
    if (t.dtype() == DType.F32) {
      float[] values = new float[Transfer.length(t)];
      generator.uniform(values, from, to);
      backend.upload(FloatBuffer.wrap(values), out);
    } else {
      double[] values = new double[Transfer.length(t)];
      generator.uniform(values, from, to);
      backend.upload(DoubleBuffer.wrap(values), out);
    }
  }

  /** Overwrites a tensor of this device with normal numbers. */
  void fillNormal(Tensor t, double mean, double std) {
    Storage out = t.storage();
    if (t.dtype() == DType.F32) {
      float[] values = new float[Transfer.length(t)];
      generator.normal(values, mean, std);
      backend.upload(FloatBuffer.wrap(values), out);
    } else {
      double[] values = new double[Transfer.length(t)];
      generator.normal(values, mean, std);
      backend.upload(DoubleBuffer.wrap(values), out);
    }
  }
}
