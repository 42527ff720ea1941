package dev.gradus.backend.cpu;

import java.util.Arrays;

/** Sums of float32 along the middle, accumulated in double. */
final class SumF32 {
  /*
   * The order of the additions follows from the sizes. A row is summed in chunks of CHUNK elements,
   * each by eight accumulators; the chunks' sums are added in order. Columns are summed over chunks
   * of rows, in order within a chunk, and the chunks' sums are added in order.
   */

  private static final int CHUNK = 1 << 16;

  /** Columns that one task sums: their accumulators stay in the nearest cache. */
  private static final int COLUMNS = 2048;

  /** Where there are fewer blocks of columns than this, rows are cut too. */
  private static final int FEW_BLOCKS = 8;

  /** Elements below which columns are summed one by one, without accumulators in memory. */
  private static final int SMALL = 4096;

  /** A thread's accumulators of a block of columns. */
  private static final ThreadLocal<double[]> COLUMN_SUMS =
      ThreadLocal.withInitial(() -> new double[COLUMNS]);

  /** A calling thread's sums of chunks, as long as it needed them so far. */
  private static final ThreadLocal<double[]> CHUNK_SUMS =
      ThreadLocal.withInitial(() -> new double[0]);

  private final Parallel parallel;

  SumF32(Parallel parallel) {
    this.parallel = parallel;
  }

  private static double[] chunkSums(int n) {
    double[] sums = CHUNK_SUMS.get();
    if (sums.length < n) {
      sums = new double[n];
      CHUNK_SUMS.set(sums);
    }
    return sums;
  }

  void run(float[] x, int outer, int length, int inner, float[] out, boolean add) {
    if (inner == 1) {
      rows(x, outer, length, out, add);
    } else if ((long) outer * length * inner <= SMALL) {
      smallColumns(x, outer, length, inner, out, add);
    } else {
      columns(x, outer, length, inner, out, add);
    }
  }

  private void rows(float[] x, int outer, int length, float[] out, boolean add) {
    if (outer == 1 && length > CHUNK) {
      put(out, 0, longRow(x, length), add);
    } else if (outer > 1 && parallel.splits((long) outer * length)) {
      parallel.ranges(outer, length, (lo, hi) -> rows(x, lo, hi, length, out, add));
    } else {
      rows(x, 0, outer, length, out, add);
    }
  }

  private static void rows(float[] x, int lo, int hi, int length, float[] out, boolean add) {
    for (int o = lo; o < hi; o++) {
      put(out, o, sum(x, o * length, (o + 1) * length), add);
    }
  }

  private static void put(float[] out, int at, double s, boolean add) {
    out[at] = add ? out[at] + (float) s : (float) s;
  }

  private double longRow(float[] x, int length) {
    int chunks = (int) (((long) length + CHUNK - 1) / CHUNK);
    double[] part = chunkSums(chunks);
    parallel.run(
        chunks, c -> part[c] = chunk(x, c * CHUNK, (int) Math.min(length, (c + 1L) * CHUNK)));
    double s = 0;
    for (int c = 0; c < chunks; c++) {
      s += part[c];
    }
    return s;
  }

  /** The sum of {@code x[lo]} to {@code x[hi - 1]}. */
  static double sum(float[] x, int lo, int hi) {
    if (hi - lo <= CHUNK) {
      return chunk(x, lo, hi);
    }
    double s = 0;
    for (int c = lo; c < hi; c += Math.min(CHUNK, hi - c)) {
      s += chunk(x, c, c + Math.min(CHUNK, hi - c));
    }
    return s;
  }

  private static double chunk(float[] x, int lo, int hi) {
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
      s0 += x[i];
      s1 += x[i + 1];
      s2 += x[i + 2];
      s3 += x[i + 3];
      s4 += x[i + 4];
      s5 += x[i + 5];
      s6 += x[i + 6];
      s7 += x[i + 7];
    }
    for (; i < hi; i++) {
      s0 += x[i];
    }
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
  }

  private static void smallColumns(
      float[] x, int outer, int length, int inner, float[] out, boolean add) {
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < inner; i++) {
        double s = 0;
        for (int j = 0, q = o * length * inner + i; j < length; j++, q += inner) {
          s += x[q];
        }
        put(out, o * inner + i, s, add);
      }
    }
  }

  private void columns(float[] x, int outer, int length, int inner, float[] out, boolean add) {
    int blocks = (inner + COLUMNS - 1) / COLUMNS;
    int width = Math.min(inner, COLUMNS);
    boolean cut = (long) outer * blocks < FEW_BLOCKS;
    int step = cut ? Math.max(1, CHUNK / width) : Math.max(1, length);
    int chunks = Math.max(1, (length + step - 1) / step);
    double[] part = chunkSums(chunks > 1 ? chunks * outer * inner : 0);
    Parallel.Task task =
        t -> {
          int o = t / (blocks * chunks);
          int i0 = t / chunks % blocks * COLUMNS;
          int i1 = Math.min(inner, i0 + COLUMNS);
          int c = t % chunks;
          int n = i1 - i0;
          double[] acc = COLUMN_SUMS.get();
          Arrays.fill(acc, 0, n, 0);
          int end = Math.min(length, (c + 1) * step);
          accumulate(x, o * length * inner + i0, c * step, end, inner, acc, n);
          if (chunks > 1) {
            System.arraycopy(acc, 0, part, (c * outer + o) * inner + i0, n);
          } else {
            for (int i = 0; i < n; i++) {
              put(out, o * inner + i0 + i, acc[i], add);
            }
          }
        };
    int tasks = outer * blocks * chunks;
    if (parallel.splits((long) outer * length * inner)) {
      int group = (int) ((long) tasks * Parallel.GRAIN / ((long) outer * length * inner));
      if (group <= 1) {
        parallel.run(tasks, task);
      } else {
        parallel.ranges(
            (tasks + group - 1) / group,
            Parallel.GRAIN,
            (lo, hi) -> {
              for (int t = lo * group; t < Math.min(tasks, hi * group); t++) {
                task.run(t);
              }
            });
      }
    } else {
      for (int t = 0; t < tasks; t++) {
        task.run(t);
      }
    }
    if (chunks > 1) {
      int n = outer * inner;
      for (int i = 0; i < n; i++) {
        double s = 0;
        for (int c = 0; c < chunks; c++) {
          s += part[c * n + i];
        }
        put(out, i, s, add);
      }
    }
  }

  private static void accumulate(
      float[] x, int at, int j0, int j1, int inner, double[] acc, int n) {
    int j = j0;
    for (; j + 4 <= j1; j += 4) {
      int q0 = at + j * inner;
      int q1 = q0 + inner;
      int q2 = q1 + inner;
      int q3 = q2 + inner;
      for (int i = 0; i < n; i++) {
        acc[i] += ((double) x[q0 + i] + x[q1 + i]) + ((double) x[q2 + i] + x[q3 + i]);
      }
    }
    for (; j < j1; j++) {
      int q = at + j * inner;
      for (int i = 0; i < n; i++) {
        acc[i] += x[q + i];
      }
    }
  }
}
