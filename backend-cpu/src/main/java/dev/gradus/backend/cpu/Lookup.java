package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.i64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Storage;
import java.util.Arrays;

/** Rows looked up by id, and its gradient: rows added to by id. */
final class Lookup {
  private final Parallel parallel;

  Lookup(Parallel parallel) {
    this.parallel = parallel;
  }

  void gather(Storage x, Axis axis, Storage ids, Storage out) {
    long[] id = i64(ids);
    int length = (int) axis.length();
    int inner = (int) axis.inner();
    int rows = (int) axis.outer() * id.length;
    Object from = CpuStorage.array(x);
    Object to = CpuStorage.array(out);
    if (rows == 0) {
      return;
    }
    if (parallel.splits((long) rows * inner)) {
      parallel.ranges(rows, inner, (lo, hi) -> gather(from, id, length, inner, to, lo, hi));
    } else {
      gather(from, id, length, inner, to, 0, rows);
    }
  }

  @SuppressWarnings("SuspiciousSystemArraycopy") // both arrays have the storage's type
  private static void gather(
      Object from, long[] id, int length, int inner, Object to, int lo, int hi) {
    int o = lo / id.length;
    int j = lo % id.length;
    for (int r = lo; r < hi; r++) {
      System.arraycopy(from, (o * length + (int) id[j]) * inner, to, r * inner, inner);
      if (++j == id.length) {
        j = 0;
        o++;
      }
    }
  }

  void scatterAdd(Storage x, Axis axis, Storage ids, long skip, Storage out, boolean accumulate) {
    long[] id = i64(ids);
    int outer = (int) axis.outer();
    int length = (int) axis.length();
    int inner = (int) axis.inner();
    int rows = outer * length;
    if (!accumulate) {
      clear(out);
    }
    // A thread owns rows of the result and walks all ids, so the order of j is everybody's.
    if (parallel.splits((long) outer * id.length * inner)) {
      int parts = Math.min(rows, parallel.threads());
      parallel.run(
          parts,
          p ->
              add(
                  x,
                  id,
                  skip,
                  outer,
                  length,
                  inner,
                  out,
                  (int) ((long) rows * p / parts),
                  (int) ((long) rows * (p + 1) / parts)));
    } else {
      add(x, id, skip, outer, length, inner, out, 0, rows);
    }
  }

  private static void clear(Storage out) {
    switch (out.dtype()) {
      case F32 -> Arrays.fill(f32(out), 0f);
      case F64 -> Arrays.fill(f64(out), 0);
      case I64 -> Arrays.fill(i64(out), 0);
      case BOOL -> throw unsupported("scatterAdd", out.dtype());
    }
  }

  /** Adds to the result's rows lo to hi. */
  private static void add(
      Storage x,
      long[] id,
      long skip,
      int outer,
      int length,
      int inner,
      Storage out,
      int lo,
      int hi) {
    for (int o = lo / Math.max(1, length); o < outer && o * length < hi; o++) {
      for (int j = 0; j < id.length; j++) {
        int row = o * length + (int) id[j];
        if (id[j] == skip || row < lo || row >= hi) {
          continue;
        }
        int from = (o * id.length + j) * inner;
        switch (out.dtype()) {
          case F32 -> add(f32(x), from, f32(out), row * inner, inner);
          case F64 -> add(f64(x), from, f64(out), row * inner, inner);
          case I64 -> add(i64(x), from, i64(out), row * inner, inner);
          case BOOL -> throw unsupported("scatterAdd", out.dtype());
        }
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

  private static void add(long[] x, int from, long[] out, int to, int n) {
    for (int i = 0; i < n; i++) {
      out[to + i] += x[from + i];
    }
  }
}
