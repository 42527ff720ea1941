package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.backend.cuda.emulator.EmulatorControl;
import dev.gradus.nn.Dropout;
import dev.gradus.nn.Embedding;
import dev.gradus.nn.GELU;
import dev.gradus.nn.LayerNorm;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Losses;
import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.nn.Sequential;
import dev.gradus.optim.Adam;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Training on the emulated device: in every mode that must not change a bit, and with failures. */
class TrainingStepTest {
  private static final int WORDS = 29;
  private static final int WIDTH = 24;
  private static final int BATCH = 70;

  @BeforeEach
  @AfterEach
  void anew() {
    Devices.restart();
  }

  /** A model, its optimizer with two groups, and a batch that is uploaded at each step. */
  private static final class Training implements AutoCloseable {
    final Backend backend;
    final Device device;
    final Sequential model;
    final Adam adam;
    final long[] ids = new long[BATCH];
    final long[] targets = new long[BATCH];

    Training(CudaSettings settings) {
      backend = Devices.open(settings, Devices.cuBlas());
      device = Device.over(backend);
      device.manualSeed(7);
      model =
          new Sequential(
              new Embedding(device, WORDS, WIDTH),
              new LayerNorm(device, WIDTH),
              new Linear(device, WIDTH, 2 * WIDTH),
              new GELU(),
              new Dropout(0.1),
              new Linear(device, 2 * WIDTH, WORDS));
      NamedParameters all = model.namedParameters();
      adam =
          Adam.withDefaults(o -> o.withLr(0.01).withWeightDecay(0.01))
              .group("embedding", all.matching("0.*"), o -> o.withLr(0.02))
              .group("rest", all.others())
              .build();
      for (int i = 0; i < BATCH; i++) {
        ids[i] = i * i % WORDS;
        targets[i] = (i * 7 + 3) % WORDS;
      }
    }

    @SuppressWarnings("try") // the scope is open for its effect
    double step() {
      try (Scope scope = Scope.open()) {
        adam.zeroGrad();
        Tensor scores = model.forward(device.tensor(ids, BATCH));
        Tensor loss = Losses.crossEntropy(scores, device.tensor(targets, BATCH));
        loss.backward();
        adam.step();
        return loss.item();
      }
    }

    float[] parameters() {
      List<float[]> all = new ArrayList<>();
      for (Parameter p : model.parameters()) {
        all.add(p.toFloatArray());
      }
      int n = all.stream().mapToInt(p -> p.length).sum();
      float[] values = new float[n];
      int at = 0;
      for (float[] p : all) {
        System.arraycopy(p, 0, values, at, p.length);
        at += p.length;
      }
      return values;
    }

    long used() {
      return CudaBackend.deviceOf(backend).memory().used();
    }

    /** Lets the collector find what a failure left behind. */
    void collect(long used) {
      for (int i = 0; i < 50 && used() > used; i++) {
        System.gc();
        backend.free(backend.allocate(DType.F32, 1));
      }
    }

    @Override
    public void close() {
      device.close();
    }
  }

  private static float[] trained(CudaSettings settings) {
    try (Training t = new Training(settings)) {
      double first = t.step();
      double last = first;
      for (int i = 0; i < 3; i++) {
        last = t.step();
      }
      assertTrue(last < first, first + " to " + last);
      return t.parameters();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "race",
        "order=1",
        "order=2",
        "order=3",
        "defer=1",
        "defer=2",
        "defer=3",
        "defer=4",
        "defer=5",
        "race,order=4,defer=6",
        "threads=1"
      })
  void noModeOfTheDeviceChangesABit(String mode) {
    float[] plain = trained(CudaSettings.DEFAULTS);
    Devices.configure(mode);
    assertArrayEquals(plain, trained(CudaSettings.DEFAULTS.withCaching(false)));
  }

  @Test
  void aSteadyStepAsksForNoMemoryAndCopiesTheBatchTheRatesAndTheLossAlone() {
    Devices.needEmulator("what it counts");
    try (Training t = new Training(CudaSettings.DEFAULTS)) {
      t.step();
      t.step();
      EmulatorControl.clearCounters();
      t.step();
      assertEquals(0, EmulatorControl.counter("allocations"));
      assertEquals(3, EmulatorControl.counter("h2d"), "ids, targets, the optimizer's table");
      assertEquals(1, EmulatorControl.counter("d2h"), "the loss");
      assertEquals(1, EmulatorControl.kernel("adam_f32").launches(), "for two groups");
    }
  }

  @Test
  void afterAFailureAtAnyCallNothingIsLostAndTheDeviceGoesOn() {
    failAtEach(17);
  }

  @Test
  @Tag("long")
  void afterAFailureAtEveryCallNothingIsLostAndTheDeviceGoesOn() {
    failAtEach(1);
  }

  private static void failAtEach(int stride) {
    Devices.needEmulator("failures that it makes");
    try (Training t = new Training(CudaSettings.DEFAULTS)) {
      t.step();
      t.step();
      long used = t.used();
      long live = EmulatorControl.counter("live-allocations");
      int call = 1;
      while (fails(t, call)) {
        t.collect(used);
        // Less where the failure came before the step had made all of its gradients.
        assertTrue(t.used() <= used, t.used() + " bytes after a failure at call " + call);
        call += stride;
      }
      assertTrue(call > 50, "calls of a step: " + call);
      EmulatorControl.configure("");
      assertTrue(Double.isFinite(t.step()));
      assertEquals(used, t.used());
      assertEquals(live, EmulatorControl.counter("live-allocations"));
    }
  }

  /** Whether a step meets the failure of its n-th call; it has to tell so. */
  private static boolean fails(Training t, int call) {
    // Not by Devices, which asks the driver something first: that would meet the failure left over.
    EmulatorControl.configure("fail-call=" + call);
    try {
      t.step();
      return false;
    } catch (BackendException e) {
      assertTrue(e.getMessage().matches("cuda:0: .+ failed: .+ \\(\\d+\\)"), e.getMessage());
      return true;
    }
  }

  @Test
  void anAllocationThatIsRefusedOnceIsAskedForAgain() {
    CudaSettings settings = CudaSettings.DEFAULTS.withCaching(false);
    int steps = 1;
    float[] parameters;
    try (Training t = new Training(settings)) {
      t.step();
      long asked = Long.MAX_VALUE;
      for (int n = 1; asked >= n; n++) {
        Devices.configure("fail-allocation=" + n);
        long before = EmulatorControl.counter("allocations");
        t.step();
        steps++;
        asked = EmulatorControl.counter("allocations") - before;
      }
      parameters = t.parameters();
    }
    assertTrue(steps > 3, "steps: " + steps);
    Devices.restart();
    try (Training t = new Training(settings)) {
      for (int i = 0; i < steps; i++) {
        t.step();
      }
      assertArrayEquals(t.parameters(), parameters);
    }
  }

  @Test
  void pinnedMemoryThatIsRefusedIsTold() {
    try (Training t = new Training(CudaSettings.DEFAULTS)) {
      Devices.configure("fail-name=cuMemHostAlloc,fail-call=1,fail-code=2");
      BackendException e = assertThrows(BackendException.class, t::parameters);
      assertEquals(
          "cuda:0: allocation of 4194304 bytes of pinned memory failed: out of memory (2)",
          e.getMessage());
      assertTrue(Double.isFinite(t.step()));
    }
  }
}
