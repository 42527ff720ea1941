package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Batched Adam: all slots of all groups in one pass over their memory. */
final class AdamLoop implements AdamPlan, SlotPieces.Update {
  /** Parameter, gradient, mean, mean square, greatest mean square. */
  private static final int ARRAYS = 5;

  private static final float[] NONE_F32 = {};
  private static final double[] NONE_F64 = {};

  private final Parallel parallel;
  private final boolean fma;
  private final AdamKernel kernel;
  private final AdamSlot[] slots;

  /**
   * Of each float32 slot that is updated as a whole its arrays, {@link #ARRAYS} a slot, empty ones
   * for others: side by side, because a step over many small slots is mostly waiting for such
   * things.
   */
  private final float[][] arrays;

  /** The steps of slots of which rows are updated. */
  private final @Nullable RowSteps[] rows;

  private final SlotPieces pieces;
  private final @Nullable AdamF32[] active;
  private final @Nullable AdamHyper[] hypers;

  AdamLoop(Parallel parallel, boolean fma, AdamKernel kernel, List<AdamSlot> slots) {
    this.parallel = parallel;
    this.fma = fma;
    this.kernel = kernel;
    this.slots = slots.toArray(new AdamSlot[0]);
    int[] numel = new int[this.slots.length];
    this.arrays = new float[ARRAYS * numel.length][];
    Arrays.fill(arrays, NONE_F32);
    this.rows = new @Nullable RowSteps[numel.length];
    for (int i = 0; i < numel.length; i++) {
      Storage p = this.slots[i].param();
      if (!p.dtype().isFloating()) {
        throw unsupported("adam", p.dtype());
      }
      if (this.slots[i].grad() instanceof Gradient.Rows r) {
        rows[i] = new RowSteps(parallel, r);
      } else if (this.slots[i].grad() instanceof Gradient.Dense d) {
        numel[i] = (int) p.numel();
        if (p.dtype() == DType.F32) {
          take(i, this.slots[i], d.values());
        }
      }
    }
    this.pieces = new SlotPieces(numel);
    this.active = new AdamF32[numel.length];
    this.hypers = new AdamHyper[numel.length];
  }

  private void take(int slot, AdamSlot s, Storage grad) {
    Storage max = s.maxExpAvgSq();
    int at = ARRAYS * slot;
    arrays[at] = f32(s.param());
    arrays[at + 1] = f32(grad);
    arrays[at + 2] = f32(s.expAvg());
    arrays[at + 3] = f32(s.expAvgSq());
    arrays[at + 4] = max == null ? NONE_F32 : f32(max);
  }

  @Override
  public void step(int[] hyperOfSlot, List<AdamHyper> options) {
    AdamF32 scalars = null;
    int last = -1;
    for (int i = 0; i < slots.length; i++) {
      int index = hyperOfSlot[i];
      if (index < 0) {
        hypers[i] = null;
        active[i] = null;
        continue;
      }
      if (index != last) {
        scalars = AdamF32.of(options.get(index), fma);
        last = index;
      }
      hypers[i] = options.get(index);
      active[i] = scalars;
    }
    pieces.run(parallel, this);
    for (int i = 0; i < rows.length; i++) {
      RowSteps r = rows[i];
      AdamHyper h = hypers[i];
      if (r != null && h != null) {
        r.adam(slots[i], h);
      }
    }
  }

  /** Updates elements lo to hi of a slot that takes part. */
  @Override
  public void run(int slot, int lo, int hi) {
    AdamF32 scalars = active[slot];
    if (scalars == null) {
      return;
    }
    int at = ARRAYS * slot;
    float[] theta = arrays[at];
    if (theta.length > 0) {
      kernel.update(
          scalars, theta, arrays[at + 1], arrays[at + 2], arrays[at + 3], arrays[at + 4], lo, hi);
    } else if (slots[slot].grad() instanceof Gradient.Dense dense) {
      f64(slot, dense.values(), lo, hi);
    }
  }

  private void f64(int slot, Storage grad, int lo, int hi) {
    AdamSlot s = slots[slot];
    AdamHyper h = hypers[slot];
    Storage max = s.maxExpAvgSq();
    if (h != null) {
      plain(
          h,
          CpuStorage.f64(s.param()),
          CpuStorage.f64(grad),
          CpuStorage.f64(s.expAvg()),
          CpuStorage.f64(s.expAvgSq()),
          max == null ? NONE_F64 : CpuStorage.f64(max),
          lo,
          hi);
    }
  }

  private static void plain(
      AdamHyper h,
      double[] theta,
      double[] grad,
      double[] m,
      double[] v,
      double[] max,
      int lo,
      int hi) {
    double w = 1 - h.beta1();
    double c = 1 - h.beta2();
    double root = Math.sqrt(h.biasCorrection2());
    double step = -(h.lr() / h.biasCorrection1());
    boolean l2 = h.weightDecay() != 0 && !h.decoupled();
    double decay = h.decoupled() ? 1 - h.lr() * h.weightDecay() : 1;
    for (int i = lo; i < hi; i++) {
      double g = h.maximize() ? -grad[i] : grad[i];
      double p = theta[i] * decay;
      if (l2) {
        g = Math.fma(h.weightDecay(), p, g);
      }
      double d = g - m[i];
      m[i] = Math.abs(w) < 0.5 ? Math.fma(w, d, m[i]) : Math.fma(-d, 1 - w, g);
      double s = Math.fma(c * g, g, v[i] * h.beta2());
      v[i] = s;
      if (max.length > 0) {
        s = Math.max(max[i], s);
        max[i] = s;
      }
      theta[i] = p + (step * m[i]) / (Math.sqrt(s) / root + h.eps());
    }
  }

  @Override
  public void close() {}
}
