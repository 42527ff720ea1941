package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.Philox;
import dev.gradus.spi.Storage;

/** Zeroes elements by chance and scales the others. */
final class Dropout {
  /** Elements that one counter decides. */
  private static final int WORDS = 4;

  private final Parallel parallel;

  Dropout(Parallel parallel) {
    this.parallel = parallel;
  }

  void run(Storage x, Storage out, double p, long seed, long offset) {
    int n = (int) out.numel();
    int threshold = Philox.threshold(p);
    double scale = p == 1 ? 0 : 1 / (1 - p);
    switch (out.dtype()) {
      case F32 -> {
        float[] from = f32(x);
        float[] to = f32(out);
        if (parallel.splits(n * 4L)) {
          parallel.ranges(
              (n + WORDS - 1) / WORDS,
              WORDS * 4,
              (lo, hi) -> range(from, to, threshold, (float) scale, seed, offset, lo, hi));
        } else {
          range(from, to, threshold, (float) scale, seed, offset, 0, (n + WORDS - 1) / WORDS);
        }
      }
      case F64 -> plain(f64(x), f64(out), threshold, scale, seed, offset);
      case I64, BOOL -> throw unsupported("dropout", out.dtype());
    }
  }

  /** The elements of counters lo to hi. */
  private static void range(
      float[] x, float[] out, int threshold, float scale, long seed, long offset, int lo, int hi) {
    int[] words = new int[WORDS];
    for (int c = lo; c < hi; c++) {
      Philox.block(seed, offset + c, words);
      int end = Math.min(out.length, c * WORDS + WORDS);
      for (int i = c * WORDS, w = 0; i < end; i++, w++) {
        out[i] = Philox.keeps(words[w], threshold) ? x[i] * scale : 0f;
      }
    }
  }

  private static void plain(
      double[] x, double[] out, int threshold, double scale, long seed, long offset) {
    int[] words = new int[WORDS];
    for (int i = 0; i < out.length; i++) {
      if (i % WORDS == 0) {
        Philox.block(seed, offset + i / WORDS, words);
      }
      out[i] = Philox.keeps(words[i % WORDS], threshold) ? x[i] * scale : 0;
    }
  }
}
