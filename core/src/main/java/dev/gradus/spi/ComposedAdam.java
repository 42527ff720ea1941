package dev.gradus.spi;

import java.util.List;

/**
 * Adam's update from primitives, a slot at a time: the definition that fused plans are tested
 * against.
 */
final class ComposedAdam implements AdamPlan {
  private final Backend b;
  private final List<AdamSlot> slots;

  ComposedAdam(Backend backend, List<AdamSlot> slots) {
    this.b = backend;
    this.slots = List.copyOf(slots);
  }

  @Override
  public void step(int[] hyperOfSlot, List<AdamHyper> hypers) {
    for (int i = 0; i < hyperOfSlot.length; i++) {
      if (hyperOfSlot[i] >= 0) {
        AdamSlot s = slots.get(i);
        AdamHyper h = hypers.get(hyperOfSlot[i]);
        if (s.grad() instanceof Gradient.Rows rows) {
          new ComposedRows(b, rows).adam(s, rows, h);
        } else if (s.grad() instanceof Gradient.Dense dense) {
          update(s, dense.values(), h);
        }
      }
    }
  }

  private void update(AdamSlot s, Storage grad, AdamHyper h) {
    Storage g = b.allocate(s.param().dtype(), s.param().numel());
    Storage denom = b.allocate(s.param().dtype(), s.param().numel());
    b.unary(UnaryOp.MUL_SCALAR, grad, g, h.maximize() ? -1 : 1, 0);
    if (h.weightDecay() != 0 && h.decoupled()) {
      b.unary(UnaryOp.MUL_SCALAR, s.param(), s.param(), 1 - h.lr() * h.weightDecay(), 0);
    } else if (h.weightDecay() != 0) {
      b.binary(BinaryOp.ADD_SCALED, g, Spread.FULL, s.param(), Spread.FULL, g, h.weightDecay());
    }
    b.binary(BinaryOp.LERP, s.expAvg(), Spread.FULL, g, Spread.FULL, s.expAvg(), 1 - h.beta1());
    b.unary(UnaryOp.MUL_SCALAR, s.expAvgSq(), s.expAvgSq(), h.beta2(), 0);
    b.ternary(TernaryOp.ADDCMUL, s.expAvgSq(), g, g, s.expAvgSq(), 1 - h.beta2());
    Storage square = s.expAvgSq();
    Storage max = s.maxExpAvgSq();
    if (max != null) {
      b.binary(BinaryOp.MAXIMUM, max, Spread.FULL, square, Spread.FULL, max, 0);
      square = max;
    }
    b.unary(UnaryOp.SQRT, square, denom, 0, 0);
    b.unary(UnaryOp.DIV_SCALAR, denom, denom, Math.sqrt(h.biasCorrection2()), 0);
    b.unary(UnaryOp.ADD_SCALAR, denom, denom, h.eps(), 0);
    double stepSize = h.lr() / h.biasCorrection1();
    b.ternary(TernaryOp.ADDCDIV, s.param(), s.expAvg(), denom, s.param(), -stepSize);
    b.free(denom);
    b.free(g);
  }

  @Override
  public void close() {}
}
