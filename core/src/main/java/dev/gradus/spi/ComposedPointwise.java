package dev.gradus.spi;

import dev.gradus.spi.Pointwise.Operand;
import dev.gradus.types.DType;
import java.util.List;

/**
 * Pointwise programs from primitives, a slot and an instruction at a time: the definition that
 * fused plans are tested against.
 */
final class ComposedPointwise implements PointwisePlan {
  private final Backend b;
  private final List<PointwiseSlot> slots;

  ComposedPointwise(Backend backend, List<PointwiseSlot> slots) {
    this.b = backend;
    this.slots = List.copyOf(slots);
  }

  @Override
  public void step(int[] stepOfSlot, List<PointwiseStep> steps) {
    for (int i = 0; i < stepOfSlot.length; i++) {
      if (stepOfSlot[i] >= 0) {
        new Run(slots.get(i), steps.get(stepOfSlot[i])).run();
      }
    }
  }

  @Override
  public void close() {}

  /** A program over one slot. */
  private final class Run {
    private final PointwiseSlot slot;
    private final PointwiseStep step;
    private final Storage[] registers;

    Run(PointwiseSlot slot, PointwiseStep step) {
      this.slot = slot;
      this.step = step;
      this.registers = new Storage[step.program().registers()];
    }

    void run() {
      for (int r = 0; r < registers.length; r++) {
        registers[r] = b.allocate(slot.param().dtype(), slot.param().numel());
      }
      for (Pointwise.Instruction i : step.program().code()) {
        run(i, storage(i.out()));
      }
      for (Storage r : registers) {
        b.free(r);
      }
    }

    private Storage storage(Operand x) {
      return x.kind() == Operand.Kind.REGISTER ? registers[x.index()] : slot.storage(x);
    }

    private void run(Pointwise.Instruction i, Storage out) {
      switch (i.op()) {
        case COPY -> b.unary(UnaryOp.MUL_SCALAR, value(i, 0), out, 1, 0);
        case NEG -> b.unary(UnaryOp.NEG, value(i, 0), out, 0, 0);
        case ABS -> b.unary(UnaryOp.ABS, value(i, 0), out, 0, 0);
        case SQRT -> b.unary(UnaryOp.SQRT, value(i, 0), out, 0, 0);
        case SIGN -> sign(value(i, 0), out);
        case ADD -> binary(i, BinaryOp.ADD, UnaryOp.ADD_SCALAR, out);
        case SUB -> full(BinaryOp.SUB, value(i, 0), value(i, 1), out, 0);
        case MUL -> binary(i, BinaryOp.MUL, UnaryOp.MUL_SCALAR, out);
        case DIV -> div(i, out);
        case MAX -> bounded(i, BinaryOp.MAXIMUM, out);
        case MIN -> bounded(i, BinaryOp.MINIMUM, out);
        case FMA -> fma(i, out);
        case LERP -> full(BinaryOp.LERP, value(i, 0), value(i, 1), out, scalar(i.in().get(2)));
        case WHERE -> where(value(i, 0), i.in().get(1), i.in().get(2), out);
      }
    }

    private Storage value(Pointwise.Instruction i, int operand) {
      return storage(i.in().get(operand));
    }

    private double scalar(Operand x) {
      return step.scalars().get(x.index());
    }

    private static boolean isScalar(Operand x) {
      return x.kind() == Operand.Kind.SCALAR;
    }

    private void full(BinaryOp op, Storage x, Storage y, Storage out, double a) {
      b.binary(op, x, Spread.FULL, y, Spread.FULL, out, a);
    }

    private void binary(Pointwise.Instruction i, BinaryOp op, UnaryOp withScalar, Storage out) {
      Storage x = value(i, 0);
      Operand y = i.in().get(1);
      if (isScalar(y)) {
        b.unary(withScalar, x, out, scalar(y), 0);
      } else {
        full(op, x, storage(y), out, 0);
      }
    }

    private void div(Pointwise.Instruction i, Storage out) {
      Operand x = i.in().get(0);
      if (isScalar(x)) {
        b.unary(UnaryOp.RDIV_SCALAR, value(i, 1), out, scalar(x), 0);
      } else {
        binary(i, BinaryOp.DIV, UnaryOp.DIV_SCALAR, out);
      }
    }

    private void bounded(Pointwise.Instruction i, BinaryOp op, Storage out) {
      Storage x = value(i, 0);
      Operand y = i.in().get(1);
      if (!isScalar(y)) {
        full(op, x, storage(y), out, 0);
      } else if (op == BinaryOp.MAXIMUM) {
        b.unary(UnaryOp.CLAMP, x, out, scalar(y), Double.POSITIVE_INFINITY);
      } else {
        b.unary(UnaryOp.CLAMP, x, out, Double.NEGATIVE_INFINITY, scalar(y));
      }
    }

    private void fma(Pointwise.Instruction i, Storage out) {
      Operand x = i.in().get(0);
      Storage y = value(i, 1);
      Storage z = value(i, 2);
      if (isScalar(x)) {
        full(BinaryOp.ADD_SCALED, z, y, out, scalar(x));
      } else {
        b.ternary(TernaryOp.ADDCMUL, z, storage(x), y, out, 1);
      }
    }

    private void sign(Storage x, Storage out) {
      Storage positive = mask(CompareOp.GT, x);
      Storage negative = mask(CompareOp.LT, x);
      Storage zero = single(0);
      Storage one = single(1);
      Storage minusOne = single(-1);
      b.ternary(TernaryOp.WHERE, negative, minusOne, zero, out, 0);
      b.ternary(TernaryOp.WHERE, positive, one, out, out, 0);
      for (Storage s : List.of(minusOne, one, zero, negative, positive)) {
        b.free(s);
      }
    }

    private void where(Storage x, Operand y, Operand z, Storage out) {
      Storage positive = mask(CompareOp.GT, x);
      Storage yes = isScalar(y) ? single(scalar(y)) : storage(y);
      Storage no = isScalar(z) ? single(scalar(z)) : storage(z);
      b.ternary(TernaryOp.WHERE, positive, yes, no, out, 0);
      if (isScalar(z)) {
        b.free(no);
      }
      if (isScalar(y)) {
        b.free(yes);
      }
      b.free(positive);
    }

    private Storage mask(CompareOp op, Storage x) {
      Storage zero = single(0);
      Storage mask = b.allocate(DType.BOOL, x.numel());
      b.compare(op, x, Spread.FULL, zero, Spread.SCALAR, mask);
      b.free(zero);
      return mask;
    }

    private Storage single(double value) {
      Storage s = b.allocate(slot.param().dtype(), 1);
      b.fill(s, value);
      return s;
    }
  }
}
