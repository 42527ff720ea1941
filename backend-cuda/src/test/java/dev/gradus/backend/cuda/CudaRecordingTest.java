package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gradus.backend.cuda.emulator.EmulatorControl;
import dev.gradus.nn.Dropout;
import dev.gradus.nn.Embedding;
import dev.gradus.nn.GELU;
import dev.gradus.nn.LayerNorm;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Losses;
import dev.gradus.nn.Parameter;
import dev.gradus.nn.Sequential;
import dev.gradus.optim.Adam;
import dev.gradus.optim.Muon;
import dev.gradus.spi.Backend;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwisePlan;
import dev.gradus.spi.PointwiseSlot;
import dev.gradus.spi.PointwiseStep;
import dev.gradus.spi.Recording;
import dev.gradus.spi.Storage;
import dev.gradus.tensor.CapturedStep;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps that are recorded as a graph and replayed: they do what the body by itself would do. */
class CudaRecordingTest {
  private static final int WORDS = 29;
  private static final int WIDTH = 12;
  private static final int BATCH = 33;

  @BeforeEach
  @AfterEach
  void anew() {
    Devices.restart();
  }

  /** A model and its optimizer, whose steps are captured or not. */
  private static final class Training implements AutoCloseable {
    final Device device = Device.over(Devices.open());
    final Sequential model;
    final Adam adam;
    final Tensor ids;
    final Tensor targets;
    final CapturedStep captured;
    final boolean capture;
    int bodies;

    Training(boolean capture) {
      this.capture = capture;
      device.manualSeed(7);
      model =
          new Sequential(
              new Embedding(device, WORDS, WIDTH),
              new LayerNorm(device, WIDTH),
              new Linear(device, WIDTH, 2 * WIDTH),
              new GELU(),
              new Dropout(0.3),
              new Linear(device, 2 * WIDTH, WORDS));
      adam =
          Adam.withDefaults(o -> o.withLr(0.01).withWeightDecay(0.01))
              .group("embedding", model.namedParameters().matching("0.*"), o -> o.withLr(0.02))
              .group("rest", model.namedParameters().others())
              .build();
      ids = device.tensor(new long[BATCH]);
      targets = device.tensor(new long[BATCH]);
      captured = device.capture(List.of(ids, targets), this::body);
    }

    private Tensor body() {
      bodies++;
      adam.zeroGrad();
      Tensor loss = Losses.crossEntropy(model.forward(ids), targets);
      loss.backward();
      adam.step();
      return loss;
    }

    @SuppressWarnings("try") // the scope is open for its effect
    double step(int i) {
      try (Scope scope = Scope.open()) {
        long[] values = new long[BATCH];
        for (int k = 0; k < BATCH; k++) {
          values[k] = ((long) k * k + 5L * i) % WORDS;
        }
        values[0] = 0;
        values[1] = WORDS - 1;
        ids.copyFrom(device.tensor(values));
        for (int k = 0; k < BATCH; k++) {
          values[k] = (values[k] * 7 + 3) % WORDS;
        }
        values[0] = 0;
        values[1] = WORDS - 1;
        targets.copyFrom(device.tensor(values));
        adam.group("rest").setLr(0.01 / (1 + i));
        Tensor loss = capture ? captured.run() : body();
        // What the step's memory would be used for if it were free.
        for (int size = 1; size < 2000; size = 3 * size + 1) {
          device.zeros(size).add(9);
        }
        device.zeros(BATCH, WIDTH).add(9);
        device.zeros(BATCH, 2 * WIDTH).add(9);
        return loss.item();
      }
    }

    List<float[]> values() {
      List<float[]> values = new ArrayList<>();
      for (Parameter p : model.parameters()) {
        values.add(p.toFloatArray());
      }
      return values;
    }

    @Override
    public void close() {
      captured.close();
      device.close();
    }
  }

  /** What happens before a step. */
  @FunctionalInterface
  private interface Before {
    void step(int i, Training t);
  }

  /**
   * Trains with steps that are captured and with others.
   *
   * @param bodies how often the body has to run where they are captured
   */
  private static void same(int steps, int bodies, Before before) {
    try (Training plain = new Training(false);
        Training captured = new Training(true)) {
      for (int i = 0; i < steps; i++) {
        before.step(i, plain);
        before.step(i, captured);
        assertEquals(plain.step(i), captured.step(i), "loss of step " + i);
      }
      List<float[]> expected = plain.values();
      List<float[]> actual = captured.values();
      for (int k = 0; k < expected.size(); k++) {
        assertArrayEquals(expected.get(k), actual.get(k));
      }
      assertEquals(bodies, captured.bodies);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "defer=1", "defer=4,order=2"})
  void replaysHaveTheBitsOfPlainSteps(String mode) {
    Devices.configure(mode);
    same(8, 3, (i, t) -> {});
  }

  @Test
  void aChangeOfTheStructureIsRecordedAnew() {
    same(
        12,
        9,
        (i, t) -> {
          if (i == 4) {
            t.model.eval();
          } else if (i == 8) {
            t.model.parameters().get(0).requiresGrad(false);
          }
        });
  }

  @Test
  void aNewSeedIsRecordedAnew() {
    same(
        8,
        6,
        (i, t) -> {
          if (i == 4) {
            t.device.manualSeed(11);
          }
        });
  }

  @Test
  void aReplayIsOneLaunchAndBringsInNoMoreThanItsNumbers() {
    Devices.needEmulator("what it counts");
    try (Training t = new Training(true)) {
      for (int i = 0; i < 5; i++) {
        t.step(i);
      }
      t.device.synchronize();
      EmulatorControl.clearCounters();
      try (Scope scope = Scope.open()) {
        Tensor loss = t.captured.run();
        t.device.synchronize();
        assertEquals(0, loss.shape().rank());
        assertEquals(1, scope.size());
      }
      assertEquals(1, EmulatorControl.counter("graph-launches"));
      assertEquals(null, EmulatorControl.calls().get("cuLaunchKernel"));
      assertEquals(0, EmulatorControl.counter("allocations"));
      assertEquals(0, EmulatorControl.counter("d2h"));
      // The table of the optimizer's numbers, and where the random stream stands.
      assertEquals(2, EmulatorControl.counter("h2d"));
      assertEquals(1, EmulatorControl.kernel("adam_f32").launches());
      assertEquals(3, t.bodies);
    }
  }

  @Test
  void aClosedStepGivesItsMemoryBack() {
    try (Training t = new Training(true)) {
      t.step(0);
      t.step(1);
      t.device.trim();
      CudaDevice device = CudaBackend.deviceOf(t.device.backend());
      long before = device.memory().used();
      t.step(2);
      t.captured.close();
      t.device.trim();
      assertEquals(before, device.memory().used());
    }
  }

  private static String refusal(Device device, Supplier<Tensor> body) {
    try (CapturedStep step = device.capture(List.of(), body)) {
      step.run();
      step.run();
      IllegalStateException e = assertThrows(IllegalStateException.class, step::run);
      return String.valueOf(e.getMessage());
    }
  }

  @Test
  void whatAReplayCannotRepeatIsRefused() {
    try (Device device = Device.over(Devices.open())) {
      Tensor x = device.tensor(new float[] {1, 2, 3});
      assertEquals(
          "cuda:0: reading of values inside a step that is recorded; read them after the run",
          refusal(device, () -> x.mul(x.sum().item())));
      assertEquals(
          "cuda:0: values of the host inside a step that is recorded; make the tensor before, or"
              + " bring them by one of the inputs",
          refusal(device, () -> x.mul(device.tensor(new float[] {1, 2, 3}))));
      assertEquals(
          "cuda:0: waiting inside a step that is recorded; wait after it",
          refusal(
              device,
              () -> {
                device.synchronize();
                return x;
              }));
      assertEquals(6, x.sum().item());
    }
  }

  @Test
  void anotherThreadWaitsForTheEndOfARecording() {
    try (Device device = Device.over(Devices.open())) {
      Tensor x = device.tensor(new float[] {1, 2, 3});
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      Supplier<Tensor> body =
          () -> {
            if (CapturedStep.isRecording()) {
              Thread other = new Thread(() -> x.sum());
              other.setUncaughtExceptionHandler((t, e) -> thrown.set(e));
              other.start();
              try {
                other.join();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            }
            return x.sum();
          };
      try (CapturedStep step = device.capture(List.of(), body)) {
        for (int i = 0; i < 4; i++) {
          assertEquals(6, step.run().item());
        }
      }
      assertEquals(
          "java.lang.IllegalStateException: cuda:0: another thread records a step; use the device"
              + " after it",
          String.valueOf(thrown.get()));
    }
  }

  @Test
  void anOptimizerWhoseNumbersAreInItsCallsIsRefused() {
    try (Device device = Device.over(Devices.open())) {
      Linear linear = new Linear(device, 3, 2);
      Muon muon =
          Muon.withDefaults()
              .group("all", linear.namedParameters().matching("weight"))
              .allowUnused()
              .build();
      Tensor x = device.ones(1, 3);
      Supplier<Tensor> body =
          () -> {
            muon.zeroGrad();
            Tensor loss = linear.forward(x).sum();
            loss.backward();
            muon.step();
            return loss;
          };
      try (CapturedStep step = device.capture(List.of(x), body)) {
        step.run();
        step.run();
        UnsupportedOperationException e =
            assertThrows(UnsupportedOperationException.class, step::run);
        assertEquals(
            "Muon.step: it computes with numbers that a replay could not renew; leave it out of"
                + " the captured step and call it after each run",
            e.getMessage());
      }
    }
  }

  @Test
  void idsThatWereNotSeenAreCheckedByTheBody() {
    try (Training t = new Training(true)) {
      for (int i = 0; i < 5; i++) {
        t.step(i);
      }
      long[] wrong = new long[BATCH];
      wrong[3] = WORDS;
      t.ids.copyFrom(t.device.tensor(wrong));
      for (int i = 0; i < 2; i++) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, t.captured::run);
        assertEquals("Embedding '0': id 29 at position [3] is outside [0, 29)", e.getMessage());
      }
      int before = t.bodies;
      for (int i = 0; i < 4; i++) {
        t.step(i);
      }
      assertEquals(before + 2, t.bodies);
    }
  }

  @Test
  void twoStepsOfAnOptimizerInOneBodyAreRefused() {
    try (Training t = new Training(true)) {
      t.step(0);
      t.step(1);
      CapturedStep twice =
          t.device.capture(
              List.of(t.ids, t.targets),
              () -> {
                Tensor loss = t.body();
                t.adam.step();
                return loss;
              });
      twice.run();
      twice.run();
      IllegalStateException e = assertThrows(IllegalStateException.class, twice::run);
      assertEquals(
          "cuda: an optimizer makes two steps inside a step that is recorded; make one",
          e.getMessage());
      t.step(2);
    }
  }

  @Test
  void anotherKindOfProgramInAReplayIsRefused() {
    try (Backend b = Devices.open()) {
      Storage x = b.allocate(DType.F32, 10);
      b.fill(x, 3);
      PointwisePlan plan = b.planPointwise(List.of(new PointwiseSlot(x, x, List.of())));
      int[] first = {0};
      plan.step(first, List.of(program(1)));
      Recording recording = b.record(0, () -> plan.step(first, List.of(program(1))));
      assertNotNull(recording);
      recording.replay(0, () -> plan.step(first, List.of(program(1))));
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class,
              () -> recording.replay(0, () -> plan.step(first, List.of(program(9)))));
      assertEquals(
          "cuda: an optimizer's options changed what a recorded step computes; call"
              + " CapturedStep.recordAnew() when you change them",
          e.getMessage());
      recording.close();
      plan.close();
      float[] values = new float[10];
      b.download(x, FloatBuffer.wrap(values));
      assertEquals(24, values[9]);
    }
  }

  /** Doubles the parameter so often. */
  private static PointwiseStep program(int times) {
    PointwiseBuilder u = new PointwiseBuilder(List.of());
    PointwiseBuilder.Value v = u.param();
    for (int i = 0; i < times; i++) {
      v = v.mul(2);
    }
    u.setParam(v);
    return u.build();
  }
}
