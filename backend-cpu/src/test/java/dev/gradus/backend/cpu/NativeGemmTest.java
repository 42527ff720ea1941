package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gradus.spi.Gemm;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How products are cut into native calls: with a library that only takes notes. */
final class NativeGemmTest {

  /** Adds the inner size of each call to every element of C that it covers. */
  private static final class Notes implements NativeBlas {
    final boolean hosts;
    final Set<String> sizes = new HashSet<>();
    long greatest;
    int threads;

    Notes(boolean hosts) {
      this.hosts = hosts;
    }

    @Override
    public String name() {
      return "notes";
    }

    @Override
    public boolean isHosts() {
      return hosts;
    }

    @Override
    public void threads(int count) {
      threads = count;
    }

    @Override
    public synchronized void sgemm(
        boolean transA,
        boolean transB,
        int m,
        int n,
        int k,
        float[] a,
        int aAt,
        int lda,
        float[] b,
        int bAt,
        int ldb,
        boolean accumulate,
        float[] c,
        int cAt,
        int ldc) {
      greatest = Math.max(greatest, (long) m * n * k);
      sizes.add(m + " " + n + " " + k);
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          int at = cAt + i * ldc + j;
          c[at] = accumulate ? c[at] + k : k;
        }
      }
    }
  }

  private static Notes run(BlasUse use, boolean hosts, int threads, int m, int n, int k) {
    Notes notes = new Notes(hosts);
    float[] c = new float[m * n];
    Arrays.fill(c, -1);
    float[] none = {};
    new NativeGemmF32(Parallel.of(threads), notes, use)
        .run(Gemm.of(false, true, m, n, k), none, none, c);
    float[] covered = new float[m * n];
    Arrays.fill(covered, k);
    assertArrayEquals(covered, c, "every element, once, with its whole inner size");
    return notes;
  }

  private static final int[][] LARGE = {
    {4096, 4096, 4096}, {3, 5000, 5001}, {2047, 2049, 9000}, {1, 1, 100_000}
  };

  @Test
  void noTileIsLongerThanACollectorCanWait() {
    for (int[] s : LARGE) {
      Notes notes = run(BlasUse.TILED, false, 2, s[0], s[1], s[2]);
      assertTrue(
          notes.greatest <= NativeGemmF32.CALL_WORK,
          () -> Arrays.toString(s) + ": " + notes.greatest);
    }
  }

  @Test
  void norIsAWholeProductWhereItStopsTheCollector() {
    assumeTrue(Runtime.version().feature() < 22, "from JDK 22 on arrays are pinned one by one");
    for (int[] s : LARGE) {
      Notes notes = run(BlasUse.WHOLE, false, 2, s[0], s[1], s[2]);
      // Two threads, each for 20 ms at 100 GFLOP/s.
      assertTrue(
          notes.greatest <= 4 * NativeGemmF32.CALL_WORK,
          () -> Arrays.toString(s) + ": " + notes.greatest);
    }
  }

  @Test
  void aLongInnerSizeIsCutWhereACallIsLimited() {
    Set<String> cut = Set.of("8 8 1024", "8 8 976");
    assertEquals(cut, run(BlasUse.TILED, false, 2, 8, 8, 2000).sizes);
    boolean limited = Runtime.version().feature() < 22;
    assertEquals(
        limited ? cut : Set.of("8 8 2000"), run(BlasUse.WHOLE, false, 2, 8, 8, 2000).sizes);
  }

  @Test
  void aFewLongRowsAreWorkForTwoThreads() {
    assertEquals(Set.of("1 2048 1024"), run(BlasUse.TILED, false, 2, 1, 4096, 4096).sizes);
  }

  @Test
  void tilesDependOnTheShapeAlone() {
    for (int[] s : new int[][] {{64, 64, 64}, {130, 257, 300}, {700, 1500, 900}}) {
      Set<String> one = run(BlasUse.TILED, false, 1, s[0], s[1], s[2]).sizes;
      assertEquals(one, run(BlasUse.TILED, false, 2, s[0], s[1], s[2]).sizes);
      assertEquals(one, run(BlasUse.TILED, false, 5, s[0], s[1], s[2]).sizes);
    }
  }

  @Test
  void theLibrarysThreadsAreOneOrAllOfThem() {
    assertEquals(1, run(BlasUse.TILED, false, 2, 600, 600, 600).threads);
    Notes whole = run(BlasUse.WHOLE, false, 2, 600, 600, 600);
    assertEquals(2, whole.threads);
    assertEquals(Set.of("600 600 600"), whole.sizes);
  }

  @Test
  void aLibraryOfTheHostsIsNotCalledFromSeveralThreads() {
    assertEquals(Set.of("600 600 600"), run(BlasUse.TILED, true, 2, 600, 600, 600).sizes);
    assertFalse(run(BlasUse.TILED, false, 2, 600, 600, 600).sizes.contains("600 600 600"));
  }
}
