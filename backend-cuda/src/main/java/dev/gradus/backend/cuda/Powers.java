package dev.gradus.backend.cuda;

import static dev.gradus.backend.cuda.KernelTable.unsupported;

import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.lang.ref.Reference;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Sums of powers of absolute values, and their extremes, of many storages: {@code norm.cu}. */
final class Powers {
  /** Elements of a part, as the kernel cuts. */
  private static final int PIECE = 16_384;

  /** Words of a storage in the table. */
  private static final int WIDTH = 5;

  /** How many lists of storages are known: a step asks for the same ones each time. */
  private static final int KEPT = 16;

  private final CudaDevice device;
  private final Transfers transfers;

  /** By the words of the list's table. */
  private final Map<LongBuffer, Tables> known = new LinkedHashMap<>(KEPT, 0.75f, true);

  Powers(CudaDevice device, Transfers transfers) {
    this.device = device;
    this.transfers = transfers;
  }

  /**
   * What was written to the device for a list.
   *
   * @param storages the list's words
   * @param pieces the parts of its storages
   * @param first where each storage's parts begin
   * @param partial a place for each part's sum
   */
  private record Tables(
      CudaStorage storages, CudaStorage pieces, CudaStorage first, CudaStorage partial) {}

  void sum(List<Storage> xs, double p, Storage out) {
    long[] words = new long[WIDTH * xs.size()];
    for (int i = 0; i < xs.size(); i++) {
      put(words, i, "sumPowers", xs.get(i));
    }
    try {
      run(words, p, out);
    } finally {
      Reference.reachabilityFence(xs);
    }
  }

  void sumRows(List<Gradient.Rows> xs, double p, Storage out) {
    long[] words = new long[WIDTH * xs.size()];
    for (int i = 0; i < xs.size(); i++) {
      Gradient.Rows rows = xs.get(i);
      put(words, i, "sumRowPowers", rows.values());
      words[WIDTH * i + 3] = CudaStorage.of(rows.ids()).address();
      words[WIDTH * i + 4] = rows.cols();
    }
    try {
      run(words, p, out);
    } finally {
      Reference.reachabilityFence(xs);
    }
  }

  private static void put(long[] words, int i, String op, Storage x) {
    if (!x.dtype().isFloating()) {
      throw unsupported(op, x.dtype());
    }
    words[WIDTH * i] = x.numel();
    words[WIDTH * i + 1] = CudaStorage.of(x).address();
    words[WIDTH * i + 2] = x.dtype() == DType.F64 ? 1 : 0;
  }

  private synchronized void run(long[] words, double p, Storage out) {
    if (words.length == 0) {
      return;
    }
    LongBuffer key = LongBuffer.wrap(words);
    Tables t = known.get(key);
    if (t == null) {
      t = tables(words);
      keep(key, t);
    }
    boolean greatest = Double.isInfinite(p);
    String name =
        greatest
            ? "greatest_absolutes"
            : p == 1 ? "sum_absolutes" : p == 2 ? "sum_squares" : "sum_powers";
    long count = t.pieces.numel();
    Kernels kernels = device.kernels();
    if (count > 0) {
      LaunchBlock launch = device.launch().put(0L).put(t.storages).put(t.pieces).put(count);
      launch.put(t.partial).put(p);
      launch.run(kernels.get(name), device.blocksFor(count), CudaDevice.THREADS);
    }
    String last = greatest ? "greatest_of_parts" : "sum_of_parts";
    LaunchBlock launch = device.launch().put(t.first).put(t.partial).put(out);
    launch.run(kernels.get(last), out.numel(), CudaDevice.THREADS);
  }

  private Tables tables(long[] words) {
    int n = words.length / WIDTH;
    long[] first = new long[n + 1];
    for (int i = 0; i < n; i++) {
      first[i + 1] = first[i] + Axes.ceil(words[WIDTH * i], PIECE);
    }
    long[] pieces = new long[Math.toIntExact(first[n])];
    for (int i = 0; i < n; i++) {
      for (long k = first[i]; k < first[i + 1]; k++) {
        pieces[(int) k] = (k - first[i]) << Integer.SIZE | i;
      }
    }
    List<CudaStorage> made = new ArrayList<>();
    try {
      for (long[] table : List.of(words, pieces, first)) {
        CudaStorage s = device.allocate(DType.I64, table.length);
        made.add(s);
        transfers.upload(LongBuffer.wrap(table), s);
      }
      made.add(device.allocate(DType.F64, first[n]));
    } catch (RuntimeException e) {
      made.forEach(device::free);
      throw e;
    }
    return new Tables(made.get(0), made.get(1), made.get(2), made.get(3));
  }

  private void keep(LongBuffer key, Tables t) {
    if (known.size() == KEPT) {
      var oldest = known.entrySet().iterator();
      Tables old = oldest.next().getValue();
      oldest.remove();
      for (CudaStorage s : List.of(old.storages, old.pieces, old.first, old.partial)) {
        device.free(s);
      }
    }
    known.put(key, t);
  }
}
