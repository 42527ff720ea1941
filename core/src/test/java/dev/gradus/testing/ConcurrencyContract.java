package dev.gradus.testing;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a backend promises when several threads call it. */
interface ConcurrencyContract extends ContractFixture {
  int THREADS = 8;
  int ROUNDS = 10;

  @Test
  default void eightThreadsGetTheBitsOfOne() throws Exception {
    double[] alone = work(lab().tested());
    Callable<List<double[]>> many =
        () -> {
          List<double[]> results = new ArrayList<>();
          for (int i = 0; i < ROUNDS; i++) {
            results.add(work(lab().tested()));
          }
          return results;
        };
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<List<double[]>>> all = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        all.add(pool.submit(many));
      }
      for (Future<List<double[]>> f : all) {
        for (double[] result : f.get(2, TimeUnit.MINUTES)) {
          TensorAssert.assertBits(alone, result);
        }
      }
    } finally {
      pool.shutdownNow();
    }
  }

  /** A small forward pass: look-up, product, bias, activation, normalisation, softmax, sums. */
  private static double[] work(Backend b) {
    int rows = 65;
    int cols = 129;
    List<Storage> used = new ArrayList<>();
    Storage table = keep(used, Host.store(b, DType.F32, Values.normal(1, 31 * cols, 1)));
    Storage ids = keep(used, Host.store(b, Values.ids(2, rows, 31)));
    Storage weight = keep(used, Host.store(b, DType.F32, Values.normal(3, cols * cols, 0.1)));
    Storage bias = keep(used, Host.store(b, DType.F32, Values.normal(4, cols, 1)));
    Storage x = keep(used, b.allocate(DType.F32, (long) rows * cols));
    Storage y = keep(used, b.allocate(DType.F32, (long) rows * cols));
    Storage rstd = keep(used, b.allocate(DType.F32, rows));
    Storage sums = keep(used, b.allocate(DType.F32, cols));
    Storage grad = keep(used, b.allocate(DType.F32, 31L * cols));
    b.gather(table, new Axis(1, 31, cols), ids, x);
    b.gemm(Gemm.of(false, true, rows, cols, cols), x, weight, y);
    b.binary(BinaryOp.ADD, y, Spread.FULL, bias, Spread.ROW, y, 0);
    b.unary(UnaryOp.TANH, y, y, 0, 0);
    b.normalize(y, x, rstd, rows, cols, 1e-5);
    b.softmax(true, x, y, rows, cols);
    b.dropout(y, y, 0.1, 5, 6);
    b.reduce(ReduceOp.SUM, y, new Axis(1, rows, cols), sums, false);
    b.scatterAdd(y, new Axis(1, 31, cols), ids, -1, grad, false);
    double[] s = Host.read(b, sums);
    double[] g = Host.read(b, grad);
    double[] all = new double[s.length + g.length];
    System.arraycopy(s, 0, all, 0, s.length);
    System.arraycopy(g, 0, all, s.length, g.length);
    used.forEach(b::free);
    return all;
  }

  private static Storage keep(List<Storage> used, Storage s) {
    used.add(s);
    return s;
  }

  @Test
  default void theSameCallTwiceGivesTheSameBits() {
    TensorAssert.assertBits(work(lab().tested()), work(lab().tested()));
  }
}
