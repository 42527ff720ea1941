package dev.gradus.backend.cuda;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.PointwiseBuilder;
import dev.gradus.spi.PointwisePlan;
import dev.gradus.spi.PointwiseSlot;
import dev.gradus.spi.PointwiseStep;
import dev.gradus.spi.SgdHyper;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Cases of the optimizers' batched steps: two steps of some slots. */
final class StepCases {
  private static final int[] SIZES = {203, 1, 37};
  private static final int[] HYPERS = {0, 1, 0};
  private static final int STEPS = 2;

  /** Rows of a table, and those that have a gradient. */
  private static final int TABLE = 9;

  private static final double[] IDS = {7, 2, 8, 0, -1};

  private StepCases() {}

  static void addTo(List<KernelCase> all) {
    for (DType t : List.of(DType.F32, DType.F64)) {
      all.add(new KernelCase("adamw " + t.label(), run -> adam(run, t, false)));
      all.add(new KernelCase("adam with amsgrad " + t.label(), run -> adam(run, t, true)));
      all.add(new KernelCase("adam of rows " + t.label(), run -> adamOfRows(run, t)));
      all.add(new KernelCase("sgd " + t.label(), run -> sgd(run, t)));
      all.add(new KernelCase("sgd of rows " + t.label(), run -> sgdOfRows(run, t)));
      all.add(new KernelCase("pointwise " + t.label(), run -> pointwise(run, t)));
    }
  }

  private static Gradient dense(CaseRun run, DType t, int n) {
    return new Gradient.Dense(run.between(t, n, -1, 1));
  }

  private static Gradient rows(CaseRun run, DType t, int cols) {
    return new Gradient.Rows(
        run.of(DType.I64, IDS), run.between(t, IDS.length * cols, -1, 1), cols);
  }

  private static AdamHyper adam(double lr, boolean l2, int step) {
    // Not Math's: its powers may differ from machine to machine.
    return new AdamHyper(
        lr,
        0.9,
        0.999,
        1e-8,
        0.01,
        !l2,
        l2,
        1 - StrictMath.pow(0.9, step),
        1 - StrictMath.pow(0.999, step));
  }

  private static void adam(CaseRun run, DType t, boolean amsgrad) {
    List<AdamSlot> slots = new ArrayList<>();
    for (int n : SIZES) {
      slots.add(
          new AdamSlot(
              run.between(t, n, -2, 2),
              dense(run, t, n),
              run.between(t, n, -1, 1),
              run.between(t, n, 0, 1),
              amsgrad ? run.between(t, n, 0, 1) : null));
    }
    step(run, slots, HYPERS, amsgrad);
  }

  private static void adamOfRows(CaseRun run, DType t) {
    List<AdamSlot> slots = new ArrayList<>();
    for (int cols : new int[] {4, 3}) {
      int n = TABLE * cols;
      Storage square = run.between(t, n, 0, 1);
      slots.add(
          new AdamSlot(
              run.between(t, n, -2, 2),
              rows(run, t, cols),
              run.between(t, n, -1, 1),
              square,
              null));
    }
    step(run, slots, new int[] {0, 1}, false);
  }

  private static void step(CaseRun run, List<AdamSlot> slots, int[] hypers, boolean l2) {
    try (AdamPlan plan = run.backend().planAdam(slots)) {
      for (int step = 1; step <= STEPS; step++) {
        plan.step(hypers, List.of(adam(1e-3, l2, step), adam(0.1, l2, step)));
      }
      for (AdamSlot s : slots) {
        results(run, s.param(), s.expAvg(), s.expAvgSq(), s.maxExpAvgSq());
      }
    }
  }

  private static void results(CaseRun run, @Nullable Storage... all) {
    for (Storage s : all) {
      if (s != null) {
        run.result(s);
      }
    }
  }

  private static SgdHyper sgd(double lr, boolean nesterov, boolean first) {
    return new SgdHyper(lr, 0.9, nesterov ? 0 : 0.3, 0.01, nesterov, !nesterov, first);
  }

  private static void sgd(CaseRun run, DType t) {
    List<SgdSlot> slots = new ArrayList<>();
    for (int n : SIZES) {
      Storage momentum = n == 1 ? null : run.between(t, n, -1, 1);
      slots.add(new SgdSlot(run.between(t, n, -2, 2), dense(run, t, n), momentum));
    }
    step(run, slots, HYPERS);
  }

  private static void sgdOfRows(CaseRun run, DType t) {
    List<SgdSlot> slots = new ArrayList<>();
    for (int cols : new int[] {4, 3}) {
      Storage param = run.between(t, TABLE * cols, -2, 2);
      slots.add(new SgdSlot(param, rows(run, t, cols), null));
    }
    step(run, slots, new int[] {0, 1});
  }

  private static void step(CaseRun run, List<SgdSlot> slots, int[] hypers) {
    try (SgdPlan plan = run.backend().planSgd(slots)) {
      for (int step = 1; step <= STEPS; step++) {
        boolean first = step == 1;
        plan.step(hypers, List.of(sgd(0.1, true, first), sgd(0.01, false, first)));
      }
      for (SgdSlot s : slots) {
        results(run, s.param(), s.momentum());
      }
    }
  }

  /** A program in which every operation occurs. */
  private static PointwiseStep program(double lr) {
    PointwiseBuilder u = new PointwiseBuilder(List.of("mean", "square"));
    PointwiseBuilder.Value g = u.grad().add(u.param(), 0.01).clamp(-0.75, 0.75);
    PointwiseBuilder.Value m = u.set("mean", u.buffer("mean").lerp(g, 0.1));
    PointwiseBuilder.Value s =
        u.set("square", u.buffer("square").mul(0.99).addcmul(g, g, 0.01).max(g.abs()));
    PointwiseBuilder.Value way = m.sign().neg().where(1.5, m.sub(g).where(0.5, g));
    u.setParam(u.param().addcdiv(way.mul(m), s.sqrt().add(1e-8).rdiv(2).div(3), -lr));
    return u.build();
  }

  private static void pointwise(CaseRun run, DType t) {
    List<PointwiseSlot> slots = new ArrayList<>();
    for (int n : SIZES) {
      Storage param = run.between(t, n, -2, 2);
      Storage grad = run.between(t, n, -1, 1);
      List<Storage> buffers = List.of(run.between(t, n, -1, 1), run.between(t, n, 0, 1));
      slots.add(new PointwiseSlot(param, grad, buffers));
    }
    try (PointwisePlan plan = run.backend().planPointwise(slots)) {
      for (int step = 1; step <= STEPS; step++) {
        plan.step(HYPERS, List.of(program(0.1), program(0.01 * step)));
      }
      for (PointwiseSlot s : slots) {
        results(run, s.param(), s.buffers().get(0), s.buffers().get(1));
      }
    }
  }
}
