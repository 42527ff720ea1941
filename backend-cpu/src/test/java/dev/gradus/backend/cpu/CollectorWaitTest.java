package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.Gemm;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** A native call stops the collector, and whoever allocates waits: it must be short. */
final class CollectorWaitTest {
  private static final int N = 4096;
  private static final double NANOS_PER_MILLI = 1e6;

  /** Collections during the product: without them nothing would have to wait. */
  private static long collections() {
    return java.lang.management.ManagementFactory.getGarbageCollectorMXBeans().stream()
        .mapToLong(b -> b.getCollectionCount())
        .sum();
  }

  @Test
  void aThreadThatAllocatesGoesOnDuringALargeProduct() throws InterruptedException {
    float[] a = new float[N * N];
    Arrays.fill(a, 0.5f);
    float[] c = new float[N * N];
    GemmF32 products = new GemmF32(Parallel.of(2), CpuSettings.ofProcess().withThreads(2));
    products.run(Gemm.of(false, false, 64, 64, 64), a, a, c);
    AtomicBoolean done = new AtomicBoolean();
    long[] worst = new long[1];
    long[] kept = new long[1];
    Thread allocates =
        new Thread(
            () -> {
              long last = System.nanoTime();
              while (!done.get()) {
                byte[] garbage = new byte[1 << 16];
                kept[0] += garbage.length;
                long now = System.nanoTime();
                worst[0] = Math.max(worst[0], now - last);
                last = now;
              }
            });
    long before = collections();
    allocates.start();
    long start = System.nanoTime();
    products.run(Gemm.of(false, false, N, N, N), a, a, c);
    long took = System.nanoTime() - start;
    done.set(true);
    allocates.join();
    System.out.printf(
        "n = %d: %.0f ms, %d collections, longest wait of a thread that allocates %.1f ms%n",
        N, took / NANOS_PER_MILLI, collections() - before, worst[0] / NANOS_PER_MILLI);
    assertTrue(kept[0] > 0);
    // Every term is 1/4, and every partial sum exact.
    assertTrue(c[0] == N / 4f && c[N * N - 1] == N / 4f);
    // How long a wait may be, NativeGemmTest asserts by the size of calls: machines are shared.
    assertTrue(collections() > before, "nothing had to be collected, so nothing could wait");
  }
}
