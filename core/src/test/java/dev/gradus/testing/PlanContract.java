package dev.gradus.testing;

import static dev.gradus.testing.Values.FLOATING;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.SgdHyper;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/**
 * What a backend promises for batched optimizer steps: the bits of the composed plan, for any mix
 * of sizes, options and counts in one call.
 */
interface PlanContract extends ContractFixture {
  int[] PARAMETERS = {1, 3, 7, 64, 257, 4097, 200_003, 0, 64, 3};
  int STEPS = 7;

  @Test
  default void adamPlansHaveTheBitsOfTheComposedPlan() {
    for (DType dtype : FLOATING) {
      samePlans(dtype, PlanContract::adam);
    }
  }

  @Test
  default void sgdPlansHaveTheBitsOfTheComposedPlan() {
    for (DType dtype : FLOATING) {
      samePlans(dtype, PlanContract::sgd);
    }
  }

  @Test
  default void plansOfRowsHaveTheBitsOfTheComposedPlan() {
    for (DType dtype : FLOATING) {
      samePlans(dtype, (b, t) -> rows(b, t, true));
      samePlans(dtype, (b, t) -> rows(b, t, false));
    }
  }

  /** Trains on a backend and returns every parameter and state. */
  @FunctionalInterface
  interface Training {
    List<double[]> run(Backend b, DType dtype);
  }

  private void samePlans(DType dtype, Training training) {
    List<double[]> composed = training.run(new PrimitivesOnly(lab().tested()), dtype);
    List<double[]> own = training.run(lab().tested(), dtype);
    same("own plan against composed", dtype, composed, own);
    if (exactFma()) {
      List<double[]> reference = training.run(lab().reference(), dtype);
      same("composed plan against the reference's", dtype, reference, composed);
    }
  }

  private static void same(
      String what, DType dtype, List<double[]> expected, List<double[]> actual) {
    Assertions.assertEquals(expected.size(), actual.size());
    for (int k = 0; k < expected.size(); k++) {
      Lab.compare(
          what + " " + dtype.label() + " storage " + k,
          expected.get(k),
          actual.get(k),
          Tolerance.BITS);
    }
  }

  /** Which set of options slot i uses in step t; -1 skips it. Slot 4 joins late. */
  private static int choice(int slot, int step, int options) {
    boolean skipped = slot == 4 ? step < 3 : (slot + step) % 5 == 4;
    return skipped ? -1 : slot % options;
  }

  private static List<double[]> adam(Backend b, DType dtype) {
    List<AdamSlot> slots = new ArrayList<>();
    List<Storage> all = new ArrayList<>();
    for (int i = 0; i < PARAMETERS.length; i++) {
      int n = PARAMETERS[i];
      Storage param = Host.store(b, dtype, Values.normal(i, n, 1));
      Storage grad = b.allocate(dtype, n);
      Storage m = Host.store(b, dtype, new double[n]);
      Storage v = Host.store(b, dtype, new double[n]);
      all.addAll(List.of(param, grad, m, v));
      Storage max = null;
      if (i % 3 == 1) {
        max = Host.store(b, dtype, new double[n]);
        all.add(max);
      }
      slots.add(new AdamSlot(param, new Gradient.Dense(grad), m, v, max));
    }
    long[] counts = new long[slots.size()];
    try (AdamPlan plan = b.planAdam(slots)) {
      for (int t = 0; t < STEPS; t++) {
        int[] hyperOfSlot = new int[slots.size()];
        List<AdamHyper> hypers = new ArrayList<>();
        for (int i = 0; i < hyperOfSlot.length; i++) {
          upload(b, slots.get(i).grad(), 1000L * t + i);
          int choice = choice(i, t, 6);
          hyperOfSlot[i] = choice < 0 ? -1 : hypers.size();
          if (choice >= 0) {
            hypers.add(adamHyper(choice, t, ++counts[i]));
          }
        }
        plan.step(hyperOfSlot, hypers);
      }
    }
    return readAndFree(b, all);
  }

  private static AdamHyper adamHyper(int choice, int step, long count) {
    double lr = step < 4 ? 1e-3 : 1e-4;
    double beta1 = choice == 3 ? 0.4 : choice == 5 ? 0 : 0.9;
    double beta2 = choice == 4 ? 0.99 : 0.999;
    return new AdamHyper(
        choice == 2 ? 10 * lr : lr,
        beta1,
        beta2,
        choice == 5 ? 0 : 1e-8,
        choice % 2 == 1 ? 0.01 : 0,
        choice == 1 || choice == 5,
        choice == 2 || choice == 3,
        1 - Math.pow(beta1, count),
        1 - Math.pow(beta2, count));
  }

  private static List<double[]> sgd(Backend b, DType dtype) {
    List<SgdSlot> slots = new ArrayList<>();
    List<Storage> all = new ArrayList<>();
    for (int i = 0; i < PARAMETERS.length; i++) {
      int n = PARAMETERS[i];
      Storage param = Host.store(b, dtype, Values.normal(i, n, 1));
      Storage grad = b.allocate(dtype, n);
      all.addAll(List.of(param, grad));
      Storage buffer = null;
      if (i % 3 != 0) {
        buffer = Host.store(b, dtype, Values.normal(-i, n, 100)); // overwritten by the first step
        all.add(buffer);
      }
      slots.add(new SgdSlot(param, new Gradient.Dense(grad), buffer));
    }
    boolean[] begun = new boolean[slots.size()];
    try (SgdPlan plan = b.planSgd(slots)) {
      for (int t = 0; t < STEPS; t++) {
        int[] hyperOfSlot = new int[slots.size()];
        List<SgdHyper> hypers = new ArrayList<>();
        for (int i = 0; i < hyperOfSlot.length; i++) {
          upload(b, slots.get(i).grad(), 2000L * t + i);
          int choice = choice(i, t, 5);
          hyperOfSlot[i] = choice < 0 ? -1 : hypers.size();
          if (choice >= 0) {
            hypers.add(sgdHyper(choice, t, !begun[i]));
            begun[i] = true;
          }
        }
        plan.step(hyperOfSlot, hypers);
      }
    }
    return readAndFree(b, all);
  }

  /** Tables, of which rows have gradients, beside a parameter that has a dense one. */
  private static List<double[]> rows(Backend b, DType dtype, boolean adam) {
    int[][] tables = {{1, 1}, {7, 3}, {33, 0}, {257, 257}, {5, 2500}, {64, 17}};
    List<Storage> all = new ArrayList<>();
    List<AdamSlot> adamSlots = new ArrayList<>();
    List<SgdSlot> sgdSlots = new ArrayList<>();
    List<Gradient> grads = new ArrayList<>();
    for (int i = 0; i <= tables.length; i++) {
      boolean dense = i == tables.length;
      int n = dense ? 5 : tables[i][0] * tables[i][1];
      Storage param = Host.store(b, dtype, Values.normal(i, n, 1));
      Storage m = Host.store(b, dtype, Values.normal(i + 1, n, 1));
      Storage v = Host.store(b, dtype, Values.abs(Values.normal(i + 2, n, 1)));
      Gradient grad = dense ? new Gradient.Dense(b.allocate(dtype, n)) : rows(b, dtype, tables[i]);
      grads.add(grad);
      adamSlots.add(new AdamSlot(param, grad, m, v, null));
      sgdSlots.add(new SgdSlot(param, grad, null));
      all.addAll(List.of(param, m, v));
    }
    int[] hypers = new int[grads.size()];
    try (AdamPlan adamPlan = b.planAdam(adamSlots);
        SgdPlan sgdPlan = b.planSgd(sgdSlots)) {
      for (int t = 0; t < STEPS; t++) {
        for (int i = 0; i < hypers.length; i++) {
          upload(b, grads.get(i), 3000L * t + i);
          hypers[i] = (i + t) % 4 == 3 ? -1 : (i + t) % 2;
        }
        if (adam) {
          adamPlan.step(hypers, List.of(lazyHyper(0, t), lazyHyper(1, t)));
        } else {
          sgdPlan.step(hypers, List.of(plainHyper(0), plainHyper(1)));
        }
      }
    }
    for (Gradient g : grads) {
      all.add(g.values());
      if (g instanceof Gradient.Rows r) {
        b.free(r.ids());
      }
    }
    return readAndFree(b, all);
  }

  /** Places for two thirds of a table's rows, of which some are left over. */
  private static Gradient.Rows rows(Backend b, DType dtype, int[] table) {
    int places = (2 * table[0] + 2) / 3;
    long[] ids = new long[places];
    for (int k = 0; k < places; k++) {
      ids[k] = k < places - places / 5 ? table[0] - 1 - k : -1;
    }
    Storage values = b.allocate(dtype, (long) places * table[1]);
    return new Gradient.Rows(Host.store(b, ids), values, table[1]);
  }

  private static AdamHyper lazyHyper(int choice, int step) {
    double lr = choice == 0 ? 1e-3 : 0.1;
    double beta1 = choice == 0 ? 0.9 : 0.4;
    return new AdamHyper(
        lr,
        beta1,
        0.99,
        1e-8,
        0,
        false,
        choice == 1,
        1 - Math.pow(beta1, step + 1),
        1 - Math.pow(0.99, step + 1));
  }

  private static SgdHyper plainHyper(int choice) {
    return new SgdHyper(choice == 0 ? 0.1 : 0.01, 0, 0, 0, false, choice == 1, false);
  }

  private static SgdHyper sgdHyper(int choice, int step, boolean first) {
    return new SgdHyper(
        step < 4 ? 0.1 : 0.01,
        0.9,
        choice == 2 ? 0.3 : 0,
        choice % 2 == 1 ? 0.01 : 0,
        choice > 2,
        choice == 1 || choice == 4,
        first);
  }

  private static void upload(Backend b, Gradient gradient, long seed) {
    Storage grad = gradient.values();
    Storage fresh = Host.store(b, grad.dtype(), Values.normal(seed, (int) grad.numel(), 1));
    long[] one = {1};
    b.copyStrided(new long[] {grad.numel()}, fresh, 0, one, grad, 0, one);
    b.free(fresh);
  }

  private static List<double[]> readAndFree(Backend b, List<Storage> all) {
    List<double[]> values = new ArrayList<>();
    for (Storage s : all) {
      values.add(Host.read(b, s));
      b.free(s);
    }
    return values;
  }

  @Test
  default void aStepInWhichNoSlotTakesPartChangesNothing() {
    Backend b = lab().tested();
    Storage p = Host.store(b, DType.F32, new double[] {1, 2, 3});
    Storage g = Host.store(b, DType.F32, new double[] {1, 1, 1});
    Storage m = Host.store(b, DType.F32, new double[] {4, 5, 6});
    Storage v = Host.store(b, DType.F32, new double[] {7, 8, 9});
    try (AdamPlan plan = b.planAdam(List.of(new AdamSlot(p, new Gradient.Dense(g), m, v, null)))) {
      plan.step(new int[] {-1}, List.of());
    }
    try (AdamPlan none = b.planAdam(List.of())) {
      none.step(new int[0], List.of());
    }
    try (SgdPlan plan = b.planSgd(List.of(new SgdSlot(p, new Gradient.Dense(g), m)))) {
      plan.step(new int[] {-1}, List.of());
    }
    List<double[]> after = readAndFree(b, List.of(p, g, m, v));
    Assertions.assertArrayEquals(new double[] {1, 2, 3}, after.get(0));
    Assertions.assertArrayEquals(new double[] {1, 1, 1}, after.get(1));
    Assertions.assertArrayEquals(new double[] {4, 5, 6}, after.get(2));
    Assertions.assertArrayEquals(new double[] {7, 8, 9}, after.get(3));
  }
}
