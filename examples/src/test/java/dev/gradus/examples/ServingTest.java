package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
      List<float[]> expected = new ArrayList<>();
      for (String beginning : BEGINNINGS) {
        expected.add(request(model, beginning));
      }
      long living = device.bytesInUse();
      long ofOneThread = device.bytesPooled();
      serve(model, expected, requests);
      assertEquals(living, device.bytesInUse(), "bytes of living tensors");
      // At most each thread has had a request's tensors at once.
      long most = THREADS * ofOneThread;
      assertTrue(device.bytesPooled() <= most, device.bytesPooled() + " pooled, not " + most);
      assertEquals(kind, model.kind());
    }
  }

  private static void serve(NamesModel model, List<float[]> expected, int requests)
      throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<?>> done = new ArrayList<>();
      for (int t = 0; t < THREADS; t++) {
        int first = t;
        done.add(
            pool.submit(
                () -> {
                  for (int i = first; i < requests; i += THREADS) {
                    int k = i % BEGINNINGS.size();
                    assertArrayEquals(expected.get(k), request(model, BEGINNINGS.get(k)), 0f);
                  }
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
  private static float[] request(NamesModel model, String beginning) {
    try (NoGrad off = NoGrad.open();
        Scope scope = Scope.open()) {
      return model.next(beginning).toFloatArray();
    }
  }
}
