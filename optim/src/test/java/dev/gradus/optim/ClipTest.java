package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.gradus.nn.Embedding;
import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Profile;
import dev.gradus.tensor.Profiler;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Clipping, with the figures of PyTorch 2.13: clip_grad_norm_ and clip_grad_value_. */
class ClipTest {
  /** What PyTorch gives for the gradients (3, 4), (12), (-1.5, 0.25, 7). */
  private record Case(double max, double p, double norm, double... clipped) {}

  private static final double INFINITY = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;

  private static final List<Case> CASES =
      List.of(
          new Case(
              1.5,
              0.5,
              133.787353515625,
              0.033635467290878296,
              0.044847287237644196,
              0.13454186916351318,
              -0.016817733645439148,
              0.0028029554523527622,
              0.07848275452852249),
          new Case(
              1.5,
              1,
              27.75,
              0.1621621549129486,
              0.21621620655059814,
              0.6486486196517944,
              -0.0810810774564743,
              0.013513512909412384,
              0.37837836146354675),
          new Case(
              1.5,
              2,
              14.842927932739258,
              0.3031746745109558,
              0.404232919216156,
              1.2126986980438232,
              -0.1515873372554779,
              0.02526455745100975,
              0.7074075937271118),
          new Case(
              1.5,
              3,
              12.93735408782959,
              0.34782999753952026,
              0.46377331018447876,
              1.391319990158081,
              -0.17391499876976013,
              0.028985831886529922,
              0.811603307723999),
          new Case(
              1.5,
              INFINITY,
              12,
              0.3749999701976776,
              0.4999999701976776,
              1.4999998807907104,
              -0.1874999850988388,
              0.03124999813735485,
              0.8749999403953552),
          new Case(0, 2, 14.842927932739258, 0, 0, 0, -0.0, 0, 0));

  /** PyTorch rounds the norm and the scale to float32 before it multiplies, and the product. */
  private static final double RELATIVE = 4 * 0x1p-24;

  private static NamedParameters model(Device device, double bad) {
    Parameter a = Fixture.parameter(device, DType.F32, 0, 0);
    Parameter none = Fixture.parameter(device, DType.F32, 5, 5);
    Parameter b = new Parameter(device.zeros(1, 1));
    Parameter c = Fixture.parameter(device, DType.F32, 0, 0, 0);
    Fixture.gradient(a, 3, 4);
    Fixture.gradient(b, 12);
    Fixture.gradient(c, -1.5, bad, 7);
    return NamedParameters.of(
        List.of(Map.entry("a", a), Map.entry("none", none), Map.entry("b", b), Map.entry("c", c)));
  }

  private static double[] gradients(NamedParameters named) {
    return named.parameters().stream()
        .filter(Tensor::hasGrad)
        .flatMapToDouble(p -> java.util.Arrays.stream(Fixture.values(p.grad())))
        .toArray();
  }

  @ParameterizedTest
  @EnumSource
  void normsAndClippedGradientsAreThoseOfPyTorch(Fixture.Where where) {
    for (Case c : CASES) {
      try (Device device = where.open()) {
        NamedParameters named = model(device, 0.25);
        double norm = Clip.of(named).norm(Clip.Norm.atMost(c.max).withP(c.p));
        assertEquals(c.norm, norm, RELATIVE * c.norm);
        double[] actual = gradients(named);
        for (int i = 0; i < actual.length; i++) {
          assertEquals(c.clipped[i], actual[i], RELATIVE * Math.abs(c.clipped[i]), "p " + c.p);
        }
      }
    }
  }

  @Test
  void aNormWithinTheLimitChangesNoBit() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      NamedParameters named = model(device, 0.25);
      double[] before = gradients(named);
      assertEquals(14.842927932739258, Clip.of(named).norm(14.9), 1e-6);
      assertArrayEquals(before, gradients(named), 0);
      assertEquals(14.842927932739258, Clip.of(named).norm(INFINITY), 1e-6);
      assertArrayEquals(before, gradients(named), 0);
    }
  }

  @Test
  void whatIsNotFinitePassesAsInPyTorch() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      NamedParameters infinite = model(device, INFINITY);
      assertEquals(INFINITY, Clip.of(infinite).norm(1));
      assertArrayEquals(new double[] {0, 0, 0, -0.0, NAN, 0}, gradients(infinite), 0);
      NamedParameters nan = model(device, NAN);
      assertEquals(NAN, Clip.of(nan).norm(1));
      assertArrayEquals(new double[] {NAN, NAN, NAN, NAN, NAN, NAN}, gradients(nan), 0);
      NamedParameters greatest = model(device, -INFINITY);
      assertEquals(INFINITY, Clip.of(greatest).norm(Clip.Norm.atMost(1).withP(INFINITY)));
      assertArrayEquals(new double[] {0, 0, 0, -0.0, NAN, 0}, gradients(greatest), 0);
    }
  }

  @Test
  void aLimitThatIsInfiniteOnlyMeasures() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      for (double x : new double[] {INFINITY, NAN}) {
        NamedParameters named = model(device, x);
        double[] before = gradients(named);
        assertEquals(x, Clip.of(named).norm(INFINITY));
        assertArrayEquals(before, gradients(named), 0);
      }
    }
  }

  @Test
  void whatIsNotFiniteIsRefusedByNameAndChangesNothing() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      NamedParameters named = model(device, NAN);
      double[] before = gradients(named);
      Clip.Norm refusing = Clip.Norm.atMost(1).withNonFinite(Clip.NonFinite.REFUSE);
      assertEquals(
          "Clip.norm: the gradient of parameter 'c' has the norm NaN; leave the step out, as"
              + " NonFinite.SKIP does, or let it pass with NonFinite.PASS",
          Fixture.refused(IllegalStateException.class, () -> Clip.of(named).norm(refusing)));
      assertArrayEquals(before, gradients(named), 0);
    }
  }

  @Test
  void aNormThatOverflowsIsRefusedThoughEachIsFinite() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      Parameter a = Fixture.parameter(device, DType.F64, 0);
      Parameter b = Fixture.parameter(device, DType.F64, 0);
      Fixture.gradient(a, 1.2e154);
      Fixture.gradient(b, 1.2e154);
      NamedParameters named = NamedParameters.of(List.of(Map.entry("a", a), Map.entry("b", b)));
      Clip.Norm refusing = Clip.Norm.atMost(1).withNonFinite(Clip.NonFinite.REFUSE);
      assertEquals(
          "Clip.norm: the gradients together have the norm Infinity; leave the step out, as"
              + " NonFinite.SKIP does, or let it pass with NonFinite.PASS",
          Fixture.refused(IllegalStateException.class, () -> Clip.of(named).norm(refusing)));
    }
  }

  @Test
  void whatIsNotFiniteIsSkippedByForgettingTheGradients() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      NamedParameters named = model(device, NAN);
      Clip.Norm skipping = Clip.Norm.atMost(1).withNonFinite(Clip.NonFinite.SKIP);
      SGD sgd = SGD.of(named, o -> o.withLr(1));
      assertEquals(NAN, Clip.of(sgd).norm(skipping));
      sgd.step();
      assertArrayEquals(new double[0], gradients(named));
      assertEquals(0, sgd.stepsOf(named.get("c")));
      Fixture.gradient(named.get("a"), 3, 4);
      assertEquals(5, Clip.of(sgd).norm(skipping), 1e-12);
      assertTrue(named.get("a").hasGrad());
    }
  }

  /** A look-up's gradient, rows here and dense there, beside another and clipped in each way. */
  @ParameterizedTest
  @EnumSource
  void rowsAreClippedToTheBitsOfTheDenseGradient(Fixture.Where where) {
    for (DType dtype : List.of(DType.F32, DType.F64)) {
      for (double p : new double[] {0.5, 1, 2, 3, INFINITY, 0}) {
        try (Device device = where.open()) {
          NamedParameters rows = tableAndBias(device, dtype, 1_001, 257, true);
          NamedParameters dense = tableAndBias(device, dtype, 1_001, 257, false);
          Parameter table = rows.get("table");
          table.grad(); // what was written for a look at it follows
          double first = clip(rows, p);
          double second = clip(dense, p);
          assertNotNull(table.gradRows());
          assertNull(dense.get("table").gradRows());
          // the sums of primitives are ordered by the sizes that they run over, and so are a GPU's
          boolean alike = where != Fixture.Where.COMPOSED && Fixture.sumsAlike(device);
          assertEquals(second, first, alike ? 0 : 1e-13 * second);
          double ulp = alike || dtype == DType.F32 ? 0 : 1e-15;
          assertArrayEquals(gradients(dense), gradients(rows), ulp, dtype + " p " + p);
        }
      }
    }
  }

  private static double clip(NamedParameters named, double p) {
    if (p == 0) {
      Clip.of(named).value(0.125);
      return 0;
    }
    return Clip.of(named).norm(Clip.Norm.atMost(0.25).withP(p));
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private static NamedParameters tableAndBias(
      Device device, DType dtype, int rows, int cols, boolean asRows) {
    device.manualSeed(7);
    Parameter table = new Parameter(device.normal(dtype, 0, 1, rows, cols));
    Parameter bias = Fixture.parameter(device, dtype, 1, 2, 3);
    table.gradRowsWanted(asRows);
    Fixture.gradient(bias, 0.1, -0.3, 0.7);
    for (long[] ids : List.of(new long[] {900, 3, 900, 255}, new long[] {1, 3})) {
      try (Scope scope = Scope.open()) {
        Tensor x = Embedding.tied(table).forward(device.tensor(ids));
        x.mul(x.add(0.3)).sum().backward();
      }
    }
    return NamedParameters.of(List.of(Map.entry("table", table), Map.entry("bias", bias)));
  }

  @Test
  void aTableStaysOneForSparseAdamThatAClipHasSeen() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      NamedParameters named = tableAndBias(device, DType.F32, 1_001, 3, true);
      SparseAdam adam =
          SparseAdam.withDefaults().group("t", named.matching("table")).allowUnused().build();
      Clip clip = Clip.of(adam);
      assertTrue(clip.norm(1) > 1);
      assertEquals(1, clip.norm(1), 1e-5);
      adam.step();
      assertEquals(1, adam.stepsOf(named.get("table")));
    }
  }

  @Test
  void valuesAreClampedAsInPyTorch() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      NamedParameters named = model(device, NAN);
      Clip.of(named).value(3.5);
      assertArrayEquals(new double[] {3, 3.5, 3.5, -1.5, NAN, 3.5}, gradients(named), 0);
      Clip.of(named).value(0);
      assertArrayEquals(new double[] {0, 0, 0, -0.0, NAN, 0}, gradients(named), 0);
    }
  }

  @Test
  void aGroupIsClippedAloneAndAnOptimizerWithTheGroupsAddedLater() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      NamedParameters named = model(device, 0.25);
      SGD sgd =
          SGD.withDefaults()
              .group("head", named.matching("b"))
              .group("a", List.of(named.get("a")))
              .allowUnused()
              .build();
      Clip all = Clip.of(sgd);
      assertEquals(13, all.norm(INFINITY), 1e-12);
      assertEquals(12, Clip.of(sgd.group("head")).norm(6), 1e-12);
      assertArrayEquals(new double[] {3, 4, 6, -1.5, 0.25, 7}, gradients(named), 1e-5);
      sgd.addGroup("late", named.matching("c"));
      assertEquals(Math.sqrt(25 + 36 + 51.3125), all.norm(INFINITY), 1e-5);
    }
  }

  @Test
  void gradientsOnTwoDevicesAndOfTwoTypesHaveOneNorm() {
    try (Device one = Fixture.Where.BACKEND.open();
        Device other = Device.over(new ReferenceBackend("other"))) {
      Parameter a = Fixture.parameter(one, DType.F32, 0, 0);
      Parameter b = Fixture.parameter(other, DType.F64, 0);
      Fixture.gradient(a, 3, 4);
      Fixture.gradient(b, 12);
      NamedParameters named = NamedParameters.of(List.of(Map.entry("a", a), Map.entry("b", b)));
      Clip clip = Clip.of(named);
      assertEquals(13, clip.norm(6.5), 1e-12);
      assertArrayEquals(new double[] {1.5, 2, 6}, gradients(named), 1e-6);
      assertEquals(6, clip.norm(Clip.Norm.atMost(INFINITY).withP(INFINITY)), 1e-6);
    }
  }

  @Test
  void withoutGradientsTheNormIsZero() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      Parameter p = Fixture.parameter(device, DType.F32, 1, 2);
      Clip clip = Clip.of(NamedParameters.of(List.of(Map.entry("p", p))));
      Fixture.gradient(p, 3, 4);
      assertEquals(5, clip.norm(1));
      p.zeroGrad();
      assertEquals(0, clip.norm(1));
      clip.value(1);
      assertFalse(p.hasGrad());
    }
  }

  @Test
  @SuppressWarnings("try") // the scope is open for its effect
  void theGradientsBuffersStayAndCountAsChanged() {
    try (Device device = Fixture.Where.BACKEND.open();
        Scope scope = Scope.open()) {
      Parameter p = Fixture.parameter(device, DType.F32, 1, 2);
      Fixture.gradient(p, 3, 4);
      Tensor grad = p.grad();
      Parameter q = Fixture.parameter(device, DType.F32, 1, 2);
      Tensor penalty = q.mul(grad).sum(); // its backward reads grad
      Clip.of(NamedParameters.of(List.of(Map.entry("p", p)))).norm(1);
      assertEquals(grad, p.grad());
      String refused = assertThrows(IllegalStateException.class, penalty::backward).getMessage();
      assertTrue(refused != null && refused.contains("changed in place"), refused);
    }
  }

  @Test
  void wrongOptionsAreRefused() {
    try (Device device = Fixture.Where.BACKEND.open()) {
      Clip clip = Clip.of(model(device, 0));
      Class<IllegalArgumentException> wrong = IllegalArgumentException.class;
      assertEquals(
          "Clip norm's max must be >= 0 but is -1.0", Fixture.refused(wrong, () -> clip.norm(-1)));
      assertEquals(
          "Clip norm's max must be >= 0 but is NaN", Fixture.refused(wrong, () -> clip.norm(NAN)));
      assertEquals(
          "Clip norm's p must be > 0 but is 0.0",
          Fixture.refused(wrong, () -> Clip.Norm.atMost(1).withP(0)));
      assertEquals(
          "Clip norm's nonFinite must be one of [PASS, SKIP, REFUSE] but is null",
          Fixture.refused(wrong, () -> Clip.Norm.atMost(1).withNonFinite(null)));
      assertEquals(
          "Clip value's limit must be >= 0 but is -0.5",
          Fixture.refused(wrong, () -> clip.value(-0.5)));
    }
  }

  /** One read of the gradients, then one read and one write, as two operations of the update. */
  @Test
  @SuppressWarnings("try") // the span is open for its effect
  void aNormTakesTwoPassesOverMemory() {
    Profiler profiler = Profiler.afterSteps(0);
    try (Device device = profiler.open("cpu")) {
      NamedParameters named = model(device, 0.25);
      Clip clip = Clip.of(named);
      try (Profiler.Span step = profiler.step()) {
        clip.norm(1);
      }
    }
    Profile.Entry entry = profiler.profile().entries().get(0);
    assertEquals(1, profiler.profile().entries().size(), profiler.profile().toString());
    assertEquals("ClipNorm", entry.operation());
    assertEquals(2, entry.calls());
    int elements = 6;
    int sums = 3; // made, written, and read with a copy on the host
    assertEquals(3 * 4 * elements + 4 * 8 * sums, entry.bytes());
  }

  /** Bytes that this thread allocates in a call, once it is compiled. */
  @Test
  void whatACallAllocatesDoesNotDependOnTheSizes() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Device device = Fixture.Where.BACKEND.open()) {
      long small = allocated(device, threads, 100);
      long large = allocated(device, threads, 1_000_000);
      assertTrue(Math.abs(large - small) < 1024, small + " and " + large + " bytes a call");
    }
  }

  private static long allocated(Device device, ThreadMXBean threads, int n) {
    Parameter a = new Parameter(device.ones(DType.F32, n));
    Parameter b = new Parameter(device.ones(DType.F32, n));
    Fixture.gradient(a, new double[n]);
    Fixture.gradient(b, new double[n]);
    Clip clip = Clip.of(NamedParameters.of(List.of(Map.entry("a", a), Map.entry("b", b))));
    long id = Thread.currentThread().getId();
    int calls = 20;
    long before = 0;
    for (int i = -10; i < calls; i++) {
      if (i == 0) {
        before = threads.getThreadAllocatedBytes(id);
      }
      clip.norm(0);
      clip.value(1);
    }
    return (threads.getThreadAllocatedBytes(id) - before) / calls;
  }
}
