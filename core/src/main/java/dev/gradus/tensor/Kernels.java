package dev.gradus.tensor;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.Shape;

/** Calls of the backend with the usual arguments left out. */
final class Kernels {
  private Kernels() {}

  static void add(Backend b, Storage x, Storage y, Storage out) {
    b.binary(BinaryOp.ADD, x, Spread.FULL, y, Spread.FULL, out, 0);
  }

  static void mul(Backend b, Storage x, Storage y, Storage out) {
    b.binary(BinaryOp.MUL, x, Spread.FULL, y, Spread.FULL, out, 0);
  }

  static void scale(Backend b, Storage x, double factor, Storage out) {
    b.unary(UnaryOp.MUL_SCALAR, x, out, factor, 0);
  }

  /** Copies a whole storage to the start of another of the same size and type. */
  static void copy(Backend b, Storage x, Storage out) {
    long[] one = {1};
    b.copyStrided(new long[] {x.numel()}, x, 0, one, out, 0, one);
  }

  /** Copies a block of this shape with row-major destination, from a source with these strides. */
  static void gather(Backend b, Shape shape, Storage x, long offset, long[] strides, Storage out) {
    b.copyStrided(shape.toArray(), x, offset, strides, out, 0, shape.strides());
  }
}
