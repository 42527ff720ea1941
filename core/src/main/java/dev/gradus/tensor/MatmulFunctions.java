package dev.gradus.tensor;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Storage;
import dev.gradus.types.Shape;

/**
 * Matrix products. Pending transposes of the operands become flags of the product; so do those of
 * the gradients: for {@code C = A B}, {@code dA = dC B'} and {@code dB = A' dC}.
 */
final class MatmulFunctions {
  private MatmulFunctions() {}

  // ---- matmul

  /** {@code a b} for matrices, or for stacks of matrices whose leading dimensions broadcast. */
  static Tensor matmul(Tensor a, Tensor b) {
    Checks.sameDevice("matmul", a, b);
    Checks.sameDType("matmul", a, b);
    Checks.floating("matmul", a);
    int ra = a.shape().rank();
    int rb = b.shape().rank();
    if (ra < 2 || rb < 2 || a.size(-1) != b.size(-2)) {
      throw new IllegalArgumentException(
          "matmul: cannot multiply "
              + a.shape()
              + " by "
              + b.shape()
              + (ra < 2 || rb < 2
                  ? "; both need at least 2 dimensions: use reshape"
                  : "; the inner dimensions must be equal"));
    }
    Shape batch = Shape.broadcast("matmul", a.shape().slice(0, ra - 2), b.shape().slice(0, rb - 2));
    long m = a.size(-2);
    long n = b.size(-1);
    Stack left = Stack.of(a, batch);
    Stack right = Stack.of(b, batch);
    boolean folded = left.each && right.stride == 0 && !left.transposed;
    Gemm sizes =
        folded
            ? Gemm.of(false, right.transposed, m * batch.numel(), n, a.size(-1))
            : new Gemm(
                left.transposed,
                right.transposed,
                m,
                n,
                a.size(-1),
                batch.numel(),
                left.stride,
                right.stride,
                false);
    Tensor out = Tensor.born(a.device(), batch.append(m, n), a.dtype());
    a.device().backend().gemm(sizes, left.storage, right.storage, out.storage());
    left.close();
    right.close();
    return Function.wanted(a, b) ? Function.record(out, new Matmul(a, b, batch)) : out;
  }

  /** An operand as the backend takes it: one matrix for all products, or one for each. */
  private static final class Stack {
    private final Tensor x;
    private final boolean copied;
    final Storage storage;
    final long stride;
    final boolean transposed;

    /** Whether there is a matrix of its own for each product. */
    final boolean each;

    private Stack(
        Tensor x, Storage storage, long stride, boolean each, boolean transposed, boolean copied) {
      this.x = x;
      this.storage = storage;
      this.stride = stride;
      this.each = each;
      this.transposed = transposed;
      this.copied = copied;
    }

    static Stack of(Tensor x, Shape batch) {
      int r = x.shape().rank();
      long matrix = x.size(-1) * x.size(-2);
      long own = x.shape().numel(0, r - 2);
      if (own == batch.numel() || own == 1) {
        boolean each = own == batch.numel();
        Contents.Factor f = x.factor();
        return new Stack(x, f.storage(), each ? matrix : 0, each, f.transposed(), false);
      }
      Shape full = batch.append(x.size(-2), x.size(-1));
      Storage t = x.device().memory().allocate(x.dtype(), full.numel());
      Broadcasting.expand(x.device(), x.storage(), x.shape(), full, t);
      return new Stack(x, t, matrix, true, false, true);
    }

    void close() {
      if (copied) {
        x.device().memory().recycle(storage);
      }
    }
  }

  private static final class Matmul extends Function {
    private final Shape batch;

    Matmul(Tensor a, Tensor b, Shape batch) {
      super("Mm", (b.requiresGrad() ? 1 : 0) | (a.requiresGrad() ? 2 : 0), a, b);
      this.batch = batch;
    }

    @Override
    void backward(Storage grad) {
      Tensor a = input(0);
      Tensor b = input(1);
      long m = a.size(-2);
      long k = a.size(-1);
      long n = b.size(-1);
      if (needs(0)) {
        Stack right = Stack.of(b, batch);
        product(0, grad, m * n, false, right.storage, right.stride, !right.transposed, m, k, n);
        right.close();
      }
      if (needs(1)) {
        Stack left = Stack.of(a, batch);
        product(1, left.storage, left.stride, !left.transposed, grad, m * n, false, k, n, m);
        left.close();
      }
    }

    /**
     * Gives input i the product {@code x y} of every pair in the batch, summed where i was
     * broadcast.
     */
    private void product(
        int i,
        Storage x,
        long strideX,
        boolean transX,
        Storage y,
        long strideY,
        boolean transY,
        long rows,
        long cols,
        long inner) {
      long own = input(i).shape().numel() / Math.max(1, rows * cols);
      long count = batch.numel();
      if (own == count) {
        accumulate(
            i,
            (out, acc) ->
                backend()
                    .gemm(
                        new Gemm(transX, transY, rows, cols, inner, count, strideX, strideY, acc),
                        x,
                        y,
                        out));
      } else {
        giveStackSum(
            i, new Gemm(transX, transY, rows, cols, inner, count, strideX, strideY, false), x, y);
      }
    }

    private void giveStackSum(int i, Gemm sizes, Storage x, Storage y) {
      Shape full = batch.append(sizes.m(), sizes.n());
      Storage t = memory().allocate(input(i).dtype(), full.numel());
      backend().gemm(sizes, x, y, t);
      accumulate(
          i,
          (out, acc) -> Broadcasting.sumTo(output().device(), t, full, input(i).shape(), out, acc));
      memory().recycle(t);
    }
  }

  // ---- linear

  /**
   * {@code x w' + bias}: w is [out, in], x [..., in]; bias may be absent (w itself then stands for
   * it).
   */
  static Tensor linear(Tensor x, Tensor w, Tensor bias, boolean biased) {
    Checks.sameDevice("linear", x, w);
    Checks.sameDType("linear", x, w);
    Checks.floating("linear", x);
    int r = x.shape().rank();
    if (w.shape().rank() != 2 || r < 1 || x.size(-1) != w.size(1)) {
      throw new IllegalArgumentException(
          "linear: cannot apply a weight "
              + w.shape()
              + " to "
              + x.shape()
              + "; the weight is [out, in] and the input's last dimension must be in");
    }
    if (biased) {
      Checks.sameDevice("linear", x, bias);
      Checks.sameDType("linear", x, bias);
      if (bias.shape().rank() != 1 || bias.numel() != w.size(0)) {
        throw new IllegalArgumentException(
            "linear: the bias "
                + bias.shape()
                + " does not fit the weight "
                + w.shape()
                + "; it must be a vector with one value for each output");
      }
    }
    long rows = x.shape().numel(0, r - 1);
    Tensor out = Tensor.born(x.device(), x.shape().with(-1, w.size(0)), x.dtype());
    if (biased) {
      Shape flat = Shape.of(rows, w.size(0));
      Broadcasting.expand(x.device(), bias.storage(), Shape.of(w.size(0)), flat, out.storage());
    }
    Gemm sizes = Gemm.of(false, true, rows, w.size(0), w.size(1)).accumulating(biased);
    x.device().backend().gemm(sizes, x.storage(), w.storage(), out.storage());
    boolean wanted = Function.wanted(x, w) || (biased && Function.wanted(bias));
    return wanted ? Function.record(out, new Linear(x, w, bias, biased)) : out;
  }

  private static final class Linear extends Function {
    private final boolean biased;

    Linear(Tensor x, Tensor w, Tensor bias, boolean biased) {
      super(
          biased ? "Addmm" : "Mm",
          (w.requiresGrad() ? 1 : 0) | (x.requiresGrad() ? 2 : 0),
          biased ? new Tensor[] {x, w, bias} : new Tensor[] {x, w});
      this.biased = biased;
    }

    @Override
    void backward(Storage grad) {
      long out = input(1).size(0);
      long in = input(1).size(1);
      long rows = input(0).shape().numel(0, input(0).shape().rank() - 1);
      accumulate(
          0,
          (g, acc) ->
              backend()
                  .gemm(Gemm.of(false, false, rows, in, out).accumulating(acc), grad, saved(1), g));
      accumulate(
          1,
          (g, acc) ->
              backend()
                  .gemm(Gemm.of(true, false, out, in, rows).accumulating(acc), grad, saved(0), g));
      if (biased) {
        accumulate(
            2, (g, acc) -> backend().reduce(ReduceOp.SUM, grad, new Axis(1, rows, out), g, acc));
      }
    }
  }
}
