package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A model in evaluation serves many threads at once, as in a server. */
class ServingTest {
  private static final int THREADS = 16;
  private static final int REQUESTS = 10_000;
  private static final List<String> BEGINNINGS = List.of("", "a", "ma", "joh", "elisabe");

  @ParameterizedTest
  @EnumSource(NamesKind.class)
  void sixteenThreadsGetTheBytesOfOneAndMemoryDoesNotGrow(NamesKind kind) throws Exception {
    int requests = kind == NamesKind.MLP ? REQUESTS : REQUESTS / 10;
    try (Device device = Device.open("cpu")) {
      device.manualSeed(0);
      NamesModel model = kind.create(device, kind.sizes());
      model.eval();
      device.trim(); // what the initial values took
      List<float[]> expected = new ArrayList<>();
      for (String beginning : BEGINNINGS) {
        expected.add(request(model, beginning));
      }
      long living = device.bytesInUse();
      long ofOneThread = device.bytesPooled();
      holdAllAtOnce(model);
      assertPooledByEachThread(ofOneThread, device);
      serve(model, expected, requests);
      assertEquals(living, device.bytesInUse(), "bytes of living tensors");
      assertPooledByEachThread(ofOneThread, device);
      assertEquals(kind, model.kind());
    }
  }

  private static void assertPooledByEachThread(long ofOneThread, Device device) {
    long most = THREADS * ofOneThread;
    long pooled = device.bytesPooled();
    assertTrue(pooled <= most, () -> pooled + " bytes pooled, more than " + most);
  }

  /** For each beginning, every thread has a request open at the same time. */
  private static void holdAllAtOnce(NamesModel model) throws Exception {
    CyclicBarrier all = new CyclicBarrier(THREADS);
    inEveryThread(
        t -> {
          for (String beginning : BEGINNINGS) {
            hold(model, beginning, all);
          }
        });
  }

  private static void serve(NamesModel model, List<float[]> expected, int requests)
      throws Exception {
    inEveryThread(
        first -> {
          for (int i = first; i < requests; i += THREADS) {
            int k = i % BEGINNINGS.size();
            assertArrayEquals(expected.get(k), request(model, BEGINNINGS.get(k)), 0f);
          }
        });
  }

  /** The work of one thread. */
  private interface Work {
    void run(int thread) throws Exception;
  }

  private static void inEveryThread(Work work) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<?>> done = new ArrayList<>();
      for (int t = 0; t < THREADS; t++) {
        int thread = t;
        done.add(
            pool.submit(
                () -> {
                  work.run(thread);
                  return null;
                }));
      }
      for (Future<?> f : done) {
        f.get();
      }
    } finally {
      pool.shutdownNow();
    }
  }

  @SuppressWarnings("try") // the blocks are open for their effect
  private static void hold(NamesModel model, String beginning, CyclicBarrier all) throws Exception {
    try (NoGrad off = NoGrad.open();
        Scope scope = Scope.open()) {
      model.next(beginning);
      all.await(1, TimeUnit.MINUTES);
    }
  }

  @SuppressWarnings("try") // the blocks are open for their effect
  private static float[] request(NamesModel model, String beginning) {
    try (NoGrad off = NoGrad.open();
        Scope scope = Scope.open()) {
      return model.next(beginning).toFloatArray();
    }
  }
}
