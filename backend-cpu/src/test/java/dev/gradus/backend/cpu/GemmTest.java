package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gradus.spi.Gemm;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import org.junit.jupiter.api.Test;

final class GemmTest {
  private static final int[][] SIZES = {
    {1, 1, 1},
    {5, 3, 5},
    {7, 9, 0},
    {3, 300, 70},
    {300, 27, 129},
    {131, 530, 515},
    {300, 20, 1100},
    {40, 270, 1100},
    {2, 1, 1000},
    {33, 41, 257},
    {16, 16, 300},
    {8, 8, 8},
    {9, 40, 31},
    {40, 9, 64},
    {1, 128, 256},
    {530, 1, 3},
    {2, 2, 4099},
    {70, 1500, 90}
  };

  private static final CpuSettings HERE = CpuSettings.ofProcess().withBlas(BlasUse.OFF);
  private static final CpuSettings PLAIN = HERE.withVectors(VectorApi.without("a test"));

  private static float[] product(CpuSettings s, Gemm g, float[] a, float[] b, float[] before) {
    float[] c = before.clone();
    new GemmF32(Parallel.of(s.threads()), s).run(g, a, b, c);
    return c;
  }

  private static float[] values(int seed, int n) {
    Random random = new Random(seed);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static Gemm[] forms(int m, int n, int k) {
    Gemm[] forms = new Gemm[16];
    for (int i = 0; i < 16; i++) {
      boolean batched = (i & 8) != 0;
      // The second of the batched operands is shared.
      forms[i] =
          new Gemm(
              (i & 1) != 0,
              (i & 2) != 0,
              m,
              n,
              k,
              batched ? 3 : 1,
              batched ? (long) m * k : 0,
              0,
              (i & 4) != 0);
    }
    return forms;
  }

  private static int index(boolean transposed, int row, int col, int rows, int cols) {
    return transposed ? col * rows + row : row * cols + col;
  }

  @Test
  void productsAgreeWithDoubleAndWithEveryNumberOfThreads() {
    for (int[] s : SIZES) {
      int m = s[0];
      int n = s[1];
      int k = s[2];
      float[] a = values(1, 3 * m * k);
      float[] b = values(2, n * k);
      for (Gemm g : forms(m, n, k)) {
        float[] c = values(3, (int) g.batch() * m * n);
        float[] one = product(PLAIN.withThreads(1), g, a, b, c);
        assertArrayEquals(one, product(PLAIN.withThreads(2), g, a, b, c));
        float[] tiled = product(HERE.withThreads(1).withBlas(BlasUse.TILED), g, a, b, c);
        assertArrayEquals(tiled, product(HERE.withThreads(2).withBlas(BlasUse.TILED), g, a, b, c));
        float[] whole = product(HERE.withThreads(2).withBlas(BlasUse.WHOLE), g, a, b, c);
        float[] without = product(PLAIN.withThreads(2).withFma(false), g, a, b, c);
        for (int i = 0; i < c.length; i++) {
          check(g, a, b, c[i], i, new float[] {one[i], tiled[i], whole[i]}, without[i]);
        }
      }
    }
  }

  private static void check(
      Gemm g, float[] a, float[] b, float before, int at, float[] with, float without) {
    int m = (int) g.m();
    int n = (int) g.n();
    int k = (int) g.k();
    int item = at / (m * n);
    int row = at / n % m;
    int col = at % n;
    double sum = g.accumulate() ? before : 0;
    double size = Math.abs(sum);
    for (int p = 0; p < k; p++) {
      double x = a[(int) (item * g.strideA()) + index(g.transA(), row, p, m, k)];
      double term = x * b[index(g.transB(), p, col, k, n)];
      sum += term;
      size += Math.abs(term);
    }
    // Each of k additions rounds by at most half a unit of the largest partial sum.
    double allowed = (k + 2) * 0x1p-24 * size;
    for (float w : with) {
      assertEquals(sum, w, allowed);
    }
    assertEquals(sum, without, 2 * allowed);
  }

  @Test
  void inJavaVectorsAndLoopsGiveTheSameBits() {
    assumeTrue(
        HERE.vectors().kernels().vectorBits() > 0, () -> "vector API " + HERE.vectors().report());
    assumeTrue(HERE.fma(), "no hardware FMA");
    for (int[] s : SIZES) {
      float[] a = values(1, 3 * s[0] * s[2]);
      float[] b = values(2, s[1] * s[2]);
      for (Gemm g : forms(s[0], s[1], s[2])) {
        float[] c = values(3, (int) g.batch() * s[0] * s[1]);
        assertArrayEquals(product(PLAIN, g, a, b, c), product(HERE, g, a, b, c), g.toString());
      }
    }
  }

  @Test
  void inJavaBitsDoNotDependOnTheSizeOfTheBatchOrOnOtherRows() {
    int k = 300;
    float[] a = values(4, 130 * k);
    float[] b = values(5, k * 50);
    float[] all = product(HERE, Gemm.of(false, false, 130, 50, k), a, b, new float[130 * 50]);
    float[] first = product(HERE, Gemm.of(false, false, 1, 50, k), a, b, new float[50]);
    for (int j = 0; j < 50; j++) {
      assertEquals(all[j], first[j]);
    }
  }

  @Test
  void aSharedLeftOperandHasStrideZero() {
    float[] a = values(6, 4 * 6);
    float[] b = values(7, 2 * 6 * 5);
    Gemm g = new Gemm(false, false, 4, 5, 6, 2, 0, 30, false);
    float[] c = product(HERE, g, a, b, new float[2 * 4 * 5]);
    float[] b2 = Arrays.copyOfRange(b, 30, 60);
    float[] second = product(HERE, Gemm.of(false, false, 4, 5, 6), a, b2, new float[20]);
    assertArrayEquals(second, Arrays.copyOfRange(c, 20, 40));
  }

  /** Takes notes of the tiles, 128 rows and 512 columns at most. */
  private static final class Notes implements GemmTile {
    final Set<String> tiles = new ConcurrentSkipListSet<>();

    @Override
    public int rows() {
      return 128;
    }

    @Override
    public int columns() {
      return 512;
    }

    @Override
    public void run(
        GemmOperands o,
        int aAt,
        int bAt,
        int cAt,
        int i0,
        int i1,
        int j0,
        int j1,
        boolean accumulate) {
      tiles.add(i0 + "-" + i1 + " " + j0 + "-" + j1);
    }
  }

  private static Set<String> tiles(int m, int n, int k) {
    Notes notes = new Notes();
    float[] a = new float[m * k];
    float[] b = new float[k * n];
    float[] c = new float[m * n];
    new GemmF32(Parallel.of(2), PLAIN, notes).run(Gemm.of(false, false, m, n, k), a, b, c);
    return notes.tiles;
  }

  @Test
  void inJavaFewRowsAreWorkForTwoThreadsWhereThreadsPay() {
    assertEquals(Set.of("0-8 0-256", "0-8 256-500"), tiles(8, 500, 512));
    assertEquals(Set.of("0-8 0-500"), tiles(8, 500, 100), "too small for two");
    assertEquals(Set.of("0-128 0-500", "128-200 0-500"), tiles(200, 500, 512));
  }
}
