package dev.gradus.tensor;

import dev.gradus.spi.Storage;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/** Values between devices, and to the host in a type of its own. */
final class Transfer {
  private Transfer() {}

  static int length(Tensor x) {
    return Checks.arrayLength("tensor " + x.shape(), x.numel(), "read it in parts with narrow()");
  }

  /** The values as doubles, whatever the type. */
  static double[] toDoubles(Tensor x) {
    double[] out = new double[length(x)];
    switch (x.dtype()) {
      case F32 -> {
        float[] v = x.toFloatArray();
        for (int i = 0; i < out.length; i++) {
          out[i] = v[i];
        }
      }
      case F64 -> {
        return x.toDoubleArray();
      }
      case I64 -> {
        long[] v = x.toLongArray();
        for (int i = 0; i < out.length; i++) {
          out[i] = (double) v[i];
        }
      }
      case BOOL -> {
        boolean[] v = x.toBooleanArray();
        for (int i = 0; i < out.length; i++) {
          out[i] = v[i] ? 1 : 0;
        }
      }
    }
    return out;
  }

  /** Copies a storage to one of the same type and size on another device, through the host. */
  static void copy(Storage values, Device from, Device to, Storage target) {
    int n = Math.toIntExact(values.numel());
    Buffer host =
        switch (values.dtype()) {
          case F32 -> FloatBuffer.allocate(n);
          case F64 -> DoubleBuffer.allocate(n);
          case I64 -> LongBuffer.allocate(n);
          case BOOL -> ByteBuffer.allocate(n);
        };
    from.backend().download(values, host);
    host.rewind();
    to.backend().upload(host, target);
  }
}
