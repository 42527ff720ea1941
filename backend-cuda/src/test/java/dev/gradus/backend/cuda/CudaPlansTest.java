package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gradus.backend.cpu.CpuBackendProvider;
import dev.gradus.backend.cuda.emulator.EmulatorControl;
import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Pointwise;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwiseOp;
import dev.gradus.spi.PointwisePlan;
import dev.gradus.spi.PointwiseSlot;
import dev.gradus.spi.PointwiseStep;
import dev.gradus.spi.SgdHyper;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Batched steps: the bits of the CPU backend, in one launch, and no more traffic than they need.
 */
class CudaPlansTest {
  /** Three groups, more than a million elements. */
  private static final int[] GROUPS = {600_001, 400_000, 12_345};

  private static final int STEPS = 3;

  private static Backend cuda;

  private final List<Storage> made = new ArrayList<>();

  /** One device for all, since opening one takes longer than most tests. */
  @BeforeAll
  static void open() {
    Devices.restart();
    cuda = Devices.open();
  }

  @AfterAll
  static void close() {
    if (cuda != null) { // else opening it failed, or skipped the tests
      cuda.close();
    }
    Devices.restart();
  }

  @AfterEach
  void free() {
    made.forEach(cuda::free);
  }

  /** Trains on a backend and returns what was trained. */
  @FunctionalInterface
  interface Training {
    List<float[]> run(Backend b);
  }

  private void sameBits(Training training) {
    try (Backend cpu = new CpuBackendProvider().open(0)) {
      List<float[]> expected = training.run(cpu);
      List<float[]> actual = training.run(cuda);
      long different = 0;
      for (int k = 0; k < expected.size(); k++) {
        for (int i = 0; i < expected.get(k).length; i++) {
          int e = Float.floatToRawIntBits(expected.get(k)[i]);
          different += e == Float.floatToRawIntBits(actual.get(k)[i]) ? 0 : 1;
        }
      }
      assertEquals(0, different);
    }
  }

  private Storage allocate(Backend b, DType dtype, long n) {
    Storage s = b.allocate(dtype, n);
    if (b == cuda) {
      made.add(s);
    }
    return s;
  }

  private Storage random(Backend b, long seed, int n, boolean positive) {
    Storage s = allocate(b, DType.F32, n);
    b.upload(FloatBuffer.wrap(values(seed, n, positive)), s);
    return s;
  }

  private static float[] values(long seed, int n, boolean positive) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      // Sizes from 2^-30 to 1, as gradients have; some are 0.
      double size = Math.scalb(random.nextDouble(), -random.nextInt(30));
      values[i] = i % 1009 == 0 ? 0 : (float) (positive || random.nextBoolean() ? size : -size);
    }
    return values;
  }

  private static void refill(Backend b, Storage grad, long seed) {
    b.upload(FloatBuffer.wrap(values(seed, (int) grad.numel(), false)), grad);
  }

  private static List<float[]> read(Backend b, List<Storage> all) {
    List<float[]> values = new ArrayList<>();
    for (Storage s : all) {
      float[] v = new float[(int) s.numel()];
      b.download(s, FloatBuffer.wrap(v));
      values.add(v);
    }
    return values;
  }

  private static AdamHyper adam(
      double lr, double beta1, double decay, boolean decoupled, boolean maximize, int step) {
    return new AdamHyper(
        lr,
        beta1,
        0.999,
        1e-8,
        decay,
        decoupled,
        maximize,
        1 - Math.pow(beta1, step),
        1 - Math.pow(0.999, step));
  }

  private static List<AdamHyper> adam(String options, int step) {
    boolean decoupled = options.contains("decoupled");
    double decay = options.contains("decay") || decoupled ? 0.01 : 0;
    boolean maximize = options.contains("maximize");
    double beta1 = options.contains("far") ? 0.4 : 0.9;
    List<AdamHyper> hypers = new ArrayList<>();
    for (int g = 0; g < GROUPS.length; g++) {
      hypers.add(adam(Math.scalb(1e-3, g), beta1, g == 2 ? 0 : decay, decoupled, maximize, step));
    }
    return hypers;
  }

  static Stream<String> adamOptions() {
    return Stream.of("", "decay", "decoupled", "maximize", "far")
        .flatMap(o -> Stream.of(o, o + " amsgrad"))
        .flatMap(o -> o.startsWith("d") ? Stream.of(o, o + " maximize") : Stream.of(o));
  }

  @ParameterizedTest
  @MethodSource("adamOptions")
  void adamHasTheBitsOfTheCpu(String options) {
    sameBits(
        b -> {
          List<AdamSlot> slots = new ArrayList<>();
          List<Storage> all = new ArrayList<>();
          for (int g = 0; g < GROUPS.length; g++) {
            AdamSlot s = adamSlot(b, g, options.contains("amsgrad"));
            slots.add(s);
            all.addAll(List.of(s.param(), s.expAvg(), s.expAvgSq()));
            if (s.maxExpAvgSq() != null) {
              all.add(s.maxExpAvgSq());
            }
          }
          try (AdamPlan plan = b.planAdam(slots)) {
            for (int t = 1; t <= STEPS; t++) {
              for (int g = 0; g < GROUPS.length; g++) {
                refill(b, slots.get(g).grad().values(), 100L * t + g);
              }
              plan.step(new int[] {0, 1, 2}, adam(options, t));
            }
          }
          return read(b, all);
        });
  }

  private AdamSlot adamSlot(Backend b, int g, boolean amsgrad) {
    int n = GROUPS[g];
    return new AdamSlot(
        random(b, g, n, false),
        new Gradient.Dense(allocate(b, DType.F32, n)),
        random(b, 10 + g, n, false),
        random(b, 20 + g, n, true),
        amsgrad ? random(b, 30 + g, n, true) : null);
  }

  static Stream<String> sgdOptions() {
    return Stream.of("", "momentum", "momentum dampening", "momentum nesterov")
        .flatMap(o -> Stream.of(o, o + " decay"))
        .flatMap(o -> Stream.of(o, o + " maximize"));
  }

  @ParameterizedTest
  @MethodSource("sgdOptions")
  void sgdHasTheBitsOfTheCpu(String options) {
    sameBits(
        b -> {
          List<SgdSlot> slots = new ArrayList<>();
          List<Storage> all = new ArrayList<>();
          for (int g = 0; g < GROUPS.length; g++) {
            Storage param = random(b, g, GROUPS[g], false);
            Storage grad = allocate(b, DType.F32, GROUPS[g]);
            Storage m = options.contains("momentum") ? random(b, 9, GROUPS[g], false) : null;
            slots.add(new SgdSlot(param, new Gradient.Dense(grad), m));
            all.add(param);
            if (m != null) {
              all.add(m);
            }
          }
          try (SgdPlan plan = b.planSgd(slots)) {
            for (int t = 1; t <= STEPS; t++) {
              List<SgdHyper> hypers = new ArrayList<>();
              for (int g = 0; g < GROUPS.length; g++) {
                refill(b, slots.get(g).grad().values(), 100L * t + g);
                hypers.add(sgd(options, Math.scalb(0.1, -g), t == 1));
              }
              plan.step(new int[] {0, 1, 2}, hypers);
            }
          }
          return read(b, all);
        });
  }

  private static SgdHyper sgd(String options, double lr, boolean first) {
    return new SgdHyper(
        lr,
        0.9,
        options.contains("dampening") ? 0.3 : 0,
        options.contains("decay") ? 0.01 : 0,
        options.contains("nesterov"),
        options.contains("maximize"),
        first);
  }

  @Test
  void lazyAdamAndRowSgdHaveTheBitsOfTheCpu() {
    for (int cols : new int[] {64, 33}) {
      sameBits(
          b -> {
            int rows = 5000;
            long[] ids = new SplittableRandom(7).longs(900, 0, rows).distinct().toArray();
            Storage places = allocate(b, DType.I64, ids.length + 5);
            long[] padded = Arrays.copyOf(ids, ids.length + 5);
            Arrays.fill(padded, ids.length, padded.length, -1);
            b.upload(LongBuffer.wrap(padded), places);
            Gradient.Rows grad =
                new Gradient.Rows(places, random(b, 3, padded.length * cols, false), cols);
            Storage param = random(b, 1, rows * cols, false);
            Storage m = random(b, 2, rows * cols, false);
            Storage v = random(b, 4, rows * cols, true);
            try (AdamPlan adam = b.planAdam(List.of(new AdamSlot(param, grad, m, v, null)));
                SgdPlan sgd = b.planSgd(List.of(new SgdSlot(param, grad, null)))) {
              for (int t = 1; t <= STEPS; t++) {
                adam.step(new int[] {0}, List.of(adam(0.01, 0.9, 0, false, t == 2, t)));
                sgd.step(new int[] {0}, List.of(sgd(t == 2 ? "maximize" : "", 0.1, false)));
              }
            }
            return read(b, List.of(param, m, v));
          });
    }
  }

  private static PointwiseStep rmsProp(double lr) {
    PointwiseBuilder u = new PointwiseBuilder(List.of("square_avg"));
    PointwiseBuilder.Value g = u.grad().add(u.param(), 0.01);
    PointwiseBuilder.Value s =
        u.set("square_avg", u.buffer("square_avg").mul(0.99).addcmul(g, g, 1 - 0.99));
    u.setParam(u.param().addcdiv(g, s.sqrt().add(1e-8), -lr));
    return u.build();
  }

  @Test
  void pointwiseProgramsHaveTheBitsOfTheCpu() {
    sameBits(
        b -> {
          List<PointwiseSlot> slots = new ArrayList<>();
          List<Storage> all = new ArrayList<>();
          for (int g = 0; g < GROUPS.length; g++) {
            Storage param = random(b, g, GROUPS[g], false);
            Storage square = random(b, 5 + g, GROUPS[g], true);
            slots.add(new PointwiseSlot(param, random(b, 9, GROUPS[g], false), List.of(square)));
            all.addAll(List.of(param, square));
          }
          try (PointwisePlan plan = b.planPointwise(slots)) {
            plan.step(new int[] {0, 1, 1}, List.of(rmsProp(0.1), rmsProp(0.01)));
          }
          return read(b, all);
        });
  }

  // ---- what a step costs

  /** Of one group, or of many small ones: one launch, one copy, and each element moved once. */
  @ParameterizedTest
  @CsvSource({"1, 1048576", "465, 2048", "465, 64"})
  void anAdamStepIsOneLaunchAndOneCopy(int groups, int n) {
    Devices.needEmulator("what it counts");
    for (boolean amsgrad : new boolean[] {false, true}) {
      List<AdamSlot> slots = new ArrayList<>();
      List<EmulatorControl.Watch> watches = new ArrayList<>();
      for (int g = 0; g < groups; g++) {
        Storage[] s = new Storage[5];
        for (int k = 0; k < 5; k++) {
          s[k] = random(cuda, k, n, k > 2);
          watches.add(EmulatorControl.watch(CudaStorage.of(s[k]).address(), 4L * n));
        }
        Storage max = amsgrad ? s[4] : null;
        slots.add(new AdamSlot(s[0], new Gradient.Dense(s[1]), s[2], s[3], max));
      }
      List<AdamHyper> hypers = new ArrayList<>();
      int[] choice = new int[groups];
      for (int g = 0; g < groups; g++) {
        hypers.add(adam(1e-3 * (g + 1), 0.9, 0.01, true, false, 1));
        choice[g] = g;
      }
      try (AdamPlan plan = cuda.planAdam(slots)) {
        plan.step(choice, hypers);
        EmulatorControl.clearCounters();
        plan.step(choice, hypers);
        cuda.synchronize();
      }
      EmulatorControl.KernelCounts counts = EmulatorControl.kernel("adam_f32");
      assertEquals(List.of("adam_f32"), EmulatorControl.kernels());
      assertEquals(1, counts.launches());
      assertEquals(1, EmulatorControl.counter("h2d"));
      assertEquals(0, EmulatorControl.counter("d2h") + EmulatorControl.counter("allocations"));
      long table = ((4L * groups + 63) & -64) + 32L * groups;
      assertEquals(table, EmulatorControl.counter("h2d-bytes"));
      long elements = (long) groups * n;
      assertEquals((amsgrad ? 16 : 12) * elements, counts.stores().bytes());
      assertEquals(counts.stores().ideal(), counts.stores().sectors());
      long loads = 0;
      for (EmulatorControl.Watch w : watches) {
        assertEquals(w.loads().ideal(), w.loads().sectors());
        loads += w.loads().bytes();
      }
      assertEquals((amsgrad ? 20 : 16) * elements, loads);
      EmulatorControl.clearWatches();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 100})
  void anSgdStepAndAPointwiseStepAreOneLaunchEach(int groups) {
    Devices.needEmulator("what it counts");
    int n = 100_000 / groups;
    List<SgdSlot> sgdSlots = new ArrayList<>();
    List<PointwiseSlot> pointwiseSlots = new ArrayList<>();
    List<SgdHyper> hypers = new ArrayList<>();
    List<PointwiseStep> programs = new ArrayList<>();
    int[] choice = new int[groups];
    for (int g = 0; g < groups; g++) {
      Storage param = random(cuda, 1, n, false);
      Storage grad = random(cuda, 2, n, false);
      Storage state = random(cuda, 3, n, true);
      sgdSlots.add(new SgdSlot(param, new Gradient.Dense(grad), state));
      pointwiseSlots.add(new PointwiseSlot(param, grad, List.of(state)));
      hypers.add(sgd("momentum", 0.1 * (g + 1), false));
      programs.add(rmsProp(0.1 * (g + 1)));
      choice[g] = g;
    }
    try (SgdPlan sgd = cuda.planSgd(sgdSlots);
        PointwisePlan pointwise = cuda.planPointwise(pointwiseSlots)) {
      pointwise.step(choice, programs);
      EmulatorControl.clearCounters();
      sgd.step(choice, hypers);
      pointwise.step(choice, programs);
      cuda.synchronize();
    }
    assertEquals(1, EmulatorControl.kernel("sgd_f32").launches());
    assertEquals(1, EmulatorControl.kernel("pointwise_f32").launches());
    assertEquals(8L * n * groups, EmulatorControl.kernel("sgd_f32").stores().bytes());
    assertEquals(8L * n * groups, EmulatorControl.kernel("pointwise_f32").stores().bytes());
    assertEquals(2, EmulatorControl.counter("h2d"));
  }

  @Test
  void aNormIsTwoLaunchesAndNoCopyFromTheSecondTimeOn() {
    Devices.needEmulator("what it counts");
    List<Storage> xs = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      xs.add(random(cuda, i, 1000 * i, false));
    }
    Storage out = allocate(cuda, DType.F64, xs.size());
    cuda.sumPowers(xs, 2, out);
    EmulatorControl.clearCounters();
    cuda.sumPowers(xs, 2, out);
    cuda.synchronize();
    assertEquals(1, EmulatorControl.kernel("sum_squares").launches());
    assertEquals(1, EmulatorControl.kernel("sum_of_parts").launches());
    assertEquals(0, EmulatorControl.counter("h2d") + EmulatorControl.counter("allocations"));
  }

  @Test
  void manyListsOfStoragesLeaveNoMoreTablesThanAreKept() {
    Storage out = allocate(cuda, DType.F64, 1);
    long before = 0;
    for (int i = 1; i <= 100; i++) {
      Storage x = random(cuda, i, 10 * i, false);
      cuda.sumPowers(List.of(x), 1, out);
      if (i == 20) {
        before = CudaBackend.deviceOf(cuda).memory().used();
      }
      if (i > 20) {
        cuda.free(x);
        made.remove(x);
      }
    }
    assertEquals(before, CudaBackend.deviceOf(cuda).memory().used());
  }

  @Test
  void aClosedPlanGivesItsMemoryBack() {
    Storage x = random(cuda, 1, 1000, false);
    long before = CudaBackend.deviceOf(cuda).memory().used();
    try (PointwisePlan plan = cuda.planPointwise(List.of(new PointwiseSlot(x, x, List.of(x))))) {
      plan.step(new int[] {0}, List.of(rmsProp(0.1)));
    }
    assertEquals(before, CudaBackend.deviceOf(cuda).memory().used());
  }

  // ---- what is refused

  @Test
  void aProgramOfMoreValuesThanThereIsRoomForIsRefused() {
    Storage x = random(cuda, 1, 10, false);
    Pointwise.Operand param = new Pointwise.Operand(Pointwise.Operand.Kind.PARAM, 0);
    Pointwise program =
        new Pointwise(
            List.of(new Pointwise.Instruction(PointwiseOp.NEG, param, List.of(param))), 95);
    try (PointwisePlan plan = cuda.planPointwise(List.of(new PointwiseSlot(x, x, List.of())))) {
      UnsupportedOperationException e =
          assertThrows(
              UnsupportedOperationException.class,
              () -> plan.step(new int[] {0}, List.of(new PointwiseStep(program, List.of()))));
      assertEquals(
          "cuda: pointwise does not take 97 storages and registers; at most 96", e.getMessage());
      List<Double> scalars = Collections.nCopies(129, 1.0);
      Pointwise small = new Pointwise(program.code(), 0);
      e =
          assertThrows(
              UnsupportedOperationException.class,
              () -> plan.step(new int[] {0}, List.of(new PointwiseStep(small, scalars))));
      assertEquals("cuda: pointwise does not take 129 scalars; at most 128", e.getMessage());
    }
  }
}
