package dev.gradus.backend.cpu;

import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.Spread;

/** Elementwise operations on two float32 operands. */
final class BinaryF32 {
  /*
   * One loop for each operation with both operands in full, one with a scalar on the right, and for
   * the two operations that need it one with a scalar on the left. A column is a scalar for each
   * row. A row, and what is rare, is written out first, a block at a time, into the result itself
   * where that is not an operand: the vectorised loops need one common index for all arrays.
   */

  private static final int BLOCK = 4096;

  private final Parallel parallel;
  private final boolean fma;

  BinaryF32(Parallel parallel, boolean fma) {
    this.parallel = parallel;
    this.fma = fma;
  }

  /** An operand with its number of elements and how it is spread. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Operand(float[] array, int length, Spread spread) {
    boolean full() {
      return spread == Spread.FULL;
    }
  }

  void run(BinaryOp op, float[] x, Spread xs, float[] y, Spread ys, float[] out, int n, double a) {
    float fa = (float) a;
    boolean full = (xs == Spread.FULL && ys == Spread.FULL) || n <= 1;
    if (full && !parallel.splits(n)) {
      full(op, x, y, out, 0, n, fa);
    } else if (full) {
      parallel.ranges(n, 1, (lo, hi) -> full(op, x, y, out, lo, hi, fa));
    } else {
      Operand p = new Operand(x, x.length, xs);
      Operand q = new Operand(y, y.length, ys);
      if (parallel.splits(n)) {
        parallel.ranges(n, 1, (lo, hi) -> spread(op, p, q, out, n, lo, hi, fa));
      } else {
        spread(op, p, q, out, n, 0, n, fa);
      }
    }
  }

  private void spread(
      BinaryOp op, Operand x, Operand y, float[] out, int n, int lo, int hi, float a) {
    if (x.full() && y.spread != Spread.ROW && takesRight(op)) {
      byRow(op, x.array, y, false, out, n, lo, hi, a);
    } else if (y.full() && x.spread != Spread.ROW && takesLeft(op)) {
      byRow(op, y.array, x, true, out, n, lo, hi, a);
    } else if (x.full() && x.array != out) {
      for (int b = lo; b < hi; b += BLOCK) {
        int e = Math.min(hi, b + BLOCK);
        Spreads.write(y.array, y.length, y.spread, n, out, b, b, e);
        full(op, x.array, out, out, b, e, a);
      }
    } else if (y.full() && y.array != out) {
      for (int b = lo; b < hi; b += BLOCK) {
        int e = Math.min(hi, b + BLOCK);
        Spreads.write(x.array, x.length, x.spread, n, out, b, b, e);
        full(op, out, y.array, out, b, e, a);
      }
    } else {
      general(op, x, y, out, n, lo, hi, a);
    }
  }

  /** Both operands written out beside the result. */
  private void general(
      BinaryOp op, Operand x, Operand y, float[] out, int n, int lo, int hi, float a) {
    int size = Math.min(BLOCK, hi - lo);
    float[] p = new float[size];
    float[] q = new float[size];
    for (int b = lo; b < hi; b += BLOCK) {
      int e = Math.min(hi, b + BLOCK);
      Spreads.write(x.array, x.length, x.spread, n, p, 0, b, e);
      Spreads.write(y.array, y.length, y.spread, n, q, 0, b, e);
      full(op, p, q, p, 0, e - b, a);
      System.arraycopy(p, 0, out, b, e - b);
    }
  }

  /** A full operand with a scalar, or with a column: a scalar for each row. */
  private void byRow(
      BinaryOp op,
      float[] x,
      Operand scalars,
      boolean left,
      float[] out,
      int n,
      int lo,
      int hi,
      float a) {
    int width = scalars.spread == Spread.SCALAR ? n : n / scalars.length;
    int row = lo / width;
    for (int i = lo; i < hi; row++) {
      int end = Math.min(hi, (row + 1) * width);
      float v = scalars.array[row];
      if (left && op == BinaryOp.SUB) {
        rsub(x, v, out, i, end);
      } else if (left && op == BinaryOp.DIV) {
        rdiv(x, v, out, i, end);
      } else {
        right(op, x, v, out, i, end, a);
      }
      i = end;
    }
  }

  private boolean takesRight(BinaryOp op) {
    return switch (op) {
      case ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM -> true;
      case ADD_SCALED -> fma;
      case POW, LERP, BCE -> false;
    };
  }

  private static boolean takesLeft(BinaryOp op) {
    return switch (op) {
      case ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM -> true;
      case ADD_SCALED, POW, LERP, BCE -> false;
    };
  }

  private static void right(BinaryOp op, float[] x, float y, float[] out, int lo, int hi, float a) {
    switch (op) {
      case ADD -> add(x, y, out, lo, hi);
      case SUB -> sub(x, y, out, lo, hi);
      case MUL -> mul(x, y, out, lo, hi);
      case DIV -> div(x, y, out, lo, hi);
      case MAXIMUM -> max(x, y, out, lo, hi);
      case MINIMUM -> min(x, y, out, lo, hi);
      case ADD_SCALED -> addScaled(x, y, out, lo, hi, a);
      case POW, LERP, BCE -> throw new AssertionError(op);
    }
  }

  private void full(BinaryOp op, float[] x, float[] y, float[] out, int lo, int hi, float a) {
    switch (op) {
      case ADD -> add(x, y, out, lo, hi);
      case SUB -> sub(x, y, out, lo, hi);
      case MUL -> mul(x, y, out, lo, hi);
      case DIV -> div(x, y, out, lo, hi);
      case POW -> pow(x, y, out, lo, hi);
      case MAXIMUM -> max(x, y, out, lo, hi);
      case MINIMUM -> min(x, y, out, lo, hi);
      case ADD_SCALED -> {
        if (fma) {
          addScaled(x, y, out, lo, hi, a);
        } else {
          addScaledWithoutFma(x, y, out, lo, hi, a);
        }
      }
      case LERP -> {
        if (!fma) {
          lerpWithoutFma(x, y, out, lo, hi, a);
        } else if (Math.abs(a) < 0.5f) {
          lerpNear(x, y, out, lo, hi, a);
        } else {
          lerpFar(x, y, out, lo, hi, a);
        }
      }
      case BCE -> bce(x, y, out, lo, hi);
    }
  }

  private static void add(float[] x, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] + y[i];
    }
  }

  private static void add(float[] x, float y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] + y;
    }
  }

  private static void sub(float[] x, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] - y[i];
    }
  }

  private static void sub(float[] x, float y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] - y;
    }
  }

  private static void rsub(float[] x, float y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = y - x[i];
    }
  }

  private static void mul(float[] x, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] * y[i];
    }
  }

  private static void mul(float[] x, float y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] * y;
    }
  }

  private static void div(float[] x, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] / y[i];
    }
  }

  private static void div(float[] x, float y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] / y;
    }
  }

  private static void rdiv(float[] x, float y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = y / x[i];
    }
  }

  private static void pow(float[] x, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = (float) Math.pow(x[i], y[i]);
    }
  }

  private static void max(float[] x, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = Math.max(x[i], y[i]);
    }
  }

  private static void max(float[] x, float y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = Math.max(x[i], y);
    }
  }

  private static void min(float[] x, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = Math.min(x[i], y[i]);
    }
  }

  private static void min(float[] x, float y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = Math.min(x[i], y);
    }
  }

  private static void bce(float[] x, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = (float) Scalars.bce(x[i], y[i]);
    }
  }

  private static void addScaled(float[] x, float[] y, float[] out, int lo, int hi, float a) {
    for (int i = lo; i < hi; i++) {
      out[i] = Math.fma(a, y[i], x[i]);
    }
  }

  private static void addScaled(float[] x, float y, float[] out, int lo, int hi, float a) {
    for (int i = lo; i < hi; i++) {
      out[i] = Math.fma(a, y, x[i]);
    }
  }

  private static void addScaledWithoutFma(
      float[] x, float[] y, float[] out, int lo, int hi, float a) {
    for (int i = lo; i < hi; i++) {
      out[i] = (float) ((double) a * y[i] + x[i]);
    }
  }

  private static void lerpNear(float[] x, float[] y, float[] out, int lo, int hi, float a) {
    for (int i = lo; i < hi; i++) {
      out[i] = Math.fma(a, y[i] - x[i], x[i]);
    }
  }

  private static void lerpFar(float[] x, float[] y, float[] out, int lo, int hi, float a) {
    float rest = 1 - a;
    for (int i = lo; i < hi; i++) {
      out[i] = Math.fma(-(y[i] - x[i]), rest, y[i]);
    }
  }

  private static void lerpWithoutFma(float[] x, float[] y, float[] out, int lo, int hi, float a) {
    boolean near = Math.abs(a) < 0.5f;
    float rest = 1 - a;
    for (int i = lo; i < hi; i++) {
      float p = x[i];
      float q = y[i];
      double s = near ? (double) a * (q - p) + p : (double) -(q - p) * rest + q;
      out[i] = (float) s;
    }
  }
}
