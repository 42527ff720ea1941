package dev.gradus.spi;

import dev.gradus.types.DType;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The definitions of what works on rows of a table. They read the ids on the host, so they wait for
 * the device.
 */
final class ComposedRows {
  /** The id of a place without a row, and an id that is none. */
  private static final long NONE = -1;

  private static final long[] ONE = {1};

  private final Backend b;
  private final long[] ids;
  private final long cols;

  /** The rows of a gradient, those left over not counted. */
  ComposedRows(Backend b, Gradient.Rows rows) {
    this.b = b;
    this.ids = ids(b, rows.ids());
    this.cols = rows.cols();
  }

  /** The ids of a gradient, up to the first place without a row. */
  private static long[] ids(Backend b, Storage storage) {
    long[] all = download(b, storage);
    int n = 0;
    while (n < all.length && all[n] != NONE) {
      n++;
    }
    return Arrays.copyOf(all, n);
  }

  private static long[] download(Backend b, Storage ids) {
    long[] values = new long[Math.toIntExact(ids.numel())];
    b.download(ids, LongBuffer.wrap(values));
    return values;
  }

  static void coalesce(
      Backend b, Storage ids, long skip, Storage rows, Gradient.Rows out, boolean more) {
    long cols = out.cols();
    long[] places = new long[Math.toIntExact(out.ids().numel())];
    Arrays.fill(places, NONE);
    Map<Long, Integer> placeOf = new HashMap<>();
    for (long id : more ? ids(b, out.ids()) : new long[0]) {
      places[placeOf.size()] = id;
      placeOf.put(id, placeOf.size());
    }
    int before = placeOf.size();
    long[] place = download(b, ids);
    for (int j = 0; j < place.length; j++) {
      if (place[j] != skip) {
        places[placeOf.getOrDefault(place[j], placeOf.size())] = place[j];
        placeOf.putIfAbsent(place[j], placeOf.size());
        place[j] = placeOf.get(place[j]);
      } else {
        place[j] = NONE;
      }
    }
    Storage at = b.allocate(DType.I64, place.length);
    Storage sums = b.allocate(rows.dtype(), out.values().numel());
    b.upload(LongBuffer.wrap(place), at);
    b.fill(sums, 0);
    copy(b, out.values(), sums, before * cols);
    b.scatterAdd(rows, new Axis(1, places.length, cols), at, NONE, sums, true);
    copy(b, sums, out.values(), sums.numel());
    b.upload(LongBuffer.wrap(places), out.ids());
    b.free(sums);
    b.free(at);
  }

  private static void copy(Backend b, Storage from, Storage to, long n) {
    b.copyStrided(new long[] {n}, from, 0, ONE, to, 0, ONE);
  }

  static void sumPowers(Backend b, List<Gradient.Rows> xs, double p, Storage out) {
    Storage sum = b.allocate(DType.F64, 1);
    for (int i = 0; i < xs.size(); i++) {
      Storage rows = new ComposedRows(b, xs.get(i)).alongTheTable(xs.get(i).values());
      b.sumPowers(List.of(rows), p, sum);
      b.copyStrided(ONE, sum, 0, ONE, out, i, ONE);
      b.free(rows);
    }
    b.free(sum);
  }

  /** The rows in the order of their ids. */
  private Storage alongTheTable(Storage values) {
    Storage sorted = b.allocate(values.dtype(), numel());
    Map<Long, Integer> placeOf = new TreeMap<>();
    for (int k = 0; k < ids.length; k++) {
      placeOf.put(ids[k], k);
    }
    long to = 0;
    for (int place : placeOf.values()) {
      b.copyStrided(new long[] {cols}, values, place * cols, ONE, sorted, to, ONE);
      to += cols;
    }
    return sorted;
  }

  /** The number of elements of all rows. */
  private long numel() {
    return ids.length * cols;
  }

  /** The values of a gradient. */
  private Storage values(Gradient.Rows rows, boolean negated) {
    Storage g = b.allocate(rows.values().dtype(), numel());
    copy(b, rows.values(), g, numel());
    b.unary(UnaryOp.MUL_SCALAR, g, g, negated ? -1 : 1, 0);
    return g;
  }

  private Storage read(Storage table) {
    Storage out = b.allocate(table.dtype(), numel());
    for (int k = 0; k < ids.length; k++) {
      b.copyStrided(new long[] {cols}, table, ids[k] * cols, ONE, out, k * cols, ONE);
    }
    return out;
  }

  private void write(Storage rows, Storage table) {
    for (int k = 0; k < ids.length; k++) {
      b.copyStrided(new long[] {cols}, rows, k * cols, ONE, table, ids[k] * cols, ONE);
    }
    b.free(rows);
  }

  private void binary(BinaryOp op, Storage x, Storage y, Storage out, double a) {
    b.binary(op, x, Spread.FULL, y, Spread.FULL, out, a);
  }

  /** {@code mean + weight (x - mean)}, into mean; x is overwritten. */
  private void move(Storage mean, Storage x, double weight) {
    binary(BinaryOp.SUB, x, mean, x, 0);
    b.unary(UnaryOp.MUL_SCALAR, x, x, weight, 0);
    binary(BinaryOp.ADD, mean, x, mean, 0);
  }

  void adam(AdamSlot s, Gradient.Rows rows, AdamHyper h) {
    Storage g = values(rows, h.maximize());
    Storage t = b.allocate(g.dtype(), numel());
    Storage m = read(s.expAvg());
    Storage v = read(s.expAvgSq());
    binary(BinaryOp.MUL, g, g, t, 0);
    move(m, g, 1 - h.beta1());
    move(v, t, 1 - h.beta2());
    b.unary(UnaryOp.SQRT, v, t, 0, 0);
    b.unary(UnaryOp.ADD_SCALAR, t, t, h.eps(), 0);
    binary(BinaryOp.DIV, m, t, t, 0);
    double step = h.lr() * Math.sqrt(h.biasCorrection2()) / h.biasCorrection1();
    b.unary(UnaryOp.MUL_SCALAR, t, t, -step, 0);
    Storage theta = read(s.param());
    binary(BinaryOp.ADD, theta, t, theta, 0);
    write(m, s.expAvg());
    write(v, s.expAvgSq());
    write(theta, s.param());
    b.free(t);
    b.free(g);
  }

  void sgd(SgdSlot s, Gradient.Rows rows, SgdHyper h) {
    Storage g = values(rows, h.maximize());
    Storage theta = read(s.param());
    binary(BinaryOp.ADD_SCALED, theta, g, theta, -h.lr());
    write(theta, s.param());
    b.free(g);
  }
}
