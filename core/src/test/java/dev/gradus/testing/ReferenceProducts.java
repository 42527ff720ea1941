package dev.gradus.testing;

import dev.gradus.spi.Gemm;
import dev.gradus.spi.Philox;

/** Matrix products and dropout. */
final class ReferenceProducts {
  private ReferenceProducts() {}

  static void gemm(Gemm g, ReferenceStorage a, ReferenceStorage b, ReferenceStorage c) {
    Rules.supported(c.dtype().isFloating(), "gemm", c.dtype());
    Rules.sameType("gemm", a, c);
    Rules.sameType("gemm", b, c);
    Rules.require(a != c && b != c, "gemm", "c is an operand");
    Rules.size("gemm", "c", c, g.batch() * g.m() * g.n());
    reaches("a", a, g.batch(), g.strideA(), g.m() * g.k());
    reaches("b", b, g.batch(), g.strideB(), g.k() * g.n());
    for (long j = 0; j < g.batch(); j++) {
      for (long row = 0; row < g.m(); row++) {
        for (long col = 0; col < g.n(); col++) {
          double sum = 0;
          for (long p = 0; p < g.k(); p++) {
            long ia = g.transA() ? p * g.m() + row : row * g.k() + p;
            long ib = g.transB() ? col * g.k() + p : p * g.n() + col;
            sum += a.get((int) (j * g.strideA() + ia)) * b.get((int) (j * g.strideB() + ib));
          }
          int to = (int) ((j * g.m() + row) * g.n() + col);
          c.set(to, g.accumulate() ? c.get(to) + sum : sum);
        }
      }
    }
  }

  private static void reaches(
      String what, ReferenceStorage x, long batch, long stride, long matrix) {
    Rules.require(stride >= 0, "gemm", "stride of " + what + " is " + stride);
    long last = batch == 0 ? 0 : (batch - 1) * stride + matrix;
    Rules.require(last <= x.numel(), "gemm", what + " has " + x.numel() + " elements, not " + last);
  }

  static void dropout(ReferenceStorage x, ReferenceStorage out, double p, long seed, long offset) {
    Rules.supported(x.dtype().isFloating(), "dropout", x.dtype());
    Rules.sameType("dropout", x, out);
    Rules.size("dropout", "x", x, out.numel());
    Rules.require(p >= 0 && p <= 1, "dropout", "p is " + p);
    double scale = out.round(1 / (1 - p));
    int[] words = new int[4];
    for (int i = 0; i < out.numel(); i++) {
      Philox.block(seed, offset + i / 4, words);
      double uniform = (words[i % 4] >>> 8) * 0x1p-24;
      out.set(i, uniform >= p ? x.get(i) * scale : 0);
    }
  }
}
