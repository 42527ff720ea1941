package dev.gradus.testing;

import static dev.gradus.testing.Values.FLOATING;
import static dev.gradus.testing.Values.SIZES;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.spi.UnaryOp;
import dev.gradus.testing.Lab.Twin;
import dev.gradus.types.DType;
import org.junit.jupiter.api.Test;

/** What a backend promises for the operations on one operand and for their derivatives. */
interface UnaryContract extends ContractFixture {

  @Test
  default void everyUnaryOpAgreesAtEverySize() {
    int ops = 0;
    for (UnaryOp op : UnaryOp.values()) {
      for (DType dtype : FLOATING) {
        for (int n : SIZES) {
          for (double[] p : UnaryCases.parameters(op)) {
            forward(op, dtype, n, p, false);
            forward(op, dtype, n, p, true);
          }
        }
      }
      ops++;
    }
    assertEquals(UnaryOp.values().length, ops);
  }

  private void forward(UnaryOp op, DType dtype, int n, double[] p, boolean inPlace) {
    double[] values = Values.mixed(op.ordinal() * 31L + n, n, dtype);
    Twin x = lab().twin(dtype, values);
    Twin out = inPlace ? x : lab().blank(dtype, n);
    lab().run((b, at) -> b.unary(op, at.apply(x), at.apply(out), p[0], p[1]));
    String what = UnaryCases.name(op.name(), dtype, p) + (inPlace ? " in place" : "");
    lab().check(what, out, UnaryCases.forward(op, dtype, values, p, transcendentalUlps(dtype)));
    lab().clear();
  }

  @Test
  default void everyUnaryGradientAgreesAtEverySize() {
    int ops = 0;
    for (UnaryOp op : UnaryOp.values()) {
      for (DType dtype : FLOATING) {
        for (int n : SIZES) {
          for (double[] p : UnaryCases.parameters(op)) {
            gradient(op, dtype, n, p, 0);
            gradient(op, dtype, n, p, 1);
            gradient(op, dtype, n, p, 2);
          }
        }
      }
      ops++;
    }
    assertEquals(UnaryOp.values().length, ops);
  }

  /** Alias: 0 none, 1 out is grad, 2 out is saved. */
  private void gradient(UnaryOp op, DType dtype, int n, double[] p, int alias) {
    double[] values = Values.tame(op.ordinal() * 37L + n, n);
    double[] grads = Values.normal(op.ordinal() * 41L + n, n, 1);
    Twin grad = lab().twin(dtype, grads);
    double[] savedValues =
        op.saves() == UnaryOp.Saves.OUTPUT ? UnaryCases.result(op, dtype, values, p) : values;
    Twin saved = op.saves() == UnaryOp.Saves.NOTHING ? grad : lab().twin(dtype, savedValues);
    Twin out = alias == 0 ? lab().blank(dtype, n) : alias == 1 ? grad : saved;
    lab()
        .run(
            (b, at) -> b.unaryGrad(op, at.apply(grad), at.apply(saved), at.apply(out), p[0], p[1]));
    String what = UnaryCases.name(op + " gradient", dtype, p) + " alias " + alias;
    lab().check(what, out, UnaryCases.gradient(op, dtype, grads, savedValues));
    lab().clear();
  }

  @Test
  default void gradientsAtKinksAndAtNaNAreExact() {
    double inf = Double.POSITIVE_INFINITY;
    double[] saved = {Double.NaN, 0.0, inf, 1e-45, 3, Double.NaN, 0.5, 0.0, -0.0, 4, -1};
    double[] grads = {2, 3, -4, 5, -6, -7, 8, inf, Double.NaN, -inf, Double.NaN};
    UnaryOp[] ops = {UnaryOp.ABS, UnaryOp.CLAMP, UnaryOp.RELU, UnaryOp.LEAKY_RELU};
    for (UnaryOp op : ops) {
      for (DType dtype : FLOATING) {
        Twin grad = lab().twin(dtype, grads);
        Twin s = lab().twin(dtype, saved);
        Twin out = lab().blank(dtype, grads.length);
        lab().run((b, at) -> b.unaryGrad(op, at.apply(grad), at.apply(s), at.apply(out), 0, 3));
        lab().check(op + " gradient " + dtype.label(), out, Tolerance.SAME);
        lab().clear();
      }
    }
  }

  @Test
  default void unaryOpsOnIntegersAreExact() {
    int ops = 0;
    for (UnaryOp op : UnaryOp.values()) {
      if (!ReferenceUnary.takesI64(op)) {
        continue;
      }
      for (int n : SIZES) {
        for (double[] p : new double[][] {{3, 7}, {-2, 5}, {0, 0}, {-0x1p40, 0x1p40}}) {
          Twin x = lab().twin(DType.I64, Values.any(n, n, DType.I64));
          Twin out = lab().blank(DType.I64, n);
          lab().run((b, at) -> b.unary(op, at.apply(x), at.apply(out), p[0], p[1]));
          lab().check(UnaryCases.name(op.name(), DType.I64, p), out, Tolerance.BITS);
          lab().clear();
        }
      }
      ops++;
    }
    assertEquals(5, ops);
  }

  @Test
  default void integersBeyondDoubleStayExact() {
    long big = (1L << 60) + 1;
    for (UnaryOp op : new UnaryOp[] {UnaryOp.NEG, UnaryOp.ABS, UnaryOp.ADD_SCALAR, UnaryOp.CLAMP}) {
      Twin x = lab().twin(new long[] {big, -big, 5});
      Twin out = lab().blank(DType.I64, 3);
      double upper = Double.POSITIVE_INFINITY;
      lab().run((b, at) -> b.unary(op, at.apply(x), at.apply(out), 1, upper));
      lab().check(op.name(), out, Tolerance.BITS);
      lab().clear();
    }
  }

  @Test
  default void unaryOpsRefuseTheTypesTheyLack() {
    int refused = 0;
    for (UnaryOp op : UnaryOp.values()) {
      for (DType dtype : new DType[] {DType.I64, DType.BOOL}) {
        if (dtype == DType.I64 && ReferenceUnary.takesI64(op)) {
          continue;
        }
        Twin x = lab().twin(dtype, new double[] {1, 0, 1});
        Twin out = lab().blank(dtype, 3);
        refuses(op, dtype, b -> b.unary(op, x.tested(), out.tested(), 1, 2));
        refuses(op, dtype, b -> b.unaryGrad(op, x.tested(), x.tested(), out.tested(), 1, 2));
        refused++;
      }
    }
    assertEquals(2 * UnaryOp.values().length - 5, refused);
  }
}
