package dev.gradus.tensor;

import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.spi.UnaryOp;
import dev.gradus.tensor.Broadcasting.Operand;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.function.Consumer;

/** Operations on each element by itself, of one, two or three tensors. */
final class ElementwiseFunctions {
  private ElementwiseFunctions() {}

  // ---- one operand

  /** Any {@link UnaryOp}: the backend knows each together with its derivative. */
  static Tensor unary(UnaryOp op, String name, Tensor x, double a, double b) {
    boolean integers =
        switch (op) {
          case NEG, ABS, ADD_SCALAR, MUL_SCALAR, CLAMP -> true;
          default -> false;
        };
    if (!integers || x.dtype() != DType.I64) {
      Checks.floating(lower(name), x);
    }
    if (x.dtype() == DType.I64) {
      requireWhole(op, lower(name), a);
      requireWhole(op, lower(name), b);
    }
    Tensor out = Tensor.born(x.device(), x.shape(), x.dtype());
    x.device().backend().unary(op, x.storage(), out.storage(), a, b);
    return Function.wanted(x) ? Function.record(out, new Unary(op, name, x, a, b)) : out;
  }

  private static void requireWhole(UnaryOp op, String who, double value) {
    boolean unbounded = op == UnaryOp.CLAMP && Double.isInfinite(value);
    if (!unbounded) {
      Checks.fits(who, DType.I64, value);
    }
  }

  private static String lower(String name) {
    return Character.toLowerCase(name.charAt(0)) + name.substring(1);
  }

  private static final class Unary extends Function {
    private final UnaryOp op;
    private final double a;
    private final double b;

    Unary(UnaryOp op, String name, Tensor x, double a, double b) {
      super(
          name,
          switch (op.saves()) {
            case NOTHING -> NOTHING;
            case INPUT -> 1;
            case OUTPUT -> OUTPUT;
          },
          x);
      this.op = op;
      this.a = a;
      this.b = b;
    }

    @Override
    void backward(Storage grad) {
      Storage saved =
          switch (op.saves()) {
            case NOTHING -> grad;
            case INPUT -> saved(0);
            case OUTPUT -> savedOutput();
          };
      give(0, out -> backend().unaryGrad(op, grad, saved, out, a, b));
    }
  }

  // ---- two operands

  private static Tensor binary(BinaryOp op, String who, Tensor x, Tensor y) {
    Checks.sameDevice(who, x, y);
    Checks.sameDType(who, x, y);
    boolean integers =
        switch (op) {
          case ADD, SUB, MUL, MAXIMUM, MINIMUM -> true;
          default -> false;
        };
    if (!integers || x.dtype() != DType.I64) {
      Checks.floating(who, x);
    }
    Shape shape = Shape.broadcast(who, x.shape(), y.shape());
    Operand a = Operand.of(x, shape);
    Operand b = Operand.of(y, shape);
    Tensor out = Tensor.born(x.device(), shape, x.dtype());
    x.device()
        .backend()
        .binary(op, a.storage(), a.spread(), b.storage(), b.spread(), out.storage(), 0);
    a.close();
    b.close();
    return out;
  }

  static Tensor add(Tensor x, Tensor y) {
    Tensor out = binary(BinaryOp.ADD, "add", x, y);
    return Function.wanted(x, y) ? Function.record(out, new Add(x, y)) : out;
  }

  private static final class Add extends Function {
    Add(Tensor x, Tensor y) {
      super("Add", NOTHING, x, y);
    }

    @Override
    void backward(Storage grad) {
      boolean spread = input(1).shape().numel() != output().shape().numel();
      giveSum(spread ? 1 : 0, grad);
      handOn(spread ? 0 : 1, grad);
    }
  }

  static Tensor sub(Tensor x, Tensor y) {
    Tensor out = binary(BinaryOp.SUB, "sub", x, y);
    return Function.wanted(x, y) ? Function.record(out, new Sub(x, y)) : out;
  }

  private static final class Sub extends Function {
    Sub(Tensor x, Tensor y) {
      super("Sub", NOTHING, x, y);
    }

    @Override
    void backward(Storage grad) {
      giveBroadcast(1, out -> Kernels.scale(backend(), grad, -1, out));
      handOn(0, grad);
    }
  }

  static Tensor mul(Tensor x, Tensor y) {
    Tensor out = binary(BinaryOp.MUL, "mul", x, y);
    return Function.wanted(x, y) ? Function.record(out, new Mul(x, y)) : out;
  }

  private static final class Mul extends Function {
    Mul(Tensor x, Tensor y) {
      super("Mul", savedFor(y, x), x, y);
    }

    /** Each factor is the other's derivative: it is needed where the other wants a gradient. */
    private static int savedFor(Tensor y, Tensor x) {
      return (y.requiresGrad() ? 1 : 0) | (x.requiresGrad() ? 2 : 0);
    }

    @Override
    void backward(Storage grad) {
      giveBroadcast(0, out -> times(BinaryOp.MUL, grad, input(1), out));
      giveBroadcast(1, out -> times(BinaryOp.MUL, grad, input(0), out));
    }

    private void times(BinaryOp op, Storage grad, Tensor factor, Storage out) {
      Operand f = Operand.of(factor, output().shape());
      backend().binary(op, grad, Spread.FULL, f.storage(), f.spread(), out, 0);
      f.close();
    }
  }

  static Tensor div(Tensor x, Tensor y) {
    Tensor out = binary(BinaryOp.DIV, "div", x, y);
    return Function.wanted(x, y) ? Function.record(out, new Div(x, y)) : out;
  }

  private static final class Div extends Function {
    Div(Tensor x, Tensor y) {
      super("Div", 2 | (y.requiresGrad() ? OUTPUT : NOTHING), x, y);
    }

    @Override
    void backward(Storage grad) {
      giveBroadcast(0, out -> by(grad, out));
      giveBroadcast(
          1,
          out -> {
            Kernels.mul(backend(), grad, savedOutput(), out);
            by(out, out);
            Kernels.scale(backend(), out, -1, out);
          });
    }

    private void by(Storage numerator, Storage out) {
      Operand y = Operand.of(input(1), output().shape());
      backend().binary(BinaryOp.DIV, numerator, Spread.FULL, y.storage(), y.spread(), out, 0);
      y.close();
    }
  }

  static Tensor pow(Tensor x, Tensor y) {
    Tensor out = binary(BinaryOp.POW, "pow", x, y);
    return Function.wanted(x, y) ? Function.record(out, new Pow(x, y)) : out;
  }

  private static final class Pow extends Function {
    Pow(Tensor x, Tensor y) {
      super("Pow", 1 | 2 | (y.requiresGrad() ? OUTPUT : NOTHING), x, y);
    }

    @Override
    void backward(Storage grad) {
      giveBroadcast(0, out -> forBase(grad, out));
      giveBroadcast(1, out -> forExponent(grad, out));
    }

    /** {@code g y x^(y-1)}, and 0 where y is 0, whatever x. */
    private void forBase(Storage grad, Storage out) {
      Full x = new Full(input(0), output().shape());
      Full y = new Full(input(1), output().shape());
      Storage t = memory().allocate(grad.dtype(), grad.numel());
      backend().unary(UnaryOp.ADD_SCALAR, y.storage, t, -1, 0);
      backend().binary(BinaryOp.POW, x.storage, Spread.FULL, t, Spread.FULL, t, 0);
      Kernels.mul(backend(), t, y.storage, t);
      zeroWhereZero(y.storage, t);
      Kernels.mul(backend(), grad, t, out);
      memory().recycle(t);
      y.close();
      x.close();
    }

    /** {@code g x^y ln x}, and 0 where x is 0 and y is not negative. */
    private void forExponent(Storage grad, Storage out) {
      Full x = new Full(input(0), output().shape());
      Full y = new Full(input(1), output().shape());
      Storage t = memory().allocate(grad.dtype(), grad.numel());
      Storage mask = memory().allocate(DType.BOOL, grad.numel());
      Storage atZero = memory().allocate(DType.BOOL, grad.numel());
      backend().unary(UnaryOp.LOG, x.storage, t, 0, 0);
      Kernels.mul(backend(), savedOutput(), t, t);
      withZero(zero -> compare(CompareOp.EQ, x.storage, zero, atZero));
      withZero(zero -> compare(CompareOp.GE, y.storage, zero, mask));
      backend().ternary(TernaryOp.WHERE, atZero, mask, atZero, mask, 0); // both of them
      withZero(zero -> backend().ternary(TernaryOp.WHERE, mask, zero, t, t, 0));
      Kernels.mul(backend(), grad, t, out);
      memory().recycle(atZero);
      memory().recycle(mask);
      memory().recycle(t);
      y.close();
      x.close();
    }

    private void zeroWhereZero(Storage test, Storage values) {
      Storage mask = memory().allocate(DType.BOOL, values.numel());
      withZero(zero -> compare(CompareOp.EQ, test, zero, mask));
      withZero(zero -> backend().ternary(TernaryOp.WHERE, mask, zero, values, values, 0));
      memory().recycle(mask);
    }

    private void compare(CompareOp op, Storage x, Storage one, Storage mask) {
      backend().compare(op, x, Spread.FULL, one, Spread.SCALAR, mask);
    }

    private void withZero(Consumer<Storage> use) {
      Storage zero = memory().allocate(output().dtype(), 1);
      backend().fill(zero, 0);
      use.accept(zero);
      memory().recycle(zero);
    }
  }

  /** An operand expanded to a full shape, for functions that compute on it in several steps. */
  private static final class Full {
    private final Tensor x;
    private final boolean copied;
    final Storage storage;

    Full(Tensor x, Shape shape) {
      this.x = x;
      this.copied = x.shape().numel() != shape.numel();
      this.storage = copied ? x.device().memory().allocate(x.dtype(), shape.numel()) : x.storage();
      if (copied) {
        Broadcasting.expand(x.device(), x.storage(), x.shape(), shape, storage);
      }
    }

    void close() {
      if (copied) {
        x.device().memory().recycle(storage);
      }
    }
  }

  static Tensor maximum(Tensor x, Tensor y) {
    Tensor out = binary(BinaryOp.MAXIMUM, "maximum", x, y);
    return Function.wanted(x, y) ? Function.record(out, new Extremum("Maximum", x, y)) : out;
  }

  static Tensor minimum(Tensor x, Tensor y) {
    Tensor out = binary(BinaryOp.MINIMUM, "minimum", x, y);
    return Function.wanted(x, y) ? Function.record(out, new Extremum("Minimum", x, y)) : out;
  }

  /** Of equal operands each takes half of the gradient. */
  private static final class Extremum extends Function {
    Extremum(String name, Tensor x, Tensor y) {
      super(name, 1 | 2, x, y);
    }

    @Override
    void backward(Storage grad) {
      boolean greatest = name().equals("Maximum");
      giveBroadcast(0, out -> share(grad, greatest ? 0 : 1, out));
      giveBroadcast(1, out -> share(grad, greatest ? 1 : 0, out));
    }

    private void share(Storage grad, int wins, Storage out) {
      Full winner = new Full(input(wins), output().shape());
      Full other = new Full(input(1 - wins), output().shape());
      backend().ternary(TernaryOp.MAX_GRAD, grad, winner.storage, other.storage, out, 0);
      other.close();
      winner.close();
    }
  }

  static Tensor binaryCrossEntropy(Tensor x, Tensor y) {
    Checks.sameShape("binaryCrossEntropy", x, y);
    Tensor out = binary(BinaryOp.BCE, "binaryCrossEntropy", x, y);
    return Function.wanted(x, y) ? Function.record(out, new BinaryCrossEntropy(x, y)) : out;
  }

  private static final class BinaryCrossEntropy extends Function {
    BinaryCrossEntropy(Tensor x, Tensor y) {
      super("BinaryCrossEntropy", 1 | 2, x, y);
    }

    @Override
    void backward(Storage grad) {
      give(0, out -> backend().ternary(TernaryOp.BCE_GRAD, grad, saved(0), saved(1), out, 0));
      give(1, out -> forTarget(grad, out));
    }

    /**
     * {@code g (max(ln(1 - x), -100) - max(ln x, -100))}: the losses for 1 and for 0, subtracted.
     */
    private void forTarget(Storage grad, Storage out) {
      Storage target = memory().allocate(grad.dtype(), 1);
      Storage loss = memory().allocate(grad.dtype(), grad.numel());
      backend().fill(target, 1);
      backend().binary(BinaryOp.BCE, saved(0), Spread.FULL, target, Spread.SCALAR, out, 0);
      backend().fill(target, 0);
      backend().binary(BinaryOp.BCE, saved(0), Spread.FULL, target, Spread.SCALAR, loss, 0);
      backend().binary(BinaryOp.SUB, out, Spread.FULL, loss, Spread.FULL, out, 0);
      Kernels.mul(backend(), out, grad, out);
      memory().recycle(loss);
      memory().recycle(target);
    }
  }

  /** A comparison; its result is bool and carries no gradient. */
  static Tensor compare(CompareOp op, String who, Tensor x, Tensor y) {
    Checks.sameDevice(who, x, y);
    Checks.sameDType(who, x, y);
    Shape shape = Shape.broadcast(who, x.shape(), y.shape());
    Operand a = Operand.of(x, shape);
    Operand b = Operand.of(y, shape);
    Tensor out = Tensor.born(x.device(), shape, DType.BOOL);
    x.device()
        .backend()
        .compare(op, a.storage(), a.spread(), b.storage(), b.spread(), out.storage());
    a.close();
    b.close();
    return out;
  }

  // ---- three operands

  /** {@code mask ? x : y}, broadcast together. */
  static Tensor where(String who, Tensor mask, Tensor x, Tensor y) {
    Checks.dtype(who, "the condition", DType.BOOL, mask);
    Checks.sameDevice(who, mask, x);
    Checks.sameDevice(who, x, y);
    Checks.sameDType(who, x, y);
    Shape shape = Shape.broadcast(who, mask.shape(), Shape.broadcast(who, x.shape(), y.shape()));
    Operand m = Operand.fullOrScalar(mask, shape);
    Operand a = Operand.fullOrScalar(x, shape);
    Operand b = Operand.fullOrScalar(y, shape);
    Tensor out = Tensor.born(x.device(), shape, x.dtype());
    x.device()
        .backend()
        .ternary(TernaryOp.WHERE, m.storage(), a.storage(), b.storage(), out.storage(), 0);
    m.close();
    a.close();
    b.close();
    return Function.wanted(x, y) ? Function.record(out, new Where(mask, x, y)) : out;
  }

  private static final class Where extends Function {
    Where(Tensor mask, Tensor x, Tensor y) {
      super("Where", 1, mask, x, y);
    }

    @Override
    void backward(Storage grad) {
      giveBroadcast(1, out -> select(grad, true, out));
      giveBroadcast(2, out -> select(grad, false, out));
    }

    private void select(Storage grad, boolean where, Storage out) {
      Storage zero = memory().allocate(grad.dtype(), 1);
      backend().fill(zero, 0);
      Operand m = Operand.fullOrScalar(input(0), output().shape());
      backend()
          .ternary(TernaryOp.WHERE, m.storage(), where ? grad : zero, where ? zero : grad, out, 0);
      m.close();
      memory().recycle(zero);
    }
  }
}
