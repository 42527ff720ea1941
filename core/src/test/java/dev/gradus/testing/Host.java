package dev.gradus.testing;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/** Host arrays to storages and back, with doubles for every type. */
final class Host {
  private Host() {}

  /** A new storage with these values, rounded to its type. */
  static Storage store(Backend b, DType dtype, double[] values) {
    Storage s = b.allocate(dtype, values.length);
    switch (dtype) {
      case F32 -> b.upload(FloatBuffer.wrap(toFloats(values)), s);
      case F64 -> b.upload(DoubleBuffer.wrap(values), s);
      case I64 -> {
        long[] longs = new long[values.length];
        for (int i = 0; i < longs.length; i++) {
          longs[i] = (long) values[i];
        }
        b.upload(LongBuffer.wrap(longs), s);
      }
      case BOOL -> {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
          bytes[i] = (byte) (values[i] != 0 ? 1 : 0);
        }
        b.upload(ByteBuffer.wrap(bytes), s);
      }
    }
    return s;
  }

  static Storage store(Backend b, long[] values) {
    Storage s = b.allocate(DType.I64, values.length);
    b.upload(LongBuffer.wrap(values), s);
    return s;
  }

  /** The elements of a floating-point or BOOL storage; those of an I64 one if below 2^53. */
  static double[] read(Backend b, Storage s) {
    double[] values = new double[(int) s.numel()];
    switch (s.dtype()) {
      case F32 -> {
        float[] floats = new float[values.length];
        b.download(s, FloatBuffer.wrap(floats));
        for (int i = 0; i < values.length; i++) {
          values[i] = floats[i];
        }
      }
      case F64 -> b.download(s, DoubleBuffer.wrap(values));
      case I64 -> {
        long[] longs = readLongs(b, s);
        for (int i = 0; i < values.length; i++) {
          values[i] = longs[i];
        }
      }
      case BOOL -> {
        byte[] bytes = new byte[values.length];
        b.download(s, ByteBuffer.wrap(bytes));
        for (int i = 0; i < values.length; i++) {
          values[i] = bytes[i];
        }
      }
    }
    return values;
  }

  static long[] readLongs(Backend b, Storage s) {
    long[] longs = new long[(int) s.numel()];
    b.download(s, LongBuffer.wrap(longs));
    return longs;
  }

  static float[] toFloats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }
}
