package dev.gradus.testing;

import static dev.gradus.testing.Values.FLOATING;
import static dev.gradus.testing.Values.SIZES;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.TernaryOp;
import dev.gradus.testing.Lab.Twin;
import dev.gradus.types.DType;
import org.junit.jupiter.api.Test;

/** What a backend promises for the operations on two and three operands. */
interface ElementwiseContract extends ContractFixture {
  /** Rows and columns of the results over which operands are spread. */
  int[][] SHAPES = {{1, 1}, {3, 7}, {64, 5}, {5, 257}, {1, 4097}, {4097, 1}, {0, 3}, {3, 0}};

  @Test
  default void everyBinaryOpAgreesUnderEverySpread() {
    int ops = 0;
    for (BinaryOp op : BinaryOp.values()) {
      for (DType dtype : FLOATING) {
        for (int[] shape : SHAPES) {
          for (Spread xs : Spread.values()) {
            for (Spread ys : Spread.values()) {
              binary(op, dtype, shape, xs, ys, 0.3);
            }
          }
        }
      }
      ops++;
    }
    assertEquals(BinaryOp.values().length, ops);
  }

  private void binary(BinaryOp op, DType dtype, int[] shape, Spread xs, Spread ys, double a) {
    int n = shape[0] * shape[1];
    double[] xv = operand(op, dtype, 11, size(xs, shape));
    double[] yv = ElementwiseCases.second(op, operand(op, dtype, 12, size(ys, shape)));
    Twin x = lab().twin(dtype, xv);
    Twin y = lab().twin(dtype, yv);
    Twin out = lab().blank(dtype, n);
    lab().run((b, at) -> b.binary(op, at.apply(x), xs, at.apply(y), ys, at.apply(out), a));
    Tolerance t =
        ElementwiseCases.binary(
            op,
            dtype,
            i -> xv[ReferenceElementwise.index(xs, i, n, xv.length)],
            i -> yv[ReferenceElementwise.index(ys, i, n, yv.length)],
            a,
            transcendentalUlps(dtype),
            exactFma());
    lab().check(op + " " + dtype.label() + " " + xs + " " + ys + " a " + a, out, t);
    lab().clear();
  }

  private static double[] operand(BinaryOp op, DType dtype, long seed, int n) {
    return switch (op) {
      case BCE -> ElementwiseCases.probabilities(seed, n);
      case ADD, SUB, MUL, DIV, POW, MAXIMUM, MINIMUM, ADD_SCALED, LERP ->
          Values.mixed(seed + n, n, dtype);
    };
  }

  private static int size(Spread spread, int[] shape) {
    return switch (spread) {
      case FULL -> shape[0] * shape[1];
      case SCALAR -> 1;
      case ROW -> shape[1];
      case COLUMN -> shape[0];
    };
  }

  @Test
  default void binaryParametersAtTheirExtremesAgree() {
    for (BinaryOp op : new BinaryOp[] {BinaryOp.ADD_SCALED, BinaryOp.LERP}) {
      for (DType dtype : FLOATING) {
        for (double a : new double[] {0, 1, -1, 0.1, 0.49, 0.5, 0.999, -0.7, 1e-30, 1e30}) {
          for (int n : SIZES) {
            binary(op, dtype, new int[] {1, n}, Spread.FULL, Spread.FULL, a);
          }
        }
      }
    }
  }

  @Test
  default void binaryResultsMayReplaceAFullOperand() {
    for (BinaryOp op : BinaryOp.values()) {
      for (DType dtype : FLOATING) {
        for (Spread other : Spread.values()) {
          for (int alias = 0; alias < 3; alias++) {
            binaryInPlace(op, dtype, other, alias);
          }
        }
      }
    }
  }

  /** Alias: 0 out is x, 1 out is y, 2 all three are one. */
  private void binaryInPlace(BinaryOp op, DType dtype, Spread other, int alias) {
    int[] shape = {7, 37};
    int n = shape[0] * shape[1];
    double[] fullValues = ElementwiseCases.second(op, operand(op, dtype, 13, n));
    double[] otherValues = ElementwiseCases.second(op, operand(op, dtype, 14, size(other, shape)));
    Twin full = lab().twin(dtype, fullValues);
    Twin part = alias == 2 ? full : lab().twin(dtype, otherValues);
    double[] partValues = alias == 2 ? fullValues : otherValues;
    Spread spread = alias == 2 ? Spread.FULL : other;
    boolean swap = alias == 1;
    lab()
        .run(
            (b, at) ->
                b.binary(
                    op,
                    at.apply(swap ? part : full),
                    swap ? spread : Spread.FULL,
                    at.apply(swap ? full : part),
                    swap ? Spread.FULL : spread,
                    at.apply(full),
                    0.2));
    ElementwiseCases.At f = i -> fullValues[i];
    ElementwiseCases.At g =
        i -> partValues[ReferenceElementwise.index(spread, i, n, partValues.length)];
    Tolerance t =
        ElementwiseCases.binary(
            op, dtype, swap ? g : f, swap ? f : g, 0.2, transcendentalUlps(dtype), exactFma());
    lab().check(op + " " + dtype.label() + " " + other + " alias " + alias, full, t);
    lab().clear();
  }

  @Test
  default void binaryOpsOnIntegersAreExact() {
    int ops = 0;
    for (BinaryOp op : BinaryOp.values()) {
      if (!ReferenceElementwise.takesI64(op)) {
        continue;
      }
      for (Spread xs : Spread.values()) {
        for (Spread ys : Spread.values()) {
          int[] shape = {5, 13};
          Twin x = lab().twin(DType.I64, Values.any(1, size(xs, shape), DType.I64));
          Twin y = lab().twin(DType.I64, Values.any(2, size(ys, shape), DType.I64));
          Twin out = lab().blank(DType.I64, 65);
          lab().run((b, at) -> b.binary(op, at.apply(x), xs, at.apply(y), ys, at.apply(out), 0));
          lab().check(op + " int64 " + xs + " " + ys, out, Tolerance.BITS);
          lab().clear();
        }
      }
      Twin x = lab().twin(new long[] {(1L << 60) + 1, Long.MAX_VALUE, Long.MIN_VALUE});
      Twin y = lab().twin(new long[] {1L << 60, 3, 3});
      Twin out = lab().blank(DType.I64, 3);
      lab()
          .run(
              (b, at) ->
                  b.binary(
                      op, at.apply(x), Spread.FULL, at.apply(y), Spread.FULL, at.apply(out), 0));
      lab().check(op + " int64, large", out, Tolerance.BITS);
      lab().clear();
      ops++;
    }
    assertEquals(5, ops);
  }

  @Test
  default void everyComparisonAgreesForEveryTypeAndSpread() {
    int ops = 0;
    for (CompareOp op : CompareOp.values()) {
      for (DType dtype : DType.values()) {
        for (int[] shape : SHAPES) {
          for (Spread xs : Spread.values()) {
            for (Spread ys : Spread.values()) {
              Twin x = lab().twin(dtype, Values.any(21, size(xs, shape), dtype));
              Twin y = lab().twin(dtype, Values.any(22, size(ys, shape), dtype));
              Twin out = lab().blank(DType.BOOL, shape[0] * shape[1]);
              lab().run((b, at) -> b.compare(op, at.apply(x), xs, at.apply(y), ys, at.apply(out)));
              lab().check(op + " " + dtype.label() + " " + xs + " " + ys, out, Tolerance.BITS);
              lab().clear();
            }
          }
        }
      }
      ops++;
    }
    assertEquals(CompareOp.values().length, ops);
  }

  @Test
  default void everyTernaryOpAgreesForEveryTypeAndScalarOperand() {
    int ops = 0;
    for (TernaryOp op : TernaryOp.values()) {
      for (DType dtype : op == TernaryOp.WHERE ? DType.values() : FLOATING) {
        for (int n : SIZES) {
          for (int scalars = 0; scalars < 8; scalars++) {
            ternary(op, dtype, n, scalars, 0, 0.3);
            ternary(op, dtype, n, scalars, 0, -1.5);
          }
          for (int alias = 1; alias <= 3; alias++) {
            ternary(op, dtype, n, 0, alias, 0.3);
          }
        }
      }
      ops++;
    }
    assertEquals(TernaryOp.values().length, ops);
  }

  /** Scalars: bit k set, operand k has one element. Alias: out is that operand, counted from 1. */
  private void ternary(TernaryOp op, DType dtype, int n, int scalars, int alias, double a) {
    DType first = op == TernaryOp.WHERE ? DType.BOOL : dtype;
    if (alias == 1 && first != dtype) {
      return; // a condition cannot hold the result
    }
    double[][] values = new double[3][];
    Twin[] operands = new Twin[3];
    for (int k = 0; k < 3; k++) {
      int size = (scalars >> k & 1) == 1 ? 1 : n;
      boolean probability = op == TernaryOp.BCE_GRAD && k > 0;
      DType type = k == 0 ? first : dtype;
      values[k] =
          probability
              ? ElementwiseCases.probabilities(k + 31L, size)
              : op == TernaryOp.BCE_GRAD
                  ? Values.normal(k + 31L, size, 1)
                  : Values.any(k + 31L + n, size, type);
      operands[k] = lab().twin(type, values[k]);
    }
    Twin out = alias == 0 ? lab().blank(dtype, n) : operands[alias - 1];
    lab()
        .run(
            (b, at) ->
                b.ternary(
                    op,
                    at.apply(operands[0]),
                    at.apply(operands[1]),
                    at.apply(operands[2]),
                    at.apply(out),
                    a));
    String what = op + " " + dtype.label() + " scalars " + scalars + " alias " + alias;
    lab().check(what, out, ElementwiseCases.ternary(op, dtype, values, a, exactFma()));
    lab().clear();
  }

  @Test
  default void theGradientOfAnExtremeReachesNaN() {
    double nan = Double.NaN;
    for (DType dtype : FLOATING) {
      Twin grad = lab().twin(dtype, new double[] {2, 3, 4, 5, 6, 7});
      Twin y = lab().twin(dtype, new double[] {nan, 1, nan, 1, 2, 1});
      Twin z = lab().twin(dtype, new double[] {1, nan, nan, 1, 1, 2});
      Twin out = lab().blank(dtype, 6);
      lab()
          .run(
              (b, at) ->
                  b.ternary(
                      TernaryOp.MAX_GRAD,
                      at.apply(grad),
                      at.apply(y),
                      at.apply(z),
                      at.apply(out),
                      0));
      lab().check("MAX_GRAD " + dtype.label(), out, Tolerance.BITS);
      assertArrayEquals(new double[] {2, 3, 4, 2.5, 6, 0}, lab().actual(out));
      lab().clear();
    }
  }

  @Test
  default void elementwiseOpsRefuseTheTypesTheyLack() {
    int refused = 0;
    for (DType dtype : new DType[] {DType.I64, DType.BOOL}) {
      Twin x = lab().twin(dtype, new double[] {1, 0, 1});
      Twin out = lab().blank(dtype, 3);
      for (BinaryOp op : BinaryOp.values()) {
        if (dtype == DType.BOOL || !ReferenceElementwise.takesI64(op)) {
          refuses(
              op,
              dtype,
              b -> b.binary(op, x.tested(), Spread.FULL, x.tested(), Spread.FULL, out.tested(), 1));
          refused++;
        }
      }
      for (TernaryOp op : TernaryOp.values()) {
        if (op != TernaryOp.WHERE) {
          refuses(
              op, dtype, b -> b.ternary(op, x.tested(), x.tested(), x.tested(), out.tested(), 1));
          refused++;
        }
      }
    }
    assertEquals(2 * (BinaryOp.values().length + TernaryOp.values().length - 1) - 5, refused);
  }
}
