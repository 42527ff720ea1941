package dev.gradus.optim;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.List;

/**
 * Brings the singular values of matrices of one size near 1, by the iteration
 *
 * <pre>
 * X = X / max(|X|, eps)
 * A = X X^T      U = b A + c A A      X = a X + U X        with X^T for X where it is tall
 * </pre>
 *
 * <p>After every line of it the elements are rounded to bfloat16, the products being computed in
 * float32: that is what bfloat16 matrices hold in PyTorch.
 *
 * <p>Source: Jordan et al., Muon, 2024, <a
 * href="https://kellerjordan.github.io/posts/muon/">kellerjordan.github.io/posts/muon</a>.
 */
final class NewtonSchulz implements AutoCloseable {
  /**
   * Times this, minus what that is more than the number itself: a float32 rounded to the 8 bits of
   * a bfloat16, to nearest, ties to even (Dekker, Numerische Mathematik 18, 1971).
   */
  private static final double SPLIT = (1 << 16) + 1;

  private final Backend b;
  private final boolean tall;
  private final Gemm toGram;
  private final Gemm toSquare;
  private final Gemm toNext;
  private final Storage gram;
  private final Storage square;
  private final Storage sum;
  private final Storage norm;
  private final Storage spare;
  private Storage x;
  private Storage next;

  NewtonSchulz(Backend backend, Shape shape) {
    b = backend;
    long rows = shape.dim(0);
    long cols = shape.dim(1);
    tall = rows > cols;
    long k = Math.min(rows, cols);
    toGram = Gemm.of(tall, !tall, k, k, Math.max(rows, cols));
    toSquare = Gemm.of(false, false, k, k, k);
    toNext = Gemm.of(false, tall, rows, cols, k);
    gram = b.allocate(DType.F32, k * k);
    square = b.allocate(DType.F32, k * k);
    sum = b.allocate(DType.F64, 1);
    norm = b.allocate(DType.F32, 1);
    spare = b.allocate(DType.F32, 1);
    x = b.allocate(DType.F32, rows * cols);
    next = b.allocate(DType.F32, rows * cols);
  }

  /**
   * The matrix that an update becomes: float32, and there until the next call.
   *
   * @param update is not changed
   */
  Storage of(Storage update, Muon.Options o) {
    b.cast(update, x);
    round(x, next);
    b.sumPowers(List.of(x), 2, sum);
    b.unary(UnaryOp.SQRT, sum, sum, 0, 0);
    b.cast(sum, norm);
    b.unary(UnaryOp.CLAMP, norm, norm, o.eps(), Double.POSITIVE_INFINITY);
    round(norm, spare);
    b.binary(BinaryOp.DIV, x, Spread.FULL, norm, Spread.SCALAR, x, 0);
    round(x, next);
    for (int i = 0; i < o.nsSteps(); i++) {
      iterate(o);
    }
    return x;
  }

  private void iterate(Muon.Options o) {
    b.gemm(toGram, x, x, gram);
    round(gram, square);
    b.gemm(toSquare, gram, gram, square);
    b.unary(UnaryOp.MUL_SCALAR, square, square, o.nsC(), 0);
    addScaled(square, o.nsB(), gram);
    round(square, gram);
    // U is symmetric, so the transposed product of a tall X has X on the left
    b.gemm(toNext, tall ? x : square, tall ? square : x, next);
    addScaled(next, o.nsA(), x);
    round(next, x);
    Storage before = x;
    x = next;
    next = before;
  }

  private void addScaled(Storage to, double a, Storage y) {
    b.binary(BinaryOp.ADD_SCALED, to, Spread.FULL, y, Spread.FULL, to, a);
  }

  /** Rounds to bfloat16. */
  private void round(Storage values, Storage scratch) {
    b.unary(UnaryOp.MUL_SCALAR, values, scratch, SPLIT, 0);
    b.binary(BinaryOp.SUB, scratch, Spread.FULL, values, Spread.FULL, values, 0);
    b.binary(BinaryOp.SUB, scratch, Spread.FULL, values, Spread.FULL, values, 0);
  }

  @Override
  public void close() {
    List.of(gram, square, sum, norm, spare, x, next).forEach(b::free);
  }
}
