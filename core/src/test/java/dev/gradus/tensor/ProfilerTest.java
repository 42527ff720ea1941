package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.Backend;
import dev.gradus.tensor.Profile.Entry;
import dev.gradus.tensor.Profile.Phase;
import dev.gradus.testing.ReferenceBackend;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

@SuppressWarnings("try") // spans and scopes are open for their effect
class ProfilerTest {
  private static Device open(Profiler profiler) {
    return profiler.over(new ReferenceBackend("reference"));
  }

  /** Calls by phase and operation. */
  private static Map<String, Long> calls(Profile profile) {
    Map<String, Long> calls = new TreeMap<>();
    profile.entries().forEach(e -> calls.put(e.phase() + " " + e.operation(), e.calls()));
    return calls;
  }

  private static Entry entry(Profile profile, Phase phase, String operation) {
    return profile.entries().stream()
        .filter(e -> e.phase() == phase && e.operation().equals(operation))
        .findFirst()
        .orElseThrow(() -> new AssertionError(operation + " is not in\n" + profile));
  }

  /** Steps of a linear layer, [4, 3] to [4, 2], and a rectifier. */
  private static Profile linear(Profiler profiler, int steps) {
    try (Device device = open(profiler)) {
      Tensor w = device.ones(2, 3).requiresGrad(true);
      Tensor bias = device.ones(2).requiresGrad(true);
      for (int i = 0; i < steps; i++) {
        try (Scope scope = Scope.open();
            Profiler.Span step = profiler.step()) {
          device.ones(4, 3).linear(w, bias).relu().sum().backward();
        }
      }
    }
    return profiler.profile();
  }

  @Test
  void callsAreThoseOfOperationsForwardAndBackward() {
    Profile profile = linear(Profiler.afterSteps(0), 3);
    assertEquals(3, profile.steps());
    Map<String, Long> expected = new TreeMap<>();
    for (String call :
        List.of(
            "FORWARD Fill",
            "FORWARD Addmm",
            "FORWARD Relu",
            "FORWARD Sum",
            "BACKWARD Seed",
            "BACKWARD Sum",
            "BACKWARD Relu",
            "BACKWARD Addmm")) {
      expected.put(call, 3L);
    }
    assertEquals(expected, calls(profile));
  }

  @Test
  void bytesAreThoseOfOperandsAndResultsAndFlopsThoseOfProducts() {
    Profile profile = linear(Profiler.afterSteps(0), 1);
    Entry forward = entry(profile, Phase.FORWARD, "Addmm");
    // the bias spread over the result, then x, w and the result read and written
    assertEquals(4 * ((2 + 8) + (12 + 6 + 2 * 8)), forward.bytes());
    assertEquals(2 * 4 * 2 * 3, forward.flops());
    Entry backward = entry(profile, Phase.BACKWARD, "Addmm");
    // x takes no gradient: w's is grad' x, the bias's a sum of grad
    assertEquals(4 * ((8 + 12 + 6) + (8 + 2)), backward.bytes());
    assertEquals(2 * 4 * 2 * 3, backward.flops());
    assertEquals(4 * (8 + 8), entry(profile, Phase.FORWARD, "Relu").bytes());
    assertEquals(4 * (8 + 8 + 8), entry(profile, Phase.BACKWARD, "Relu").bytes());
    assertEquals(0, entry(profile, Phase.FORWARD, "Relu").flops());
  }

  @Test
  void operationsAndWhatIsOutsideMakeUpTheWholeTime() {
    Profile profile = linear(Profiler.afterSteps(0), 5);
    long inside = 0;
    for (Phase phase : Phase.values()) {
      inside += profile.nanos(phase);
    }
    assertEquals(profile.nanos(), inside + profile.outside());
    assertTrue(inside > 0 && profile.outside() > 0, profile.toString());
    assertEquals((double) inside / profile.nanos(), profile.covered(), 1e-12);
  }

  @Test
  void theFirstStepsAreLeftOut() {
    Profile profile = linear(Profiler.afterSteps(2), 5);
    assertEquals(3, profile.steps());
    assertEquals(3, entry(profile, Phase.FORWARD, "Addmm").calls());
    assertEquals(
        "profile: no step was measured; the program ended within the steps left out"
            + System.lineSeparator(),
        linear(Profiler.afterSteps(5), 5).toString());
  }

  @Test
  void whatIsNotRecordedHasTheNamesOfItsKernels() {
    Profiler profiler = Profiler.afterSteps(0);
    try (Device device = open(profiler);
        Scope scope = Scope.open();
        NoGrad off = NoGrad.open();
        Profiler.Span step = profiler.step()) {
      Tensor x = device.tensor(new float[] {1, 2, 3, 4}, 2, 2);
      x.matmul(x).gelu().mul(2).leakyRelu(0.1).toFloatArray();
      x.argmax(1, false);
    }
    assertEquals(
        "{FORWARD Argmax=1, FORWARD Download=1, FORWARD Gelu=1, FORWARD LeakyRelu=1,"
            + " FORWARD Mm=1, FORWARD Mul=1, FORWARD Upload=1}",
        calls(profiler.profile()).toString());
  }

  @Test
  void whatWasNotRecordedIsNotCountedForTheNextRecordedOperation() {
    Profiler profiler = Profiler.afterSteps(0);
    try (Device device = open(profiler);
        Scope scope = Scope.open()) {
      Tensor w = device.ones(3).requiresGrad(true);
      try (Profiler.Span step = profiler.step()) {
        Tensor mask = device.ones(3).gt(device.zeros(3)).to(w.dtype());
        w.reshape(3, 1).squeeze(1).mul(mask);
      }
    }
    Profile profile = profiler.profile();
    assertEquals(
        "{FORWARD Cast=1, FORWARD Fill=2, FORWARD Gt=1, FORWARD Mul=1}", calls(profile).toString());
    assertEquals(4 * 9, entry(profile, Phase.FORWARD, "Mul").bytes());
  }

  @Test
  void aCustomFunctionHasItsOwnName() {
    CustomFunction twice =
        new CustomFunction() {
          @Override
          protected Tensor forward(Context context, List<Tensor> inputs) {
            return inputs.get(0).mul(2);
          }

          @Override
          protected List<Tensor> backward(Context context, Tensor grad) {
            return List.of(grad.mul(2));
          }
        };
    Profiler profiler = Profiler.afterSteps(0);
    try (Device device = open(profiler);
        Scope scope = Scope.open()) {
      Tensor w = device.ones(1).requiresGrad(true);
      try (Profiler.Span step = profiler.step()) {
        twice.apply(w).backward();
      }
    }
    assertEquals(
        "{BACKWARD CustomFunction=1, BACKWARD Seed=1, FORWARD CustomFunction=1}",
        calls(profiler.profile()).toString());
  }

  @Test
  void theUpdateIsAPhaseOfItsOwn() {
    Profiler profiler = Profiler.afterSteps(0);
    try (Device device = open(profiler);
        Scope scope = Scope.open();
        Profiler.Span step = profiler.step()) {
      Tensor w = device.ones(5);
      try (Profiler.Span update = device.profiler().update("Rule")) {
        Kernels.scale(device.backend(), w.storage(), 0.5, w.storage());
        Kernels.add(device.backend(), w.storage(), w.storage(), w.storage());
      }
      w.neg();
    }
    Profile profile = profiler.profile();
    assertEquals("{FORWARD Fill=1, FORWARD Neg=1, UPDATE Rule=1}", calls(profile).toString());
    assertEquals(4 * (2 + 3) * 5, entry(profile, Phase.UPDATE, "Rule").bytes());
  }

  @Test
  void otherThreadsAndTimesOutsideOfStepsAreNotCounted() throws InterruptedException {
    Profiler profiler = Profiler.afterSteps(0);
    try (Device device = open(profiler);
        Scope scope = Scope.open()) {
      device.ones(3).neg();
      try (Profiler.Span step = profiler.step()) {
        Thread other = new Thread(() -> device.ones(3).neg());
        other.start();
        other.join();
      }
      device.ones(3).neg();
    }
    assertEquals("{}", calls(profiler.profile()).toString());
    assertEquals(1, profiler.profile().steps());
  }

  @Test
  void aStepInsideAStepIsRefused() {
    Profiler profiler = Profiler.afterSteps(0);
    try (Profiler.Span step = profiler.step()) {
      assertEquals(
          "Profiler.step: the step before is still open; close it first",
          assertThrows(IllegalStateException.class, profiler::step).getMessage());
    }
    assertEquals(
        "Profiler warmUp must be >= 0 but is -1",
        assertThrows(IllegalArgumentException.class, () -> Profiler.afterSteps(-1)).getMessage());
  }

  @Test
  void oneThatIsOffMeasuresNothingAndWrapsNothing() {
    ReferenceBackend backend = new ReferenceBackend("reference");
    try (Device device = Profiler.off().over(backend);
        Profiler.Span step = device.profiler().step()) {
      assertEquals(backend, device.backend());
      device.ones(3).neg();
    }
    assertEquals(0, Profiler.off().profile().steps());
  }

  /** One that is not passed on would run its composed default, and be measured as such. */
  @Test
  void everyCallOfABackendIsPassedOn() {
    for (Method m : Backend.class.getMethods()) {
      if (!Modifier.isStatic(m.getModifiers())) {
        assertTrue(
            Arrays.stream(ProfiledBackend.class.getDeclaredMethods())
                .anyMatch(
                    own ->
                        own.getName().equals(m.getName())
                            && Arrays.equals(own.getParameterTypes(), m.getParameterTypes())),
            m::toString);
      }
    }
  }

  @Test
  void theTableIsSortedByTimeAndAligned() {
    Profile profile =
        new Profile(
            2,
            100_000,
            List.of(
                new Entry(Phase.FORWARD, "Relu", 4, 10_000, 32_000, 0),
                new Entry(Phase.BACKWARD, "Addmm", 2, 50_000, 100_000, 2_500_000),
                new Entry(Phase.UPDATE, "Adam", 2, 15_000, 28_000, 0)));
    assertEquals(
        """
        profile of 2 steps, each 50.0 us
        phase      operation     calls          us       %          kB     GB/s   GFLOP/s
        backward   Addmm           1.0        25.0    50.0        50.0     2.00     50.00
        update     Adam            1.0         7.5    15.0        14.0     1.87
        forward    Relu            2.0         5.0    10.0        16.0     3.20

        forward                                5.0    10.0
        backward                              25.0    50.0
        update                                 7.5    15.0
        (outside)                             12.5    25.0
        """,
        profile.toString().replace(System.lineSeparator(), "\n"));
  }
}
