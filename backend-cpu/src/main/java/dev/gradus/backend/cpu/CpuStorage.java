package dev.gradus.backend.cpu;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;

/** A storage on the host: one Java array of exactly its elements. */
final class CpuStorage implements Storage {
  /** The greatest array length that every JVM grants. */
  static final long MAX_NUMEL = Integer.MAX_VALUE - 8;

  private final DType dtype;
  private final int numel;
  private final Object array;

  private CpuStorage(DType dtype, int numel, Object array) {
    this.dtype = dtype;
    this.numel = numel;
    this.array = array;
  }

  /**
   * A storage of zeros.
   *
   * @throws IllegalArgumentException if no array can have so many elements
   */
  static CpuStorage of(DType dtype, long numel) {
    if (numel > MAX_NUMEL) {
      throw new IllegalArgumentException(
          "cpu: a tensor of "
              + numel
              + " elements is too large; the cpu backend takes at most "
              + MAX_NUMEL
              + " elements");
    }
    int n = (int) numel;
    return switch (dtype) {
      case F32 -> new CpuStorage(dtype, n, new float[n]);
      case F64 -> new CpuStorage(dtype, n, new double[n]);
      case I64 -> new CpuStorage(dtype, n, new long[n]);
      case BOOL -> new CpuStorage(dtype, n, new byte[n]);
    };
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  @Override
  public long numel() {
    return numel;
  }

  static float[] f32(Storage s) {
    return (float[]) ((CpuStorage) s).array;
  }

  static double[] f64(Storage s) {
    return (double[]) ((CpuStorage) s).array;
  }

  static long[] i64(Storage s) {
    return (long[]) ((CpuStorage) s).array;
  }

  static byte[] bool(Storage s) {
    return (byte[]) ((CpuStorage) s).array;
  }

  /** The array, whatever its type, for copies. */
  static Object array(Storage s) {
    return ((CpuStorage) s).array;
  }

  /** The error for a type that an operation lacks. */
  static UnsupportedOperationException unsupported(String op, DType dtype) {
    return new UnsupportedOperationException("cpu: " + op + " does not take " + dtype.label());
  }

  /** The error for a type that an operation lacks; the operation named by its constant. */
  static UnsupportedOperationException unsupported(Enum<?> op, DType dtype) {
    return unsupported(op.name().toLowerCase(java.util.Locale.ROOT), dtype);
  }
}
