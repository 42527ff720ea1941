package dev.gradus.testing;

import static dev.gradus.testing.Values.FLOATING;

import dev.gradus.spi.Backend;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwiseBuilder.Value;
import dev.gradus.spi.PointwiseOp;
import dev.gradus.spi.PointwisePlan;
import dev.gradus.spi.PointwiseSlot;
import dev.gradus.spi.PointwiseStep;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/**
 * What a backend promises for batched pointwise steps: the bits of the composed plan, for any mix
 * of sizes and programs in one call.
 */
interface PointwiseContract extends ContractFixture {
  List<String> BUFFERS = List.of("a", "b", "c");

  /** The programs of a step, which together have every operation. */
  private static List<PointwiseStep> programs(int step) {
    return List.of(means(step), signs(), exchange(), keepsOldValues());
  }

  private static PointwiseStep means(int step) {
    PointwiseBuilder u = new PointwiseBuilder(BUFFERS);
    Value g = u.grad().neg().add(u.param(), 0.01);
    Value m = u.set("a", u.buffer("a").lerp(g, 0.1));
    Value far = u.set("b", u.buffer("b").lerp(g, 0.7));
    Value v = u.set("c", u.buffer("c").mul(0.99).addcmul(g, g, 0.01));
    Value denom = v.div(1 - Math.pow(0.99, step + 1.0)).sqrt().add(1e-3);
    u.setParam(u.param().mul(0.999).addcdiv(m, denom, -0.1));
    u.setParam(u.param().sub(far.mul(denom.rdiv(0.01))));
    return u.build();
  }

  private static PointwiseStep signs() {
    PointwiseBuilder u = new PointwiseBuilder(BUFFERS);
    Value turned = u.grad().mul(u.buffer("a"));
    Value factor = turned.where(1.2, turned.neg().where(0.5, 1));
    Value size = u.set("b", u.buffer("b").mul(factor).clamp(-2, 3));
    u.set("c", u.buffer("c").mul(0.9).max(u.grad().abs().add(1e-3)));
    u.setParam(u.param().addcmul(u.grad().sign(), size, -1).add(u.buffer("c")));
    u.set("a", turned.where(0, u.grad()));
    return u.build();
  }

  /** Two buffers change places, and one becomes the gradient. */
  private static PointwiseStep exchange() {
    PointwiseBuilder u = new PointwiseBuilder(BUFFERS);
    Value a = u.buffer("a");
    u.set("a", u.buffer("b"));
    u.set("b", a);
    u.set("c", u.grad());
    return u.build();
  }

  /** What was there is read after a new value was computed for its place. */
  private static PointwiseStep keepsOldValues() {
    PointwiseBuilder u = new PointwiseBuilder(BUFFERS);
    Value before = u.param();
    Value after = u.setParam(before.add(u.grad(), -0.5));
    u.set("a", after);
    u.set("b", after.sub(before));
    u.set("c", before.div(u.grad()));
    return u.build();
  }

  @Test
  default void theProgramsOfThisSuiteHaveEveryOperation() {
    Set<PointwiseOp> used = EnumSet.noneOf(PointwiseOp.class);
    for (PointwiseStep s : programs(0)) {
      s.program().code().forEach(i -> used.add(i.op()));
    }
    Assertions.assertEquals(EnumSet.allOf(PointwiseOp.class), used);
  }

  @Test
  default void pointwisePlansHaveTheBitsOfTheComposedPlan() {
    for (DType dtype : FLOATING) {
      List<double[]> composed = train(new PrimitivesOnly(lab().tested()), dtype);
      List<double[]> own = train(lab().tested(), dtype);
      same("own plan against composed", dtype, composed, own);
      if (exactFma()) {
        List<double[]> reference = train(lab().reference(), dtype);
        same("composed plan against the reference's", dtype, reference, composed);
      }
    }
  }

  private static void same(
      String what, DType dtype, List<double[]> expected, List<double[]> actual) {
    for (int k = 0; k < expected.size(); k++) {
      String name = what + " " + dtype.label() + " storage " + k;
      Lab.compare(name, expected.get(k), actual.get(k), Tolerance.BITS);
    }
  }

  private static List<double[]> train(Backend b, DType dtype) {
    List<PointwiseSlot> slots = new ArrayList<>();
    for (int i = 0; i < PlanContract.PARAMETERS.length; i++) {
      int n = PlanContract.PARAMETERS[i];
      slots.add(
          new PointwiseSlot(
              Host.store(b, dtype, Values.normal(i, n, 1)),
              b.allocate(dtype, n),
              List.of(
                  Host.store(b, dtype, Values.normal(i + 1, n, 1)),
                  Host.store(b, dtype, Values.normal(i + 2, n, 1)),
                  Host.store(b, dtype, Values.abs(Values.normal(i + 3, n, 1))))));
    }
    try (PointwisePlan plan = b.planPointwise(slots)) {
      for (int t = 0; t < PlanContract.STEPS; t++) {
        List<PointwiseStep> steps = programs(t);
        int[] stepOfSlot = new int[slots.size()];
        for (int i = 0; i < stepOfSlot.length; i++) {
          upload(b, slots.get(i).grad(), 1000L * t + i, t);
          stepOfSlot[i] = (i + t) % 6 == 5 ? -1 : (i + t) % steps.size();
        }
        plan.step(stepOfSlot, steps);
      }
    }
    List<double[]> values = new ArrayList<>();
    for (PointwiseSlot s : slots) {
      List<Storage> all = new ArrayList<>(List.of(s.param(), s.grad()));
      all.addAll(s.buffers());
      for (Storage x : all) {
        values.add(Host.read(b, x));
        b.free(x);
      }
    }
    return values;
  }

  /** A gradient with zeros of both signs in it, and in the last steps with what is not finite. */
  private static void upload(Backend b, Storage grad, long seed, int step) {
    double[] values = Values.normal(seed, (int) grad.numel(), 1);
    double[] special = {0, -0.0, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
    int usable = step < PlanContract.STEPS - 2 ? 2 : special.length;
    for (int k = 0; k < usable && 11 * k + 2 < values.length; k++) {
      values[11 * k + 2] = special[k];
    }
    Storage fresh = Host.store(b, grad.dtype(), values);
    long[] one = {1};
    b.copyStrided(new long[] {grad.numel()}, fresh, 0, one, grad, 0, one);
    b.free(fresh);
  }

  @Test
  default void placesChangeAndOldValuesAreKept() {
    Backend b = lab().tested();
    PointwiseSlot s =
        new PointwiseSlot(
            Host.store(b, DType.F64, new double[] {1, 2, 3}),
            Host.store(b, DType.F64, new double[] {10, 20, 30}),
            List.of(
                Host.store(b, DType.F64, new double[] {4, 5, 6}),
                Host.store(b, DType.F64, new double[] {7, 8, 9}),
                Host.store(b, DType.F64, new double[3])));
    try (PointwisePlan plan = b.planPointwise(List.of(s))) {
      plan.step(new int[] {0}, List.of(exchange()));
      Assertions.assertArrayEquals(new double[] {7, 8, 9}, Host.read(b, s.buffers().get(0)));
      Assertions.assertArrayEquals(new double[] {4, 5, 6}, Host.read(b, s.buffers().get(1)));
      Assertions.assertArrayEquals(new double[] {10, 20, 30}, Host.read(b, s.buffers().get(2)));
      plan.step(new int[] {-1}, List.of());
      plan.step(new int[] {0}, List.of(keepsOldValues()));
    }
    Assertions.assertArrayEquals(new double[] {-4, -8, -12}, Host.read(b, s.param()));
    Assertions.assertArrayEquals(new double[] {-4, -8, -12}, Host.read(b, s.buffers().get(0)));
    Assertions.assertArrayEquals(new double[] {-5, -10, -15}, Host.read(b, s.buffers().get(1)));
    Assertions.assertArrayEquals(new double[] {0.1, 0.1, 0.1}, Host.read(b, s.buffers().get(2)));
    Assertions.assertArrayEquals(new double[] {10, 20, 30}, Host.read(b, s.grad()));
    for (Storage x : List.of(s.param(), s.grad(), s.buffers().get(0))) {
      b.free(x);
    }
    b.free(s.buffers().get(1));
    b.free(s.buffers().get(2));
  }
}
