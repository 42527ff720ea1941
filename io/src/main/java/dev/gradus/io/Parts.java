package dev.gradus.io;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Storage;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.io.IOException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The way of tensors between their device and a file: through one buffer of at most 1 MiB, part by
 * part. Not for several threads at once.
 */
final class Parts {
  /** The elements that go at once. */
  static final int ELEMENTS = 1 << 17;

  private static final long[] ONE = {1};

  /** Takes or gives the bytes of one part. */
  @FunctionalInterface
  interface Host {
    /**
     * Moves the buffer's remaining bytes.
     *
     * @param part the bytes
     * @param at the index of the part's first element in its tensor
     */
    void move(ByteBuffer part, long at) throws IOException;
  }

  private final ByteBuffer buffer;

  /** Parts of tensors that have at most so many elements. */
  Parts(long mostElements) {
    int elements = (int) Math.min(mostElements, ELEMENTS);
    // Direct: a device copies from it and a channel writes it without a copy in between.
    buffer = ByteBuffer.allocateDirect(elements * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Hands the elements to the host, in order. Waits for the device. */
  @SuppressWarnings("try") // the scope is open for its effect
  void download(Tensor tensor, Host host) throws IOException {
    Backend backend = tensor.device().backend();
    Storage all = tensor.storage();
    long n = tensor.numel();
    try (Scope scope = Scope.open()) {
      Storage part = part(tensor, all);
      for (long at = 0; at < n; at += ELEMENTS) {
        int m = (int) Math.min(n - at, ELEMENTS);
        if (part != all) {
          backend.copyStrided(new long[] {m}, all, at, ONE, part, 0, ONE);
        }
        ByteBuffer bytes = buffer.clear().limit(m * tensor.dtype().bytes());
        backend.download(part, typed(bytes, tensor.dtype()));
        host.move(bytes, at);
      }
    }
  }

  /** Overwrites the elements with what the host fills in, in order. */
  @SuppressWarnings("try") // the scope is open for its effect
  void upload(Tensor tensor, Host host) throws IOException {
    Backend backend = tensor.device().backend();
    Storage all = tensor.storage();
    long n = tensor.numel();
    try (Scope scope = Scope.open()) {
      Storage part = part(tensor, all);
      for (long at = 0; at < n; at += ELEMENTS) {
        int m = (int) Math.min(n - at, ELEMENTS);
        ByteBuffer bytes = buffer.clear().limit(m * tensor.dtype().bytes());
        host.move(bytes, at);
        backend.upload(typed(bytes.rewind(), tensor.dtype()), part);
        if (part != all) {
          backend.copyStrided(new long[] {m}, part, 0, ONE, all, at, ONE);
        }
      }
    } finally {
      tensor.changed();
    }
  }

  /** The storage that a device transfers at once: of a small tensor its own. */
  private static Storage part(Tensor tensor, Storage all) {
    return tensor.numel() <= ELEMENTS
        ? all
        : tensor.device().zeros(tensor.dtype(), ELEMENTS).storage();
  }

  private static Buffer typed(ByteBuffer bytes, DType dtype) {
    return switch (dtype) {
      case F32 -> bytes.asFloatBuffer();
      case F64 -> bytes.asDoubleBuffer();
      case I64 -> bytes.asLongBuffer();
      case BOOL -> bytes.duplicate();
    };
  }
}
