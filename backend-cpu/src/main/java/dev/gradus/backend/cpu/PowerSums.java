package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.List;

/** Sums of powers of absolute values, and their extremes, of many storages in one pass. */
final class PowerSums {
  /*
   * Each storage is cut into chunks of CHUNK elements; each chunk has a result of its own, and a
   * storage's are put together in order: the bits depend on the sizes alone. Threads take chunks of
   * all storages as one list.
   */

  private static final int CHUNK = 1 << 16;

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private final Parallel parallel;

  PowerSums(Parallel parallel) {
    this.parallel = parallel;
  }

  /** A calling thread's table of chunks, kept from call to call. */
  private static final class Scratch {
    /** The first chunk of each storage, and the number of all. */
    int[] first = {};

    /** The result of each chunk. */
    double[] parts = {};

    /** Makes the table; the number of elements of all storages. */
    long plan(List<Storage> xs) {
      if (first.length <= xs.size()) {
        first = new int[xs.size() + 1];
      }
      long total = 0;
      int chunks = 0;
      for (int s = 0; s < xs.size(); s++) {
        first[s] = chunks;
        long n = xs.get(s).numel();
        chunks += (int) ((n + CHUNK - 1) / CHUNK);
        total += n;
      }
      first[xs.size()] = chunks;
      if (parts.length < chunks) {
        parts = new double[chunks];
      }
      return total;
    }

    /** The storage that a chunk is of: the last one that does not begin after it. */
    int storageOf(int chunk, int storages) {
      int lo = 0;
      int hi = storages;
      while (hi - lo > 1) {
        int mid = (lo + hi) >>> 1;
        if (first[mid] <= chunk) {
          lo = mid;
        } else {
          hi = mid;
        }
      }
      return lo;
    }
  }

  void run(List<Storage> xs, double p, Storage out) {
    for (Storage x : xs) {
      if (!x.dtype().isFloating()) {
        throw unsupported("sumPowers", x.dtype());
      }
    }
    Scratch scratch = SCRATCH.get();
    long total = scratch.plan(xs);
    int chunks = scratch.first[xs.size()];
    double[] parts = scratch.parts;
    if (parallel.splits(total)) {
      parallel.run(chunks, c -> parts[c] = chunk(xs, scratch, c, p));
    } else {
      for (int c = 0; c < chunks; c++) {
        parts[c] = chunk(xs, scratch, c, p);
      }
    }
    double[] o = f64(out);
    for (int s = 0; s < xs.size(); s++) {
      o[s] = combine(parts, scratch.first[s], scratch.first[s + 1], p);
    }
  }

  private static double combine(double[] parts, int from, int to, double p) {
    double sum = 0;
    for (int c = from; c < to; c++) {
      sum = Double.isInfinite(p) ? Math.max(sum, parts[c]) : sum + parts[c];
    }
    return sum;
  }

  private static double chunk(List<Storage> xs, Scratch scratch, int chunk, double p) {
    int at = scratch.storageOf(chunk, xs.size());
    Storage x = xs.get(at);
    int lo = (chunk - scratch.first[at]) * CHUNK;
    int hi = (int) Math.min(x.numel(), lo + (long) CHUNK);
    if (x.dtype() == DType.F64) {
      return plain(f64(x), lo, hi, p);
    }
    float[] v = f32(x);
    if (p == 2) {
      return squares(v, lo, hi);
    }
    return Double.isInfinite(p) ? greatest(v, lo, hi) : powers(v, lo, hi, p);
  }

  /** The squares of floats are exact in double. */
  private static double squares(float[] x, int lo, int hi) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    double s4 = 0;
    double s5 = 0;
    double s6 = 0;
    double s7 = 0;
    int i = lo;
    for (; i < hi - 7; i += 8) {
      s0 += (double) x[i] * x[i];
      s1 += (double) x[i + 1] * x[i + 1];
      s2 += (double) x[i + 2] * x[i + 2];
      s3 += (double) x[i + 3] * x[i + 3];
      s4 += (double) x[i + 4] * x[i + 4];
      s5 += (double) x[i + 5] * x[i + 5];
      s6 += (double) x[i + 6] * x[i + 6];
      s7 += (double) x[i + 7] * x[i + 7];
    }
    for (; i < hi; i++) {
      s0 += (double) x[i] * x[i];
    }
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
  }

  private static double greatest(float[] x, int lo, int hi) {
    float m = 0;
    for (int i = lo; i < hi; i++) {
      m = Math.max(m, Math.abs(x[i]));
    }
    return m;
  }

  private static double powers(float[] x, int lo, int hi, double p) {
    double s = 0;
    for (int i = lo; i < hi; i++) {
      s += p == 1 ? Math.abs(x[i]) : Math.pow(Math.abs(x[i]), p);
    }
    return s;
  }

  private static double plain(double[] x, int lo, int hi, double p) {
    double s = 0;
    for (int i = lo; i < hi; i++) {
      double v = Math.abs(x[i]);
      s = Double.isInfinite(p) ? Math.max(s, v) : s + (p == 2 ? v * v : Math.pow(v, p));
    }
    return s;
  }
}
