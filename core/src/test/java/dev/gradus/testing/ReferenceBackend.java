package dev.gradus.testing;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The backend that the others are compared with: slow, obviously right, and strict.
 *
 * <ul>
 *   <li>Arithmetic is done in double and rounded once to the storage's type. For {@code + - * /}
 *       and the square root on F32 that is the float operation itself, since double carries more
 *       than twice the digits of float. Scalars are rounded to the type first.
 *   <li>Where an operation says fma, or names a formula whose steps are rounded one by one ({@link
 *       BinaryOp#ADD_SCALED}, {@link BinaryOp#LERP}, {@link TernaryOp#ADDCMUL}, {@link
 *       TernaryOp#ADDCDIV}), every step is done in the storage's type, with {@link Math#fma}.
 *   <li>Indices are plain; everything runs on the calling thread in one fixed order.
 *   <li>The fused operations are their default bodies.
 *   <li>A new storage holds poison (NaN, {@link Long#MIN_VALUE}, true). A wrong size, type or alias
 *       is an {@link IllegalArgumentException}; a freed storage an {@link IllegalStateException}.
 * </ul>
 */
public final class ReferenceBackend implements Backend {
  private final String name;
  private final AtomicLong live = new AtomicLong();
  private volatile boolean closed;

  /**
   * Opens a device of its own.
   *
   * @param deviceName its name in messages
   */
  public ReferenceBackend(String deviceName) {
    this.name = deviceName;
  }

  /** The number of storages allocated and not yet freed. */
  public long live() {
    return live.get();
  }

  @Override
  public String deviceName() {
    return name;
  }

  @Override
  public long capacity() {
    return Runtime.getRuntime().maxMemory();
  }

  @Override
  public String memoryRemedy() {
    return "raise -Xmx";
  }

  @Override
  public Map<String, String> details() {
    return Map.of("arithmetic", "double, rounded at the end");
  }

  @Override
  public void close() {
    closed = true;
  }

  // ---- memory

  @Override
  public Storage allocate(DType dtype, long numel) {
    if (closed) {
      throw new IllegalStateException("reference: device '" + name + "' is closed");
    }
    Rules.require(numel >= 0, "allocate", "negative size " + numel);
    if (numel > Integer.MAX_VALUE - 8) {
      throw new OutOfMemoryError("reference: " + numel + " elements are more than an array holds");
    }
    ReferenceStorage s = new ReferenceStorage(this, dtype, (int) numel);
    live.incrementAndGet();
    return s;
  }

  @Override
  public void free(Storage storage) {
    of(storage).free();
    live.decrementAndGet();
  }

  private ReferenceStorage of(Storage storage) {
    if (!(storage instanceof ReferenceStorage s)) {
      throw new IllegalArgumentException("reference: storage of another backend");
    }
    if (s.owner() != this) {
      throw new IllegalArgumentException("reference: storage of device '" + s.owner().name + "'");
    }
    if (closed) {
      throw new IllegalStateException("reference: device '" + name + "' is closed");
    }
    if (s.isFreed()) {
      throw new IllegalStateException("reference: storage used after free");
    }
    return s;
  }

  @Override
  public void upload(Buffer src, Storage dst) {
    ReferenceStorage d = of(dst);
    int n = src.remaining();
    Rules.require(n <= d.numel(), "upload", n + " elements into " + d.numel());
    if (src instanceof FloatBuffer b && d.dtype() == DType.F32) {
      b.duplicate().get(d.floats(), 0, n);
    } else if (src instanceof DoubleBuffer b && d.dtype() == DType.F64) {
      b.duplicate().get(d.doubles(), 0, n);
    } else if (src instanceof LongBuffer b && d.dtype() == DType.I64) {
      b.duplicate().get(d.longs(), 0, n);
    } else if (src instanceof ByteBuffer b && d.dtype() == DType.BOOL) {
      for (int i = 0; i < n; i++) {
        byte value = b.get(b.position() + i);
        Rules.require(value == 0 || value == 1, "upload", "bool byte " + value);
        d.booleans()[i] = value == 1;
      }
    } else {
      throw wrongBuffer("upload", src, d.dtype());
    }
  }

  @Override
  public void download(Storage src, Buffer dst) {
    ReferenceStorage s = of(src);
    int n = dst.remaining();
    Rules.require(n <= s.numel(), "download", n + " elements of " + s.numel());
    if (dst instanceof FloatBuffer b && s.dtype() == DType.F32) {
      b.duplicate().put(s.floats(), 0, n);
    } else if (dst instanceof DoubleBuffer b && s.dtype() == DType.F64) {
      b.duplicate().put(s.doubles(), 0, n);
    } else if (dst instanceof LongBuffer b && s.dtype() == DType.I64) {
      b.duplicate().put(s.longs(), 0, n);
    } else if (dst instanceof ByteBuffer b && s.dtype() == DType.BOOL) {
      for (int i = 0; i < n; i++) {
        b.put(b.position() + i, (byte) (s.booleans()[i] ? 1 : 0));
      }
    } else {
      throw wrongBuffer("download", dst, s.dtype());
    }
  }

  private static IllegalArgumentException wrongBuffer(String who, Buffer b, DType dtype) {
    return new IllegalArgumentException(
        "reference " + who + ": a " + b.getClass().getSimpleName() + " for " + dtype.label());
  }

  @Override
  public void synchronize() {
    if (closed) {
      throw new IllegalStateException("reference: device '" + name + "' is closed");
    }
  }

  // ---- filling and moving

  @Override
  public void fill(Storage out, double value) {
    ReferenceStorage o = of(out);
    for (int i = 0; i < o.numel(); i++) {
      o.set(i, value);
    }
  }

  @Override
  public void cast(Storage x, Storage out) {
    ReferenceStorage s = of(x);
    ReferenceStorage o = of(out);
    Rules.require(s != o || s.numel() == 0, "cast", "out is x");
    Rules.require(s.numel() == o.numel(), "cast", s.numel() + " elements into " + o.numel());
    for (int i = 0; i < o.numel(); i++) {
      if (s.dtype() == DType.I64 && o.dtype() == DType.I64) {
        o.longs()[i] = s.longs()[i];
      } else if (s.dtype() == DType.I64 && o.dtype() == DType.F32) {
        o.floats()[i] = s.longs()[i]; // through double it would be rounded twice
      } else {
        o.set(i, s.get(i));
      }
    }
  }

  @Override
  public void copyStrided(
      long[] shape,
      Storage src,
      long srcOffset,
      long[] srcStrides,
      Storage dst,
      long dstOffset,
      long[] dstStrides) {
    ReferenceStorage s = of(src);
    ReferenceStorage d = of(dst);
    Rules.require(s != d, "copyStrided", "dst is src");
    Rules.sameType("copyStrided", s, d);
    Rules.require(
        shape.length == srcStrides.length && shape.length == dstStrides.length,
        "copyStrided",
        "ranks differ");
    boolean[] written = new boolean[(int) d.numel()];
    copyFrom(0, shape, s, srcOffset, srcStrides, d, dstOffset, dstStrides, written);
  }

  private static void copyFrom(
      int dim,
      long[] shape,
      ReferenceStorage s,
      long from,
      long[] srcStrides,
      ReferenceStorage d,
      long to,
      long[] dstStrides,
      boolean[] written) {
    if (dim == shape.length) {
      Rules.require(from >= 0 && from < s.numel(), "copyStrided", "reads element " + from);
      Rules.require(to >= 0 && to < d.numel(), "copyStrided", "writes element " + to);
      Rules.require(!written[(int) to], "copyStrided", "writes element " + to + " twice");
      written[(int) to] = true;
      d.copy((int) to, s, (int) from);
      return;
    }
    for (long i = 0; i < shape[dim]; i++) {
      copyFrom(
          dim + 1,
          shape,
          s,
          from + i * srcStrides[dim],
          srcStrides,
          d,
          to + i * dstStrides[dim],
          dstStrides,
          written);
    }
  }

  // ---- the rest is in a class for each family

  @Override
  public void unary(UnaryOp op, Storage x, Storage out, double a, double b) {
    ReferenceUnary.forward(op, of(x), of(out), a, b);
  }

  @Override
  public void unaryGrad(UnaryOp op, Storage grad, Storage saved, Storage out, double a, double b) {
    ReferenceUnary.grad(op, of(grad), of(saved), of(out), a, b);
  }

  @Override
  public void binary(
      BinaryOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out, double a) {
    ReferenceElementwise.binary(op, of(x), xs, of(y), ys, of(out), a);
  }

  @Override
  public void compare(CompareOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out) {
    ReferenceElementwise.compare(op, of(x), xs, of(y), ys, of(out));
  }

  @Override
  public void ternary(TernaryOp op, Storage x, Storage y, Storage z, Storage out, double a) {
    ReferenceElementwise.ternary(op, of(x), of(y), of(z), of(out), a);
  }

  @Override
  public void reduce(ReduceOp op, Storage x, Axis axis, Storage out, boolean accumulate) {
    ReferenceAxes.reduce(op, of(x), axis, of(out), accumulate);
  }

  @Override
  public void argReduce(boolean greatest, Storage x, Axis axis, Storage out) {
    ReferenceAxes.argReduce(greatest, of(x), axis, of(out));
  }

  @Override
  public void gather(Storage x, Axis axis, Storage ids, Storage out) {
    ReferenceAxes.gather(of(x), axis, of(ids), of(out));
  }

  @Override
  public void scatterAdd(
      Storage x, Axis axis, Storage ids, long skip, Storage out, boolean accumulate) {
    ReferenceAxes.scatterAdd(of(x), axis, of(ids), skip, of(out), accumulate);
  }

  @Override
  public void gemm(Gemm sizes, Storage a, Storage b, Storage c) {
    ReferenceProducts.gemm(sizes, of(a), of(b), of(c));
  }

  @Override
  public void dropout(Storage x, Storage out, double p, long seed, long offset) {
    ReferenceProducts.dropout(of(x), of(out), p, seed, offset);
  }
}
