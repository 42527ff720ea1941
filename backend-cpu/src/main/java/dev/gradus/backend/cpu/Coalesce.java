package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.i64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Rows summed by their ids: a hash table finds each id's place, then threads share the places. */
final class Coalesce {
  /** The id of a place without a row. */
  private static final long NONE = -1;

  /** Knuth's multiplier: the golden ratio's part of 2^64, odd. */
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private final Parallel parallel;

  /** Working memory that nobody uses just now, kept for the next call. */
  private final AtomicReference<int @Nullable []> idle = new AtomicReference<>();

  Coalesce(Parallel parallel) {
    this.parallel = parallel;
  }

  void run(Storage ids, long skip, Storage rows, Gradient.Rows out, boolean accumulate) {
    if (!rows.dtype().isFloating()) {
      throw unsupported("coalesce", rows.dtype());
    }
    long[] id = i64(ids);
    long[] places = i64(out.ids());
    int cols = (int) out.cols();
    int bits = 33 - Integer.numberOfLeadingZeros(Math.max(1, Math.min(1 << 28, places.length)));
    int[] work = idle.getAndSet(null);
    if (work == null || work.length < id.length + (1 << bits)) {
      work = new int[id.length + (1 << bits)];
    }
    int[] place = work;
    int old = accumulate ? filled(places) : 0;
    int used = find(id, skip, places, old, place, bits);
    Arrays.fill(places, used, places.length, NONE);
    if (parallel.splits((long) id.length * cols)) {
      int parts = Math.min(Math.max(1, used), parallel.threads());
      parallel.run(
          parts,
          p ->
              add(
                  rows,
                  id.length,
                  place,
                  out,
                  old,
                  part(used, p, parts),
                  part(used, p + 1, parts)));
    } else {
      add(rows, id.length, place, out, old, 0, used);
    }
    idle.set(work);
  }

  private static int part(int n, int p, int parts) {
    return (int) ((long) n * p / parts);
  }

  private static int filled(long[] places) {
    int n = 0;
    while (n < places.length && places[n] != NONE) {
      n++;
    }
    return n;
  }

  /**
   * Writes each different id into the next place, and into {@code place} for every j that of its
   * id, or -1. Behind those of all j lies the table: an id's place + 1 where its hash points to, or
   * at the first free entry after; at most half of it is taken.
   *
   * @return how many places are taken
   */
  private static int find(long[] id, long skip, long[] places, int old, int[] place, int bits) {
    int table = id.length;
    int mask = (1 << bits) - 1;
    Arrays.fill(place, table, table + mask + 1, 0);
    int used = 0;
    while (used < old) {
      int at = entry(places[used], places, place, table, bits, mask);
      place[table + at] = ++used;
    }
    for (int j = 0; j < id.length; j++) {
      if (id[j] == skip) {
        place[j] = -1;
        continue;
      }
      int at = table + entry(id[j], places, place, table, bits, mask);
      if (place[at] == 0) {
        places[used] = id[j];
        place[at] = ++used;
      }
      place[j] = place[at] - 1;
    }
    return used;
  }

  private static int entry(long id, long[] places, int[] place, int table, int bits, int mask) {
    int at = (int) ((id * GOLDEN) >>> (64 - bits));
    while (place[table + at] != 0 && places[place[table + at] - 1] != id) {
      at = (at + 1) & mask;
    }
    return at;
  }

  /** Adds the rows whose places are from lo to hi; the first of a new place is copied. */
  private static void add(
      Storage rows, int n, int[] place, Gradient.Rows out, int old, int lo, int hi) {
    int cols = (int) out.cols();
    int fresh = Math.max(lo, old);
    for (int j = 0; j < n; j++) {
      int k = place[j];
      if (k < lo || k >= hi) {
        continue;
      }
      if (k == fresh) {
        System.arraycopy(
            CpuStorage.array(rows), j * cols, CpuStorage.array(out.values()), k * cols, cols);
        fresh++;
      } else if (rows.dtype() == DType.F32) {
        add(f32(rows), j * cols, f32(out.values()), k * cols, cols);
      } else {
        add(f64(rows), j * cols, f64(out.values()), k * cols, cols);
      }
    }
  }

  private static void add(float[] x, int from, float[] out, int to, int n) {
    for (int i = 0; i < n; i++) {
      out[to + i] += x[from + i];
    }
  }

  private static void add(double[] x, int from, double[] out, int to, int n) {
    for (int i = 0; i < n; i++) {
      out[to + i] += x[from + i];
    }
  }
}
