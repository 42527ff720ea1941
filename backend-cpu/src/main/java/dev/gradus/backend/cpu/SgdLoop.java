package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.Gradient;
import dev.gradus.spi.SgdHyper;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Batched SGD: all slots of all groups in one pass over their memory. */
final class SgdLoop implements SgdPlan, SlotPieces.Update {
  private final Parallel parallel;
  private final boolean fma;
  private final SgdSlot[] slots;

  /** The gradients of slots that are updated as a whole. */
  private final @Nullable Storage[] dense;

  /** The steps of slots of which rows are updated. */
  private final @Nullable RowSteps[] rows;

  private final SlotPieces pieces;
  private final @Nullable SgdHyper[] active;

  SgdLoop(Parallel parallel, boolean fma, List<SgdSlot> slots) {
    this.parallel = parallel;
    this.fma = fma;
    this.slots = slots.toArray(new SgdSlot[0]);
    int[] numel = new int[this.slots.length];
    this.dense = new @Nullable Storage[numel.length];
    this.rows = new @Nullable RowSteps[numel.length];
    for (int i = 0; i < numel.length; i++) {
      Storage p = this.slots[i].param();
      if (!p.dtype().isFloating()) {
        throw unsupported("sgd", p.dtype());
      }
      if (this.slots[i].grad() instanceof Gradient.Rows r) {
        rows[i] = new RowSteps(parallel, r);
      } else if (this.slots[i].grad() instanceof Gradient.Dense d) {
        dense[i] = d.values();
        numel[i] = (int) p.numel();
      }
    }
    this.pieces = new SlotPieces(numel);
    this.active = new SgdHyper[numel.length];
  }

  @Override
  public void step(int[] hyperOfSlot, List<SgdHyper> hypers) {
    for (int i = 0; i < slots.length; i++) {
      active[i] = hyperOfSlot[i] < 0 ? null : hypers.get(hyperOfSlot[i]);
    }
    pieces.run(parallel, this);
    for (int i = 0; i < rows.length; i++) {
      RowSteps r = rows[i];
      SgdHyper h = active[i];
      if (r != null && h != null) {
        r.sgd(slots[i], h, fma);
      }
    }
  }

  /** Updates elements lo to hi of a slot that takes part. */
  @Override
  public void run(int slot, int lo, int hi) {
    SgdHyper h = active[slot];
    Storage grad = dense[slot];
    if (h == null || grad == null) {
      return;
    }
    SgdSlot s = slots[slot];
    Storage b = s.momentum();
    if (s.param().dtype() == DType.F32) {
      update(h, f32(s.param()), f32(grad), b == null ? null : f32(b), lo, hi);
    } else {
      plain(h, f64(s.param()), f64(grad), b == null ? null : f64(b), lo, hi);
    }
  }

  private void update(
      SgdHyper h, float[] theta, float[] grad, float @Nullable [] b, int lo, int hi) {
    float sign = h.maximize() ? -1 : 1;
    float wd = (float) h.weightDecay();
    float mu = (float) h.momentum();
    float rest = (float) (1 - h.dampening());
    float step = (float) -h.lr();
    boolean decays = h.weightDecay() != 0;
    if (!fma || (b != null && (h.first() || h.nesterov()))) {
      general(h, theta, grad, b, lo, hi);
    } else if (b == null && decays) {
      sgdL2(theta, grad, lo, hi, sign, wd, step);
    } else if (b == null) {
      sgd(theta, grad, lo, hi, sign, step);
    } else if (decays) {
      momentumL2(theta, grad, b, lo, hi, sign, wd, mu, rest, step);
    } else {
      momentum(theta, grad, b, lo, hi, sign, mu, rest, step);
    }
  }

  private static void sgd(float[] theta, float[] grad, int lo, int hi, float sign, float step) {
    for (int i = lo; i < hi; i++) {
      theta[i] = Math.fma(step, grad[i] * sign, theta[i]);
    }
  }

  private static void sgdL2(
      float[] theta, float[] grad, int lo, int hi, float sign, float wd, float step) {
    for (int i = lo; i < hi; i++) {
      theta[i] = Math.fma(step, Math.fma(wd, theta[i], grad[i] * sign), theta[i]);
    }
  }

  private static void momentum(
      float[] theta,
      float[] grad,
      float[] b,
      int lo,
      int hi,
      float sign,
      float mu,
      float rest,
      float step) {
    for (int i = lo; i < hi; i++) {
      float d = Math.fma(rest, grad[i] * sign, b[i] * mu);
      b[i] = d;
      theta[i] = Math.fma(step, d, theta[i]);
    }
  }

  private static void momentumL2(
      float[] theta,
      float[] grad,
      float[] b,
      int lo,
      int hi,
      float sign,
      float wd,
      float mu,
      float rest,
      float step) {
    for (int i = lo; i < hi; i++) {
      float d = Math.fma(rest, Math.fma(wd, theta[i], grad[i] * sign), b[i] * mu);
      b[i] = d;
      theta[i] = Math.fma(step, d, theta[i]);
    }
  }

  /** Every case. */
  private void general(
      SgdHyper h, float[] theta, float[] grad, float @Nullable [] b, int lo, int hi) {
    float sign = h.maximize() ? -1 : 1;
    float wd = (float) h.weightDecay();
    float mu = (float) h.momentum();
    float rest = (float) (1 - h.dampening());
    float step = (float) -h.lr();
    boolean decays = h.weightDecay() != 0;
    for (int i = lo; i < hi; i++) {
      float g = grad[i] * sign;
      if (decays) {
        g = Scalars.multiplyAdd(wd, theta[i], g, fma);
      }
      if (b != null) {
        float d = h.first() ? g : Scalars.multiplyAdd(rest, g, b[i] * mu, fma);
        b[i] = d;
        g = h.nesterov() ? Scalars.multiplyAdd(mu, d, g, fma) : d;
      }
      theta[i] = Scalars.multiplyAdd(step, g, theta[i], fma);
    }
  }

  private static void plain(
      SgdHyper h, double[] theta, double[] grad, double @Nullable [] b, int lo, int hi) {
    boolean decays = h.weightDecay() != 0;
    for (int i = lo; i < hi; i++) {
      double g = h.maximize() ? -grad[i] : grad[i];
      if (decays) {
        g = Math.fma(h.weightDecay(), theta[i], g);
      }
      if (b != null) {
        double d = h.first() ? g : Math.fma(1 - h.dampening(), g, b[i] * h.momentum());
        b[i] = d;
        g = h.nesterov() ? Math.fma(h.momentum(), d, g) : d;
      }
      theta[i] = Math.fma(-h.lr(), g, theta[i]);
    }
  }

  @Override
  public void close() {}
}
