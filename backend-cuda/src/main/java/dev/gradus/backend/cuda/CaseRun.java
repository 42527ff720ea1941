package dev.gradus.backend.cuda;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One run of a {@link KernelCase}: makes its inputs, which depend on the case's name alone, and
 * keeps its results. Closing it frees the storages.
 */
final class CaseRun implements AutoCloseable {
  private static final double[] SPECIALS = {
    0, -0.0, 1, -1, 0.5, -2.5, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN
  };

  private final Backend backend;
  private final SplittableRandom random;
  private final List<Storage> storages = new ArrayList<>();
  private final List<Values> results = new ArrayList<>();

  private CaseRun(Backend backend, String name) {
    this.backend = backend;
    // A String's hash is the same in every Java.
    this.random = new SplittableRandom(name.hashCode());
  }

  /** Runs a case; returns its results. */
  static List<Values> of(KernelCase kernelCase, Backend backend) {
    try (CaseRun run = new CaseRun(backend, kernelCase.name())) {
      kernelCase.body().run(run);
      return run.results;
    }
  }

  Backend backend() {
    return backend;
  }

  /** A storage with undefined content. */
  Storage empty(DType dtype, long numel) {
    Storage s = backend.allocate(dtype, numel);
    storages.add(s);
    return s;
  }

  /** A storage with these numbers, rounded to its type. */
  Storage of(DType dtype, double... values) {
    Storage s = empty(dtype, values.length);
    backend.upload(buffer(dtype, values), s);
    return s;
  }

  private static Buffer buffer(DType dtype, double[] values) {
    switch (dtype) {
      case F32 -> {
        FloatBuffer b = FloatBuffer.allocate(values.length);
        for (double v : values) {
          b.put((float) v);
        }
        return b.flip();
      }
      case F64 -> {
        return DoubleBuffer.wrap(values);
      }
      case I64 -> {
        LongBuffer b = LongBuffer.allocate(values.length);
        for (double v : values) {
          b.put((long) v);
        }
        return b.flip();
      }
      case BOOL -> {
        ByteBuffer b = ByteBuffer.allocate(values.length);
        for (double v : values) {
          b.put((byte) (v > 0 ? 1 : 0));
        }
        return b.flip();
      }
    }
    throw new AssertionError(dtype);
  }

  /** A storage with numbers between two bounds. */
  Storage between(DType dtype, int numel, double low, double high) {
    return of(dtype, numbers(numel, low, high));
  }

  private double[] numbers(int numel, double low, double high) {
    double[] values = new double[numel];
    for (int i = 0; i < numel; i++) {
      values[i] = low + random.nextDouble() * (high - low);
    }
    return values;
  }

  /**
   * As {@link #between}, but some are zeros, infinities, NaN, and others that are a case of their
   * own, unless they lie outside the bounds.
   *
   * @param every how many elements have the same one, so that two operands meet in all pairs
   */
  Storage withSpecials(DType dtype, int numel, double low, double high, int every) {
    double[] values = numbers(numel, low, high);
    if (dtype.isFloating()) {
      for (int i = 0; i < Math.min(numel, SPECIALS.length * SPECIALS.length); i++) {
        double special = SPECIALS[i / every % SPECIALS.length];
        if (Double.isNaN(special) || Double.isInfinite(special) || fits(special, low, high)) {
          values[i] = special;
        }
      }
    }
    return of(dtype, values);
  }

  private static boolean fits(double value, double low, double high) {
    return value >= low && value <= high;
  }

  /** How many specials there are: what {@code every} of the second operand is. */
  static int specials() {
    return SPECIALS.length;
  }

  /** Numbers of all sizes, those included that are too small for a full mantissa. */
  Storage ofAllSizes(DType dtype, int numel) {
    int span = dtype == DType.F32 ? 280 : 2100;
    double[] values = numbers(numel, -2, 2);
    for (int i = 0; i < numel; i++) {
      values[i] = Math.scalb(values[i], random.nextInt(span) - span / 2 - 10);
    }
    return of(dtype, values);
  }

  /** Ids from 0 on, below a bound; each stands there where there is room. */
  Storage ids(int count, int bound) {
    double[] ids = new double[count];
    for (int i = 0; i < count; i++) {
      ids[i] = i < bound ? i : random.nextInt(bound);
    }
    for (int i = count - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      double id = ids[i];
      ids[i] = ids[j];
      ids[j] = id;
    }
    return of(DType.I64, ids);
  }

  /** Takes what a storage holds now as the case's next result. */
  void result(Storage s) {
    int n = Math.toIntExact(s.numel());
    long[] bits = new long[n];
    switch (s.dtype()) {
      case F32 -> {
        float[] values = new float[n];
        backend.download(s, FloatBuffer.wrap(values));
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
      }
      case F64 -> {
        double[] values = new double[n];
        backend.download(s, DoubleBuffer.wrap(values));
        Arrays.setAll(bits, i -> Double.doubleToRawLongBits(values[i]));
      }
      case I64 -> backend.download(s, LongBuffer.wrap(bits));
      case BOOL -> {
        byte[] values = new byte[n];
        backend.download(s, ByteBuffer.wrap(values));
        Arrays.setAll(bits, i -> values[i]);
      }
    }
    results.add(new Values(s.dtype(), bits));
  }

  @Override
  public void close() {
    storages.forEach(backend::free);
  }
}
