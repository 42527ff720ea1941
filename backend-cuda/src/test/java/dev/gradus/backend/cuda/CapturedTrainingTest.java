package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.backend.cuda.emulator.EmulatorControl;
import dev.gradus.nn.Embedding;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Losses;
import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Sequential;
import dev.gradus.nn.Tanh;
import dev.gradus.optim.ASGD;
import dev.gradus.optim.Adadelta;
import dev.gradus.optim.Adagrad;
import dev.gradus.optim.Adam;
import dev.gradus.optim.AdamW;
import dev.gradus.optim.Adamax;
import dev.gradus.optim.AveragedModel;
import dev.gradus.optim.Clip;
import dev.gradus.optim.Lion;
import dev.gradus.optim.NAdam;
import dev.gradus.optim.Optimizer;
import dev.gradus.optim.RAdam;
import dev.gradus.optim.RMSprop;
import dev.gradus.optim.Rprop;
import dev.gradus.optim.SGD;
import dev.gradus.optim.Schedules;
import dev.gradus.tensor.CapturedStep;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Programs around a captured step: each computes what it would without capturing. */
class CapturedTrainingTest {
  private static final int WORDS = 7;
  private static final int WIDTH = 5;
  private static final int BATCH = 9;

  @BeforeEach
  @AfterEach
  void anew() {
    Devices.restart();
  }

  /** A model whose steps are captured or not. */
  private static final class Training implements AutoCloseable {
    final boolean capture;
    final Device device = Device.over(Devices.open());
    final Embedding table;
    final Sequential model;
    final Optimizer<?> optimizer;
    final Tensor ids;
    final Tensor targets;
    int bodies;

    Training(boolean capture, Function<NamedParameters, Optimizer<?>> optimizer) {
      this.capture = capture;
      device.manualSeed(3);
      table = new Embedding(device, WORDS, WIDTH);
      model = new Sequential(table, new Linear(device, WIDTH, WIDTH), new Tanh());
      this.optimizer = optimizer.apply(model.namedParameters());
      ids = device.tensor(new long[] {0, 1, 2, 3, 4, 5, 6, 1, 2});
      targets = device.ones(BATCH, WIDTH);
    }

    Tensor backward() {
      bodies++;
      Tensor loss = Losses.mse(model.forward(ids), targets);
      loss.backward();
      return loss;
    }

    Tensor step() {
      Tensor loss = backward();
      optimizer.step();
      return loss;
    }

    Tensor whole() {
      optimizer.zeroGrad();
      return step();
    }

    CapturedStep captured(Supplier<Tensor> body) {
      return device.capture(List.of(ids, targets), body);
    }

    double run(CapturedStep step, Supplier<Tensor> body) {
      try (Scope scope = Scope.open()) {
        Tensor loss = capture ? step.run() : body.get();
        assertTrue(scope.size() > 0);
        return loss.item();
      }
    }

    float[] values() {
      return model.parameters().get(1).toFloatArray();
    }

    @Override
    public void close() {
      device.close();
    }
  }

  /** A program's steps, which it makes with a training. */
  private interface Program extends Consumer<Training> {}

  /** Runs a program with captured steps and with others. */
  private static int same(Function<NamedParameters, Optimizer<?>> optimizer, Program program) {
    try (Training plain = new Training(false, optimizer);
        Training captured = new Training(true, optimizer)) {
      program.accept(plain);
      program.accept(captured);
      assertArrayEquals(plain.values(), captured.values());
      assertArrayEquals(
          plain.table.weight().toFloatArray(), captured.table.weight().toFloatArray());
      return captured.bodies;
    }
  }

  private static Adam adam(NamedParameters p) {
    return Adam.of(p, o -> o.withLr(0.05));
  }

  static List<Function<NamedParameters, Optimizer<?>>> optimizers() {
    return List.of(
        p -> Adam.of(p, o -> o.withAmsgrad(true)),
        p -> AdamW.of(p, o -> o),
        p -> SGD.of(p, o -> o.withLr(0.1).withMomentum(0.9)),
        p -> Adadelta.of(p, o -> o),
        p -> Adagrad.of(p, o -> o.withLrDecay(0.1)),
        p -> Adamax.of(p, o -> o),
        p -> ASGD.of(p, o -> o.withT0(4)),
        p -> Lion.of(p, o -> o),
        p -> NAdam.of(p, o -> o),
        p -> RAdam.of(p, o -> o),
        p -> RMSprop.of(p, o -> o.withCentered(true)),
        p -> Rprop.of(p, o -> o));
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void everyOptimizerOfBatchedPlansKeepsItsBits(Function<NamedParameters, Optimizer<?>> optimizer) {
    same(
        optimizer,
        t -> {
          try (CapturedStep step = t.captured(t::whole)) {
            for (int i = 0; i < 10; i++) {
              t.run(step, t::whole);
            }
          }
        });
  }

  @Test
  void gradientsMayBeForgottenAtTheEndOfTheBody() {
    int bodies =
        same(
            CapturedTrainingTest::adam,
            t -> {
              Supplier<Tensor> body =
                  () -> {
                    Tensor loss = t.step();
                    t.optimizer.zeroGrad();
                    return loss;
                  };
              try (CapturedStep step = t.captured(body)) {
                for (int i = 0; i < 6; i++) {
                  t.run(step, body);
                }
              }
            });
    assertEquals(3, bodies);
  }

  @Test
  void gradientsMayBeForgottenBetweenRuns() {
    int bodies =
        same(
            CapturedTrainingTest::adam,
            t -> {
              try (CapturedStep step = t.captured(t::step)) {
                for (int i = 0; i < 6; i++) {
                  t.optimizer.zeroGrad();
                  t.run(step, t::step);
                }
              }
            });
    assertEquals(3, bodies);
  }

  @Test
  void gradientsThatAreAddedUpAreNotWrittenAnew() {
    same(
        CapturedTrainingTest::adam,
        t -> {
          try (CapturedStep step = t.captured(t::step)) {
            for (int i = 0; i < 12; i++) {
              if (i % 5 == 0) {
                t.optimizer.zeroGrad();
              }
              t.run(step, t::step);
            }
          }
        });
  }

  @Test
  void aStepMayBeMadeAndGradientsBeReadAfterTheRun() {
    int bodies =
        same(
            CapturedTrainingTest::adam,
            t -> {
              try (CapturedStep step = t.captured(t::backward)) {
                for (int i = 0; i < 6; i++) {
                  t.optimizer.zeroGrad();
                  t.run(step, t::backward);
                  Clip.of(t.optimizer).norm(0.01);
                  t.optimizer.step();
                }
              }
            });
    assertEquals(3, bodies);
  }

  @Test
  void aDenseGradientOfATableIsTheLastRuns() {
    Function<NamedParameters, Optimizer<?>> byRows = p -> SGD.of(p, o -> o.withLr(0.1));
    try (Training plain = new Training(false, byRows);
        Training captured = new Training(true, byRows);
        CapturedStep step = captured.captured(captured::whole)) {
      for (int i = 0; i < 6; i++) {
        plain.run(step, plain::whole);
        captured.run(step, captured::whole);
        assertArrayEquals(
            plain.table.weight().grad().toFloatArray(),
            captured.table.weight().grad().toFloatArray(),
            "gradient of step " + i);
      }
    }
  }

  @Test
  void twoCapturedStepsMayShareAnOptimizer() {
    int bodies =
        same(
            CapturedTrainingTest::adam,
            t -> {
              try (CapturedStep one = t.captured(t::whole);
                  CapturedStep other = t.captured(t::whole)) {
                for (int i = 0; i < 10; i++) {
                  t.run(i % 2 == 0 ? one : other, t::whole);
                }
              }
            });
    assertEquals(6, bodies);
  }

  @Test
  void ratesAndFlagsOfOptionsMayChangeBetweenRuns() {
    same(
        p -> NAdam.of(p, o -> o.withLr(0.01)),
        t -> {
          try (CapturedStep step = t.captured(t::whole)) {
            for (int i = 0; i < 9; i++) {
              if (i == 5) {
                ((NAdam) t.optimizer)
                    .groups()
                    .get(0)
                    .options(o -> o.withWeightDecay(0.1).withDecoupled(true).withMaximize(true));
              }
              t.run(step, t::whole);
            }
          }
        });
  }

  @Test
  void schedulesGoOnBetweenRuns() {
    int bodies =
        same(
            CapturedTrainingTest::adam,
            t -> {
              t.optimizer.schedule(Schedules.oneCycle(0.1, 20));
              try (CapturedStep step = t.captured(t::whole)) {
                for (int i = 0; i < 8; i++) {
                  t.run(step, t::whole);
                  t.optimizer.stepSchedules();
                }
              }
            });
    assertEquals(3, bodies);
  }

  private static String refusal(Training t, Runnable inside) {
    Supplier<Tensor> body =
        () -> {
          Tensor loss = t.whole();
          inside.run();
          return loss;
        };
    try (CapturedStep step = t.captured(body)) {
      step.run();
      step.run();
      return String.valueOf(assertThrows(IllegalStateException.class, step::run).getMessage());
    }
  }

  @Test
  void whatWouldStandStillInReplaysIsRefused() {
    try (Training t = new Training(true, CapturedTrainingTest::adam)) {
      AveragedModel average = AveragedModel.swa(t.model);
      assertEquals(
          "AveragedModel.update: a replay of the captured step would not count it; call it after"
              + " each run",
          refusal(t, average::update));
      t.optimizer.schedule(Schedules.exponential(0.9));
      assertEquals(
          "Adam.stepSchedules: a replay of the captured step would not advance them; call it after"
              + " each run",
          refusal(t, t.optimizer::stepSchedules));
    }
  }

  @Test
  void aStepIsReplayedByAnotherThreadThanRecordedIt() throws InterruptedException {
    try (Training t = new Training(true, CapturedTrainingTest::adam);
        CapturedStep step = t.captured(t::whole)) {
      for (int i = 0; i < 4; i++) {
        t.run(step, t::whole);
      }
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      Thread other = new Thread(() -> t.run(step, t::whole));
      other.setUncaughtExceptionHandler((thread, e) -> thrown.set(e));
      other.start();
      other.join();
      assertNull(thrown.get());
      assertEquals(3, t.bodies);
    }
  }

  @Test
  void anotherThreadUsesTheDeviceWhileAStepIsReplayed() {
    try (Training t = new Training(true, CapturedTrainingTest::adam)) {
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      CapturedStep beside =
          t.captured(
              () -> {
                CapturedStep.onReplay(
                    new CapturedStep.Live() {
                      @Override
                      public boolean fits() {
                        return true;
                      }

                      @Override
                      public void renew() {
                        Thread other = new Thread(() -> t.device.tensor(new float[] {1, 2}).sum());
                        other.setUncaughtExceptionHandler((thread, e) -> thrown.set(e));
                        other.start();
                        try {
                          other.join();
                        } catch (InterruptedException e) {
                          throw new AssertionError(e);
                        }
                      }
                    });
                return t.targets.mul(2);
              });
      for (int i = 0; i < 5; i++) {
        assertEquals(2, beside.run().toFloatArray()[3]);
      }
      beside.close();
      assertNull(thrown.get());
    }
  }

  @Test
  void aBodyThatFailsWhileItIsRecordedLeavesNothing() {
    Devices.needEmulator("the graphs that it counts");
    try (Training t = new Training(true, CapturedTrainingTest::adam)) {
      int[] runs = {0};
      try (CapturedStep step =
          t.captured(
              () -> {
                Tensor twice = t.targets.mul(2);
                if (runs[0]++ == 2) {
                  throw new UnsupportedOperationException("not now");
                }
                return twice;
              })) {
        step.run();
        step.run();
        assertThrows(UnsupportedOperationException.class, step::run);
        assertEquals(0, EmulatorControl.counter("live-graphs"));
        assertEquals(2, step.run().toFloatArray()[0]);
        assertEquals(2, step.run().toFloatArray()[0]);
      }
      assertEquals(0, EmulatorControl.counter("live-graphs"));
    }
  }
}
