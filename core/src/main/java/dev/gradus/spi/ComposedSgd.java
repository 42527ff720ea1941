package dev.gradus.spi;

import java.util.List;

/**
 * SGD's update from primitives, a slot at a time: the definition that fused plans are tested
 * against.
 */
final class ComposedSgd implements SgdPlan {
  private final Backend b;
  private final List<SgdSlot> slots;

  ComposedSgd(Backend backend, List<SgdSlot> slots) {
    this.b = backend;
    this.slots = List.copyOf(slots);
  }

  @Override
  public void step(int[] hyperOfSlot, List<SgdHyper> hypers) {
    for (int i = 0; i < hyperOfSlot.length; i++) {
      if (hyperOfSlot[i] >= 0) {
        SgdSlot s = slots.get(i);
        SgdHyper h = hypers.get(hyperOfSlot[i]);
        if (s.grad() instanceof Gradient.Rows rows) {
          new ComposedRows(b, rows).sgd(s, rows, h);
        } else if (s.grad() instanceof Gradient.Dense dense) {
          update(s, dense.values(), h);
        }
      }
    }
  }

  private void update(SgdSlot s, Storage grad, SgdHyper h) {
    Storage g = b.allocate(s.param().dtype(), s.param().numel());
    b.unary(UnaryOp.MUL_SCALAR, grad, g, h.maximize() ? -1 : 1, 0);
    if (h.weightDecay() != 0) {
      b.binary(BinaryOp.ADD_SCALED, g, Spread.FULL, s.param(), Spread.FULL, g, h.weightDecay());
    }
    Storage buffer = s.momentum();
    if (buffer == null) {
      b.binary(BinaryOp.ADD_SCALED, s.param(), Spread.FULL, g, Spread.FULL, s.param(), -h.lr());
    } else {
      b.unary(UnaryOp.MUL_SCALAR, h.first() ? g : buffer, buffer, h.first() ? 1 : h.momentum(), 0);
      if (!h.first()) {
        b.binary(
            BinaryOp.ADD_SCALED, buffer, Spread.FULL, g, Spread.FULL, buffer, 1 - h.dampening());
      }
      if (h.nesterov()) {
        b.binary(BinaryOp.ADD_SCALED, g, Spread.FULL, buffer, Spread.FULL, g, h.momentum());
      }
      Storage direction = h.nesterov() ? g : buffer;
      b.binary(
          BinaryOp.ADD_SCALED, s.param(), Spread.FULL, direction, Spread.FULL, s.param(), -h.lr());
    }
    b.free(g);
  }

  @Override
  public void close() {}
}
