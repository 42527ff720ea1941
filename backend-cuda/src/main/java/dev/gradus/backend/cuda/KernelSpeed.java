package dev.gradus.backend.cuda;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.SgdHyper;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Times what a device does: many calls, then one wait, by the clock of the host; of some such times
 * the median. The copy on the device comes first, since nothing that moves memory is faster.
 */
final class KernelSpeed {
  /** The trial to whose bandwidth others are compared. */
  static final String COPY = "copy on the device";

  /** The product by the kernel that takes cuBLAS's place; it wants a device without cuBLAS. */
  static final String OWN_PRODUCT = "matrix product without cuBLAS";

  private static final int COLS = 1024;
  private static final int WIDTH = 128;
  private static final int SLOTS = 465;

  private final Sizes sizes;
  private final Map<String, Trial> trials = new LinkedHashMap<>();

  /**
   * How much is done.
   *
   * @param numel elements of a tensor, a multiple of 128 Ki or at least of 1024
   * @param side rows and columns of the matrices of a product
   * @param samples how many times are taken
   * @param nanos how long each lasts, about
   */
  record Sizes(long numel, int side, int samples, long nanos) {
    private static final long MOST = 1L << 26;
    private static final int BUFFERS = 8;

    /** As much as shows whether it works. */
    static Sizes quick() {
      return new Sizes(1 << 12, 32, 3, 1);
    }

    /** Tensors of 256 MiB, far more than caches hold; less on a device with little memory. */
    static Sizes full(long capacity) {
      long numel = MOST;
      while (numel > COLS && numel * Float.BYTES * BUFFERS > capacity / 2) {
        numel /= 2;
      }
      return new Sizes(numel, 4096, 15, 10_000_000);
    }
  }

  /**
   * What a call took.
   *
   * @param micros the median of its times, in microseconds
   * @param bytes what it has to read and write
   * @param operations its floating-point operations, for products only
   */
  record Figure(double micros, double bytes, double operations) {}

  /**
   * Something to time.
   *
   * @param bytes what a call has to read and write; 0 where memory does not bound it
   * @param operations of a call; 0 where only memory counts
   * @param prepare makes what it works on, and returns the call
   */
  private record Trial(double bytes, double operations, Function<Run, Runnable> prepare) {}

  /** What a trial makes, and gives back. */
  private static final class Run implements AutoCloseable {
    final Backend backend;
    final List<Storage> storages = new ArrayList<>();
    final List<Runnable> ends = new ArrayList<>();

    Run(Backend backend) {
      this.backend = backend;
    }

    Storage empty(DType dtype, long n) {
      Storage s = backend.allocate(dtype, n);
      storages.add(s);
      return s;
    }

    Storage filled(long n) {
      Storage s = empty(DType.F32, n);
      backend.fill(s, 0.5);
      return s;
    }

    /** Ids of rows, so that neighbours lie apart. */
    Storage ids(int count) {
      long[] ids = new long[count];
      Arrays.setAll(ids, i -> i * 7919L % count);
      Storage s = empty(DType.I64, count);
      backend.upload(LongBuffer.wrap(ids), s);
      return s;
    }

    @Override
    public void close() {
      ends.forEach(Runnable::run);
      storages.forEach(backend::free);
    }
  }

  KernelSpeed(Sizes sizes) {
    this.sizes = sizes;
    long n = sizes.numel;
    add(COPY, 8, r -> copy(r, n));
    add("fill", 4, r -> fill(r, n));
    add("add", 12, r -> add(r, n, n, Spread.FULL));
    add("add of a row", 8, r -> add(r, n, COLS, Spread.ROW));
    add("exp", 8, r -> unary(r, UnaryOp.EXP, n));
    add("gelu", 8, r -> unary(r, UnaryOp.GELU, n));
    add("gelu gradient", 12, r -> gradient(r, n));
    add("dropout", 8, r -> dropout(r, n));
    add("transpose", 8, r -> transpose(r, n));
    add("sum of all", 4, r -> sum(r, new Axis(1, n, 1)));
    add("sum along rows", 4, r -> sum(r, new Axis(n / COLS, COLS, 1)));
    add("sum along columns", 4, r -> sum(r, new Axis(1, n / COLS, COLS)));
    add("sum of squares", 4, r -> squares(r, n));
    add("softmax", 8, r -> softmax(r, n));
    add("softmax gradient", 12, r -> softmaxGrad(r, n));
    add("normalize", 8, r -> normalize(r, n));
    add("normalize gradient", 12, r -> normalizeGrad(r, n));
    add("look-up of rows", 8, r -> gather(r, n));
    add("sum of rows by ids", 8, r -> scatter(r, n));
    add("adam", 28, r -> adam(r, 1, n, false));
    add("adam with amsgrad", 36, r -> adam(r, 1, n, true));
    add("adam of " + SLOTS + " parameters", 28, r -> adam(r, SLOTS, n, false));
    add("sgd with momentum", 20, r -> sgd(r, n));
    trials.put("launch", new Trial(0, 0, r -> unary(r, UnaryOp.NEG, 1)));
    double side = sizes.side;
    Trial product = new Trial(0, 2 * side * side * side, r -> product(r, sizes.side));
    trials.put("matrix product", product);
    trials.put(OWN_PRODUCT, product);
  }

  private void add(String name, int bytesOfElement, Function<Run, Runnable> prepare) {
    trials.put(name, new Trial((double) bytesOfElement * sizes.numel, 0, prepare));
  }

  /** The trials' names, in their order. */
  List<String> names() {
    return List.copyOf(trials.keySet());
  }

  /** Times a trial. What the device throws is thrown on. */
  Figure run(String name, Backend backend) {
    Trial trial = trials.get(name);
    if (trial == null) {
      throw new IllegalArgumentException("there is no trial '" + name + "'");
    }
    try (Run run = new Run(backend)) {
      Runnable call = trial.prepare.apply(run);
      return new Figure(micros(backend, call), trial.bytes, trial.operations);
    }
  }

  private double micros(Backend backend, Runnable call) {
    nanos(backend, call, 1); // the first makes tables and takes memory
    long once = nanos(backend, call, 1);
    int times = (int) Math.max(1, Math.min(10_000, sizes.nanos / Math.max(1, once)));
    nanos(backend, call, times);
    double[] samples = new double[sizes.samples];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = nanos(backend, call, times) / 1e3 / times;
    }
    Arrays.sort(samples);
    return samples[samples.length / 2];
  }

  private static long nanos(Backend backend, Runnable call, int times) {
    long begin = System.nanoTime();
    for (int i = 0; i < times; i++) {
      call.run();
    }
    backend.synchronize();
    return System.nanoTime() - begin;
  }

  // ---- the trials

  private static Runnable copy(Run r, long n) {
    Storage x = r.filled(n);
    Storage out = r.empty(DType.F32, n);
    long[] one = {1};
    long[] shape = {n};
    return () -> r.backend.copyStrided(shape, x, 0, one, out, 0, one);
  }

  private static Runnable fill(Run r, long n) {
    Storage out = r.empty(DType.F32, n);
    return () -> r.backend.fill(out, 0.5);
  }

  private static Runnable add(Run r, long n, long m, Spread spread) {
    Storage x = r.filled(n);
    Storage y = r.filled(m);
    Storage out = r.empty(DType.F32, n);
    return () -> r.backend.binary(BinaryOp.ADD, x, Spread.FULL, y, spread, out, 0);
  }

  private static Runnable unary(Run r, UnaryOp op, long n) {
    Storage x = r.filled(n);
    Storage out = r.empty(DType.F32, n);
    return () -> r.backend.unary(op, x, out, 0, 0);
  }

  private static Runnable gradient(Run r, long n) {
    Storage grad = r.filled(n);
    Storage x = r.filled(n);
    Storage out = r.empty(DType.F32, n);
    return () -> r.backend.unaryGrad(UnaryOp.GELU, grad, x, out, 0, 0);
  }

  private static Runnable dropout(Run r, long n) {
    Storage x = r.filled(n);
    Storage out = r.empty(DType.F32, n);
    return () -> r.backend.dropout(x, out, 0.1, 1, 0);
  }

  private static Runnable transpose(Run r, long n) {
    Storage x = r.filled(n);
    Storage out = r.empty(DType.F32, n);
    long rows = n / COLS;
    long[] shape = {COLS, rows};
    long[] from = {1, COLS};
    long[] to = {rows, 1};
    return () -> r.backend.copyStrided(shape, x, 0, from, out, 0, to);
  }

  private static Runnable sum(Run r, Axis axis) {
    Storage x = r.filled(axis.numel());
    Storage out = r.empty(DType.F32, axis.reduced());
    return () -> r.backend.reduce(ReduceOp.SUM, x, axis, out, false);
  }

  private static Runnable squares(Run r, long n) {
    List<Storage> xs = List.of(r.filled(n));
    Storage out = r.empty(DType.F64, 1);
    return () -> r.backend.sumPowers(xs, 2, out);
  }

  private static Runnable softmax(Run r, long n) {
    Storage x = r.filled(n);
    Storage out = r.empty(DType.F32, n);
    return () -> r.backend.softmax(false, x, out, n / COLS, COLS);
  }

  private static Runnable softmaxGrad(Run r, long n) {
    Storage grad = r.filled(n);
    Storage y = r.filled(n);
    Storage out = r.empty(DType.F32, n);
    return () -> r.backend.softmaxGrad(false, grad, y, out, n / COLS, COLS);
  }

  private static Runnable normalize(Run r, long n) {
    Storage x = r.filled(n);
    Storage out = r.empty(DType.F32, n);
    Storage rstd = r.empty(DType.F32, n / COLS);
    return () -> r.backend.normalize(x, out, rstd, n / COLS, COLS, 1e-5);
  }

  private static Runnable normalizeGrad(Run r, long n) {
    Storage grad = r.filled(n);
    Storage y = r.filled(n);
    Storage rstd = r.filled(n / COLS);
    Storage out = r.empty(DType.F32, n);
    return () -> r.backend.normalizeGrad(grad, y, rstd, out, n / COLS, COLS);
  }

  private static Runnable gather(Run r, long n) {
    int rows = Math.toIntExact(n / WIDTH);
    Storage x = r.filled(n);
    Storage ids = r.ids(rows);
    Storage out = r.empty(DType.F32, n);
    return () -> r.backend.gather(x, new Axis(1, rows, WIDTH), ids, out);
  }

  private static Runnable scatter(Run r, long n) {
    int rows = Math.toIntExact(n / WIDTH);
    Storage x = r.filled(n);
    Storage ids = r.ids(rows);
    Storage out = r.empty(DType.F32, n);
    return () -> r.backend.scatterAdd(x, new Axis(1, rows, WIDTH), ids, -1, out, false);
  }

  private static Runnable adam(Run r, int count, long n, boolean amsgrad) {
    List<AdamSlot> slots = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long each = n / count + (i < n % count ? 1 : 0);
      Gradient grad = new Gradient.Dense(r.filled(each));
      Storage most = amsgrad ? r.filled(each) : null;
      slots.add(new AdamSlot(r.filled(each), grad, r.filled(each), r.filled(each), most));
    }
    AdamPlan plan = r.backend.planAdam(slots);
    r.ends.add(plan::close);
    int[] hypers = new int[count];
    List<AdamHyper> hyper =
        List.of(new AdamHyper(1e-3, 0.9, 0.999, 1e-8, 0.01, true, false, 0.1, 0.001));
    return () -> plan.step(hypers, hyper);
  }

  private static Runnable sgd(Run r, long n) {
    Gradient grad = new Gradient.Dense(r.filled(n));
    SgdPlan plan = r.backend.planSgd(List.of(new SgdSlot(r.filled(n), grad, r.filled(n))));
    r.ends.add(plan::close);
    int[] hypers = {0};
    List<SgdHyper> hyper = List.of(new SgdHyper(0.01, 0.9, 0, 0.01, false, false, false));
    return () -> plan.step(hypers, hyper);
  }

  private static Runnable product(Run r, int side) {
    long n = (long) side * side;
    Storage a = r.filled(n);
    Storage b = r.filled(n);
    Storage c = r.empty(DType.F32, n);
    Gemm sizes = Gemm.of(false, false, side, side, side);
    return () -> r.backend.gemm(sizes, a, b, c);
  }
}
