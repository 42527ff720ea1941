package dev.gradus.optim;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;

/**
 * {@link Muon}'s update of one parameter.
 *
 * @param b where it computes
 * @param slot the parameter
 * @param iteration that of all matrices of its size
 * @param update memory of its type and size, overwritten by each step
 */
record Orthogonal(Backend b, UpdateRule.Slot slot, NewtonSchulz iteration, Storage update) {
  void move(Muon.Options o) {
    Spread full = Spread.FULL;
    Storage p = slot.param();
    Storage g = slot.grad();
    Storage buffer = slot.buffer("momentum_buffer");
    b.binary(BinaryOp.LERP, buffer, full, g, full, buffer, 1 - o.momentum());
    if (o.nesterov()) {
      b.binary(BinaryOp.LERP, g, full, buffer, full, update, o.momentum());
    }
    Storage step = iteration.of(o.nesterov() ? update : buffer, o);
    if (p.dtype() != DType.F32) {
      b.cast(step, update);
      step = update;
    }
    b.unary(UnaryOp.MUL_SCALAR, p, p, 1 - o.lr() * o.weightDecay(), 0);
    double lr = o.lr() * o.scale().of(slot.shape());
    b.binary(BinaryOp.ADD_SCALED, p, full, step, full, p, -lr);
  }
}
