package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.i64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import java.util.Arrays;
import java.util.List;

/**
 * Sums of powers over gradients of rows: along the table, in the chunks and partial sums of the
 * dense gradient ({@link PowerSums}). The zeros that are left out change no sum, so the bits are
 * the same.
 */
final class RowPowerSums {
  private RowPowerSums() {}

  static void run(List<Gradient.Rows> xs, double p, Storage out) {
    for (Gradient.Rows x : xs) {
      if (!x.values().dtype().isFloating()) {
        throw unsupported("sumRowPowers", x.values().dtype());
      }
    }
    double[] o = f64(out);
    for (int i = 0; i < xs.size(); i++) {
      o[i] = sum(xs.get(i), p);
    }
  }

  private static double sum(Gradient.Rows rows, double p) {
    int cols = (int) rows.cols();
    double[] lanes = new double[PowerSums.LANES];
    double sum = 0;
    long chunk = 0;
    for (long order : alongTheTable(i64(rows.ids()))) {
      long inTable = (order >>> Integer.SIZE) * cols;
      int inRows = (int) order * cols;
      int done = 0;
      while (done < cols) {
        long at = inTable + done;
        if (at / PowerSums.CHUNK != chunk) {
          sum = join(sum, lanes, p);
          Arrays.fill(lanes, 0);
          chunk = at / PowerSums.CHUNK;
        }
        int end = (int) Math.min(cols, (chunk + 1) * PowerSums.CHUNK - inTable);
        int lane = (int) (at % PowerSums.LANES);
        PowerSums.add(rows.values(), inRows + done, inRows + end, p, lane, lanes, 0);
        done = end;
      }
    }
    return join(sum, lanes, p);
  }

  private static double join(double sum, double[] lanes, double p) {
    double part = PowerSums.total(lanes, 0);
    return Double.isInfinite(p) ? Math.max(sum, part) : sum + part;
  }

  /** For each row its id and its place, in the upper and the lower half, by ids. */
  private static long[] alongTheTable(long[] ids) {
    int n = 0;
    while (n < ids.length && ids[n] >= 0) {
      n++;
    }
    long[] order = new long[n];
    for (int k = 0; k < n; k++) {
      order[k] = ids[k] << Integer.SIZE | k;
    }
    Arrays.sort(order);
    return order;
  }
}
