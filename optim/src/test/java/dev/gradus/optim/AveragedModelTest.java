package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.gradus.nn.Module;
import dev.gradus.nn.Parameter;
import dev.gradus.spi.Storage;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.testing.TensorAssert;
import dev.gradus.types.DType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Averages, with the figures of PyTorch 2.13: AveragedModel with its averaging functions. */
class AveragedModelTest {
  private static final double ULP = 0x1p-53;

  private Device device;
  private Model model;

  /** A parameter that is tied, a floating-point buffer, and one that counts. */
  private static final class Model extends Module {
    final Parameter p;
    final Tensor mean;
    final Tensor count;

    Model(Device device) {
      p = registerParameter("p", new Parameter(device.zeros(DType.F64, 3)));
      registerParameter("tied", p);
      mean = registerBuffer("mean", device.zeros(DType.F64, 1));
      count = registerBuffer("count", device.tensor(new long[] {0}));
    }

    /** What training makes of it. */
    void become(int t) {
      Device device = p.device();
      p.assign(
          device
              .tensor(new double[] {Math.sin(t), Math.sin(t + 3.0), Math.sin(t + 6.0)})
              .to(p.dtype()));
      mean.copyFrom(device.tensor(new double[] {Math.cos(t)}).to(mean.dtype()));
      count.copyFrom(device.tensor(new long[] {t}));
    }
  }

  @BeforeEach
  void open() {
    device = Fixture.Where.BACKEND.open();
    model = new Model(device);
  }

  @AfterEach
  void close() {
    device.close();
  }

  private static AveragedModel train(Model model, AveragedModel averages) {
    for (int t = 0; t < 7; t++) {
      model.become(t);
      averages.update();
    }
    return averages;
  }

  private static double[] average(AveragedModel averages, String name) {
    Tensor t = averages.stateDict().get("module." + name);
    return t == null ? new double[0] : Fixture.values(t);
  }

  // ---- averaging

  @ParameterizedTest
  @EnumSource
  void averagesAreThoseOfPyTorch(Fixture.Where where) {
    try (Device on = where.open()) {
      Model m = new Model(on);
      AveragedModel ema = train(m, AveragedModel.ema(m, 0.9));
      close(
          new double[] {-0.055911063715998424, 0.13049412139505775, -0.20246533834715122},
          average(ema, "p"));
      AveragedModel fast = train(m, AveragedModel.ema(m, 0.25).withBuffers());
      close(
          new double[] {-0.41990102296003595, 0.5187861875820485, -0.6072878431323225},
          average(fast, "p"));
      close(new double[] {0.7304940451323452}, average(fast, "mean"));
      AveragedModel swa = train(m, AveragedModel.swa(m));
      close(
          new double[] {-0.014750549782363885, 0.029205867210543163, -0.04307662900792952},
          average(swa, "p"));
      assertEquals(7, swa.updates());
      close(
          new double[] {0.10347883199579032},
          average(train(m, AveragedModel.swa(m).withBuffers()), "mean"));
    }
  }

  /** Seven updates, each of which rounds three times. */
  private static void close(double[] expected, double[] actual) {
    TensorAssert.assertClose(expected, actual, 0, 16 * ULP);
  }

  @Test
  void equalWeightsGiveTheMean() {
    double[] mean = new double[3];
    for (int t = 0; t < 7; t++) {
      for (int i = 0; i < 3; i++) {
        mean[i] += Math.sin(t + 3.0 * i) / 7;
      }
    }
    close(mean, average(train(model, AveragedModel.swa(model)), "p"));
  }

  @Test
  void buffersAreTheModelsOwnUnlessTheyAreAveraged() {
    AveragedModel own = train(model, AveragedModel.ema(model, 0.9));
    assertArrayEquals(new double[] {Math.cos(6)}, average(own, "mean"));
    AveragedModel averaged = train(model, AveragedModel.ema(model, 0.9).withBuffers());
    assertNotEquals(Math.cos(6), average(averaged, "mean")[0]);
    assertArrayEquals(new double[] {6}, average(averaged, "count"), "the last of what has no mean");
  }

  @Test
  void averagesFollowTheModelToAnotherDeviceAndType() {
    AveragedModel ema = AveragedModel.ema(model, 0.5);
    model.become(1);
    ema.update();
    model.to(DType.F32);
    try (Device other = Device.over(new ReferenceBackend("other"))) {
      model.to(other);
      model.become(2);
      ema.update();
      Tensor average = ema.stateDict().get("module.p");
      assertEquals(DType.F32, average == null ? DType.I64 : average.dtype());
      assertEquals((Math.sin(1) + Math.sin(2)) / 2, average(ema, "p")[0], 0x1p-23);
    }
  }

  @Test
  @SuppressWarnings("try") // the scope is open for its effect
  void anUpdateAllocatesNothingAndKeepsTheMemoryAlive() {
    AveragedModel ema = AveragedModel.ema(model, 0.9);
    try (Scope scope = Scope.open()) {
      model.become(0);
      int before = scope.size();
      ema.update();
      assertEquals(before, scope.size());
    }
    model.become(1);
    ema.update();
    assertEquals(2, ema.updates());
  }

  @Test
  void anAverageMayBeAHook() {
    AveragedModel swa = AveragedModel.swa(model);
    SGD sgd = SGD.of(model.namedParameters(), o -> o.withLr(1));
    sgd.afterStep(swa::update);
    for (int t = 0; t < 3; t++) {
      Fixture.gradient(model.p, -1, -2, -3);
      sgd.step();
    }
    close(new double[] {2, 4, 6}, average(swa, "p"));
  }

  // ---- swapping

  @Test
  void averagesAreSwappedInAndTheModelsOwnComeBackToTheBit() {
    AveragedModel ema = train(model, AveragedModel.ema(model, 0.9).withBuffers());
    double[] own = Fixture.values(model.p);
    double[] averages = average(ema, "p");
    Storage memory = model.p.storage();
    AveragedModel.Swap swap = ema.swapIn();
    assertArrayEquals(averages, Fixture.values(model.p));
    assertArrayEquals(new double[] {6}, Fixture.values(model.count));
    assertNotEquals(Math.cos(6), model.mean.item());
    swap.close();
    assertArrayEquals(own, Fixture.values(model.p));
    swap.close();
    assertArrayEquals(own, Fixture.values(model.p), "a second close does nothing");
    assertEquals(Math.cos(6), model.mean.item());
    assertSame(memory, model.p.storage());
    assertArrayEquals(averages, average(ema, "p"));
  }

  @Test
  void aSwapThatWasClosedDoesNotCloseALaterOne() {
    AveragedModel ema = train(model, AveragedModel.ema(model, 0.9));
    AveragedModel.Swap first = ema.swapIn();
    first.close();
    try (AveragedModel.Swap second = ema.swapIn()) {
      double[] averages = Fixture.values(model.p);
      first.close();
      assertArrayEquals(averages, Fixture.values(model.p));
      assertFalse(second.equals(first));
    }
  }

  @Test
  @SuppressWarnings("try") // the swap is open for its effect
  void whileAveragesAreInTheModelNothingElseIsDone() {
    AveragedModel ema = train(model, AveragedModel.ema(model, 0.9));
    Map<String, Tensor> state = ema.stateDict();
    try (AveragedModel.Swap swap = ema.swapIn()) {
      for (Map.Entry<String, Runnable> e :
          Map.<String, Runnable>of(
                  "update", ema::update,
                  "swapIn", ema::swapIn,
                  "stateDict", ema::stateDict,
                  "loadStateDict", () -> ema.loadStateDict(state))
              .entrySet()) {
        assertEquals(
            "AveragedModel."
                + e.getKey()
                + ": the averages are in the model; close what swapIn() gave before",
            Fixture.refused(IllegalStateException.class, e.getValue()::run));
      }
    }
    assertEquals(7, ema.updates());
  }

  @Test
  void averagesThatAreNoneAreNotSwappedIn() {
    assertEquals(
        "AveragedModel.swapIn: there are no averages yet; call update() after each step",
        Fixture.refused(IllegalStateException.class, () -> AveragedModel.swa(model).swapIn()));
  }

  // ---- state

  @Test
  void theStateHasPyTorchsNamesAndGoesOn() {
    AveragedModel ema = AveragedModel.ema(model, 0.9);
    model.become(0);
    ema.update();
    model.become(1);
    ema.update();
    Map<String, Tensor> state = ema.stateDict();
    assertEquals(
        List.of("n_averaged", "module.p", "module.tied", "module.mean", "module.count"),
        List.copyOf(state.keySet()));
    model.become(2);
    ema.update();
    double[] after = average(ema, "p");

    Model second = new Model(device);
    AveragedModel resumed = AveragedModel.ema(second, 0.9);
    resumed.loadStateDict(state);
    assertEquals(2, resumed.updates());
    second.become(2);
    resumed.update();
    assertArrayEquals(after, average(resumed, "p"));
  }

  @Test
  void theLivingStateIsNoCopyAndIsLoadedFromBuffers() {
    AveragedModel ema = train(model, AveragedModel.ema(model, 0.9));
    Map<String, Tensor> living = ema.liveState();
    assertEquals(ema.stateDict().keySet(), living.keySet());
    double[] before = average(ema, "p");
    assertArrayEquals(before, Fixture.values(living.get("module.p")));
    Map<String, StateBuffer> saved = new LinkedHashMap<>();
    ema.stateDict().forEach((name, t) -> saved.put(name, new StateBuffer.InMemory(t)));
    model.become(9);
    ema.update();
    assertArrayEquals(average(ema, "p"), Fixture.values(living.get("module.p")));
    assertEquals(List.of(), ema.misfits(saved));
    ema.loadState(saved);
    assertArrayEquals(before, average(ema, "p"));
    assertEquals(7, ema.updates());
    saved.remove("module.p");
    saved.remove("module.tied");
    assertEquals(List.of("missing: 'module.p'"), ema.misfits(saved));
  }

  @Test
  void aStateBeforeTheFirstUpdateIsTheModel() {
    AveragedModel ema = AveragedModel.ema(model, 0.9);
    model.become(3);
    assertArrayEquals(Fixture.values(model.p), average(ema, "p"));
  }

  @Test
  void oneNameOfATiedTensorIsEnough() {
    AveragedModel ema = train(model, AveragedModel.ema(model, 0.9));
    Map<String, Tensor> state = ema.stateDict();
    state.remove("module.p");
    AveragedModel resumed = AveragedModel.ema(model, 0.9);
    resumed.loadStateDict(state);
    assertArrayEquals(average(ema, "p"), average(resumed, "p"));
  }

  @Test
  void aStateThatDoesNotFitIsRefusedWithEveryProblem() {
    AveragedModel ema = train(model, AveragedModel.ema(model, 0.9).withBuffers());
    double[] before = average(ema, "p");
    Map<String, Tensor> state = new LinkedHashMap<>();
    state.put("n_averaged", device.zeros(DType.F64, 1));
    state.put("p", device.zeros(3));
    state.put("module.tied", device.zeros(2, 2));
    state.put("module.mean", device.zeros(1));
    assertEquals(
        """
        AveragedModel.loadStateDict: the state does not fit; nothing was loaded
          'n_averaged' is not a number of updates: one int64, at least 0
          unexpected: 'p'
          shape of 'module.p': [2, 2]; the model has [3]
          missing: 'module.count'\
        """,
        Fixture.refused(IllegalArgumentException.class, () -> ema.loadStateDict(state)));
    state.remove("n_averaged");
    assertEquals(
        true,
        Fixture.refused(IllegalArgumentException.class, () -> ema.loadStateDict(state))
            .contains("missing: 'n_averaged'"));
    assertArrayEquals(before, average(ema, "p"));
    assertEquals(7, ema.updates());
  }

  // ---- refusals and texts

  @Test
  void wrongDecaysAndEmptyModelsAreRefused() {
    assertEquals(
        "AveragedModel.ema decay must be in [0, 1) but is 1.0",
        Fixture.refused(IllegalArgumentException.class, () -> AveragedModel.ema(model, 1)));
    assertEquals(
        "AveragedModel: the model has no parameters; layers count when they are registered",
        Fixture.refused(IllegalArgumentException.class, () -> AveragedModel.swa(new Module() {})));
  }

  @Test
  void itPrintsItsKindAndItsUpdates() {
    assertEquals(
        "AveragedModel(ema, decay 0.9, updates 7)",
        train(model, AveragedModel.ema(model, 0.9)).toString());
    assertEquals("AveragedModel(swa, updates 0)", AveragedModel.swa(model).toString());
  }
}
