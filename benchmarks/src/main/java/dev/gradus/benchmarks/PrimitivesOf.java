package dev.gradus.benchmarks;

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
import java.util.Map;

/**
 * A backend without its overrides: the primitives go to the one wrapped, the fused operations are
 * their default bodies. Storages are those of the wrapped backend.
 */
final class PrimitivesOf implements Backend {
  private final Backend inner;

  /** Wraps a backend; closing this closes it. */
  PrimitivesOf(Backend inner) {
    this.inner = inner;
  }

  @Override
  public String deviceName() {
    return inner.deviceName();
  }

  @Override
  public long capacity() {
    return inner.capacity();
  }

  @Override
  public String memoryRemedy() {
    return inner.memoryRemedy();
  }

  @Override
  public Map<String, String> details() {
    return inner.details();
  }

  @Override
  public void close() {
    inner.close();
  }

  @Override
  public Storage allocate(DType dtype, long numel) {
    return inner.allocate(dtype, numel);
  }

  @Override
  public void free(Storage storage) {
    inner.free(storage);
  }

  @Override
  public void upload(Buffer src, Storage dst) {
    inner.upload(src, dst);
  }

  @Override
  public void download(Storage src, Buffer dst) {
    inner.download(src, dst);
  }

  @Override
  public void synchronize() {
    inner.synchronize();
  }

  @Override
  public void fill(Storage out, double value) {
    inner.fill(out, value);
  }

  @Override
  public void cast(Storage x, Storage out) {
    inner.cast(x, out);
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
    inner.copyStrided(shape, src, srcOffset, srcStrides, dst, dstOffset, dstStrides);
  }

  @Override
  public void unary(UnaryOp op, Storage x, Storage out, double a, double b) {
    inner.unary(op, x, out, a, b);
  }

  @Override
  public void unaryGrad(UnaryOp op, Storage grad, Storage saved, Storage out, double a, double b) {
    inner.unaryGrad(op, grad, saved, out, a, b);
  }

  @Override
  public void binary(
      BinaryOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out, double a) {
    inner.binary(op, x, xs, y, ys, out, a);
  }

  @Override
  public void compare(CompareOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out) {
    inner.compare(op, x, xs, y, ys, out);
  }

  @Override
  public void ternary(TernaryOp op, Storage x, Storage y, Storage z, Storage out, double a) {
    inner.ternary(op, x, y, z, out, a);
  }

  @Override
  public void reduce(ReduceOp op, Storage x, Axis axis, Storage out, boolean accumulate) {
    inner.reduce(op, x, axis, out, accumulate);
  }

  @Override
  public void argReduce(boolean greatest, Storage x, Axis axis, Storage out) {
    inner.argReduce(greatest, x, axis, out);
  }

  @Override
  public void gather(Storage x, Axis axis, Storage ids, Storage out) {
    inner.gather(x, axis, ids, out);
  }

  @Override
  public void scatterAdd(
      Storage x, Axis axis, Storage ids, long skip, Storage out, boolean accumulate) {
    inner.scatterAdd(x, axis, ids, skip, out, accumulate);
  }

  @Override
  public void gemm(Gemm sizes, Storage a, Storage b, Storage c) {
    inner.gemm(sizes, a, b, c);
  }

  @Override
  public void dropout(Storage x, Storage out, double p, long seed, long offset) {
    inner.dropout(x, out, p, seed, offset);
  }
}
