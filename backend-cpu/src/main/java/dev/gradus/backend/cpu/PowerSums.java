package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.Arrays;
import java.util.List;

/** Sums of powers of absolute values, and their extremes, of many storages in one pass. */
final class PowerSums {
  /*
   * Each storage is cut into chunks of CHUNK elements; each chunk has a result of its own, and a
   * storage's are put together in order: the bits depend on the sizes alone. Threads take chunks of
   * all storages as one list.
   */

  static final int CHUNK = 1 << 16;

  /** The number of partial sums of a chunk; it divides CHUNK. */
  static final int LANES = 8;

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private final Parallel parallel;

  PowerSums(Parallel parallel) {
    this.parallel = parallel;
  }

  /** A calling thread's table of chunks, kept from call to call. */
  private static final class Scratch {
    /** The first chunk of each storage, and the number of all. */
    int[] first = {};

    /** The partial sums of each chunk. */
    double[] lanes = {};

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
      if (lanes.length < chunks * LANES) {
        lanes = new double[chunks * LANES];
      }
      Arrays.fill(lanes, 0, chunks * LANES, 0);
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
    if (parallel.splits(total)) {
      parallel.run(chunks, c -> chunk(xs, scratch, c, p));
    } else {
      for (int c = 0; c < chunks; c++) {
        chunk(xs, scratch, c, p);
      }
    }
    double[] o = f64(out);
    for (int s = 0; s < xs.size(); s++) {
      o[s] = combine(scratch.lanes, scratch.first[s], scratch.first[s + 1], p);
    }
  }

  private static double combine(double[] lanes, int from, int to, double p) {
    double sum = 0;
    for (int c = from; c < to; c++) {
      double part = total(lanes, c * LANES);
      sum = Double.isInfinite(p) ? Math.max(sum, part) : sum + part;
    }
    return sum;
  }

  private static void chunk(List<Storage> xs, Scratch scratch, int chunk, double p) {
    int at = scratch.storageOf(chunk, xs.size());
    Storage x = xs.get(at);
    int lo = (chunk - scratch.first[at]) * CHUNK;
    int hi = (int) Math.min(x.numel(), lo + (long) CHUNK);
    add(x, lo, hi, p, 0, scratch.lanes, chunk * LANES);
  }

  /**
   * Adds the powers of elements lo to hi, or takes the greatest, into partial sums of a chunk. The
   * squares of floats go into eight, by their place in the chunk; all else goes into the first.
   *
   * @param lane the place of element lo in its chunk, modulo the number of lanes
   * @param at where the chunk's partial sums begin
   */
  static void add(Storage x, int lo, int hi, double p, int lane, double[] lanes, int at) {
    if (x.dtype() == DType.F64) {
      lanes[at] = plain(f64(x), lo, hi, p, lanes[at]);
    } else if (p == 2) {
      squares(f32(x), lo, hi, lane, lanes, at);
    } else if (Double.isInfinite(p)) {
      lanes[at] = greatest(f32(x), lo, hi, lanes[at]);
    } else {
      lanes[at] = powers(f32(x), lo, hi, p, lanes[at]);
    }
  }

  /** The partial sums of a chunk together. */
  static double total(double[] lanes, int at) {
    return ((lanes[at] + lanes[at + 1]) + (lanes[at + 2] + lanes[at + 3]))
        + ((lanes[at + 4] + lanes[at + 5]) + (lanes[at + 6] + lanes[at + 7]));
  }

  /** The squares of floats are exact in double. */
  private static void squares(float[] x, int lo, int hi, int lane, double[] lanes, int at) {
    int i = lo;
    for (int k = lane; k > 0 && k < LANES && i < hi; k++, i++) {
      lanes[at + k] += (double) x[i] * x[i];
    }
    double s0 = lanes[at];
    double s1 = lanes[at + 1];
    double s2 = lanes[at + 2];
    double s3 = lanes[at + 3];
    double s4 = lanes[at + 4];
    double s5 = lanes[at + 5];
    double s6 = lanes[at + 6];
    double s7 = lanes[at + 7];
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
    lanes[at] = s0;
    lanes[at + 1] = s1;
    lanes[at + 2] = s2;
    lanes[at + 3] = s3;
    lanes[at + 4] = s4;
    lanes[at + 5] = s5;
    lanes[at + 6] = s6;
    lanes[at + 7] = s7;
    for (int k = 0; i < hi; k++, i++) {
      lanes[at + k] += (double) x[i] * x[i];
    }
  }

  private static double greatest(float[] x, int lo, int hi, double before) {
    double m = before;
    for (int i = lo; i < hi; i++) {
      m = Math.max(m, Math.abs(x[i]));
    }
    return m;
  }

  private static double powers(float[] x, int lo, int hi, double p, double before) {
    double s = before;
    for (int i = lo; i < hi; i++) {
      s += p == 1 ? Math.abs(x[i]) : Math.pow(Math.abs(x[i]), p);
    }
    return s;
  }

  private static double plain(double[] x, int lo, int hi, double p, double before) {
    double s = before;
    for (int i = lo; i < hi; i++) {
      double v = Math.abs(x[i]);
      s = Double.isInfinite(p) ? Math.max(s, v) : s + (p == 2 ? v * v : Math.pow(v, p));
    }
    return s;
  }
}
