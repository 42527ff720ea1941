package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.bool;
import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.i64;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;

/** Values from and to the host, constants, and conversions between types. */
final class Transfer {
  private Transfer() {}

  static void upload(Buffer src, Storage dst) {
    int at = src.position();
    int n = src.remaining();
    switch (dst.dtype()) {
      case F32 -> ((FloatBuffer) src).get(at, f32(dst), 0, n);
      case F64 -> ((DoubleBuffer) src).get(at, f64(dst), 0, n);
      case I64 -> ((LongBuffer) src).get(at, i64(dst), 0, n);
      case BOOL -> ((ByteBuffer) src).get(at, bool(dst), 0, n);
    }
  }

  static void download(Storage src, Buffer dst) {
    int at = dst.position();
    int n = dst.remaining();
    switch (src.dtype()) {
      case F32 -> ((FloatBuffer) dst).put(at, f32(src), 0, n);
      case F64 -> ((DoubleBuffer) dst).put(at, f64(src), 0, n);
      case I64 -> ((LongBuffer) dst).put(at, i64(src), 0, n);
      case BOOL -> ((ByteBuffer) dst).put(at, bool(src), 0, n);
    }
  }

  static void fill(Storage out, double value) {
    switch (out.dtype()) {
      case F32 -> Arrays.fill(f32(out), (float) value);
      case F64 -> Arrays.fill(f64(out), value);
      case I64 -> Arrays.fill(i64(out), (long) value);
      case BOOL -> Arrays.fill(bool(out), value != 0 ? (byte) 1 : 0);
    }
  }

  @SuppressWarnings("SuspiciousSystemArraycopy") // both arrays have the storage's type
  static void cast(Storage x, Storage out) {
    int n = (int) out.numel();
    if (x.dtype() == out.dtype()) {
      System.arraycopy(CpuStorage.array(x), 0, CpuStorage.array(out), 0, n);
      return;
    }
    switch (out.dtype()) {
      case F32 -> toF32(x, f32(out));
      case F64 -> {
        double[] o = f64(out);
        for (int i = 0; i < n; i++) {
          o[i] = at(x, i);
        }
      }
      case I64 -> {
        long[] o = i64(out);
        for (int i = 0; i < n; i++) {
          o[i] = (long) at(x, i);
        }
      }
      case BOOL -> {
        byte[] o = bool(out);
        for (int i = 0; i < n; i++) {
          // Not through double: what rounds to zero is not zero, and every long is told apart.
          o[i] = (x.dtype() == DType.I64 ? i64(x)[i] != 0 : at(x, i) != 0) ? (byte) 1 : 0;
        }
      }
    }
  }

  private static void toF32(Storage x, float[] out) {
    switch (x.dtype()) {
      case F32, F64, BOOL -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = (float) at(x, i);
        }
      }
      case I64 -> {
        // Through double a large long would be rounded twice.
        long[] p = i64(x);
        for (int i = 0; i < out.length; i++) {
          out[i] = p[i];
        }
      }
    }
  }

  private static double at(Storage x, int i) {
    return switch (x.dtype()) {
      case F32 -> f32(x)[i];
      case F64 -> f64(x)[i];
      case I64 -> i64(x)[i];
      case BOOL -> bool(x)[i];
    };
  }
}
