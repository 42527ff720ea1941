package dev.gradus.testing;

import static dev.gradus.testing.Values.FLOATING;
import static dev.gradus.testing.Values.SIZES;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.spi.Gemm;
import dev.gradus.spi.Philox;
import dev.gradus.testing.Lab.Twin;
import dev.gradus.types.DType;
import org.junit.jupiter.api.Test;

/** What a backend promises for matrix products and dropout. */
interface ProductContract extends ContractFixture {
  int[] EDGES = {0, 1, 3, 7, 17, 64, 129};

  @Test
  default void floatProductsAgreeAtOddSizes() {
    for (int m : EDGES) {
      for (int n : EDGES) {
        for (int k : EDGES) {
          products(DType.F32, new Gemm(false, false, m, n, k, 1, 0, 0, false));
        }
      }
    }
  }

  @Test
  default void doubleProductsAgreeAtOddSizes() {
    int[] edges = {0, 1, 7, 65};
    for (int m : edges) {
      for (int n : edges) {
        for (int k : edges) {
          products(DType.F64, new Gemm(false, false, m, n, k, 1, 0, 0, false));
        }
      }
    }
  }

  @Test
  default void batchesTakeTheirOperandsAtTheirStrides() {
    for (DType dtype : FLOATING) {
      for (int m : new int[] {1, 3, 17}) {
        for (int n : new int[] {1, 7, 64}) {
          for (int k : new int[] {0, 1, 17}) {
            for (int strides = 0; strides < 6; strides++) {
              long a = strides % 3 == 0 ? 0 : (long) m * k + (strides % 3 == 1 ? 0 : 5);
              long b = strides < 3 ? 0 : (long) k * n;
              products(dtype, new Gemm(false, false, m, n, k, 5, a, b, false));
            }
          }
        }
      }
    }
    products(DType.F32, new Gemm(false, false, 3, 3, 3, 0, 9, 9, false));
  }

  @Test
  default void aLongInnerSizeKeepsItsDigits() {
    products(DType.F32, Gemm.of(false, false, 3, 5, 4097));
    products(DType.F64, Gemm.of(false, false, 3, 5, 4097));
  }

  /** All four ways of storing the operands, overwriting and accumulating. */
  private void products(DType dtype, Gemm g) {
    for (int t = 0; t < 4; t++) {
      for (boolean accumulate : new boolean[] {false, true}) {
        product(
            dtype,
            new Gemm(
                t % 2 == 1,
                t > 1,
                g.m(),
                g.n(),
                g.k(),
                g.batch(),
                g.strideA(),
                g.strideB(),
                accumulate));
      }
    }
  }

  /** k products and additions, each rounded: (k + 1) eps / 2 times the sum of their magnitudes. */
  private void product(DType dtype, Gemm g) {
    double[] a = Values.normal(1, size(g.batch(), g.strideA(), g.m() * g.k()), 1);
    double[] b = Values.normal(2, size(g.batch(), g.strideB(), g.k() * g.n()), 1);
    double[] c = Values.normal(3, (int) (g.batch() * g.m() * g.n()), 1);
    Twin x = lab().twin(dtype, a);
    Twin y = lab().twin(dtype, b);
    Twin out = g.accumulate() ? lab().twin(dtype, c) : lab().blank(dtype, c.length);
    lab().run((backend, at) -> backend.gemm(g, at.apply(x), at.apply(y), at.apply(out)));
    double[] magnitude = magnitudes(g, a, b, c);
    double roundings = g.k() + 2.0;
    // a double reference is itself rounded k times
    double both = dtype == DType.F64 ? 2 : 1;
    lab()
        .check(
            "gemm " + dtype.label() + " " + g,
            out,
            (i, e) -> both * roundings * Tolerance.eps(dtype) / 2 * magnitude[i]);
    lab().clear();
  }

  private static int size(long batch, long stride, long matrix) {
    return (int) (batch == 0 ? 0 : (batch - 1) * stride + matrix);
  }

  private static double[] magnitudes(Gemm g, double[] a, double[] b, double[] c) {
    try (ReferenceBackend r = new ReferenceBackend("ref")) {
      var out = Host.store(r, DType.F64, Values.abs(c));
      r.gemm(
          g, Host.store(r, DType.F64, Values.abs(a)), Host.store(r, DType.F64, Values.abs(b)), out);
      return Host.read(r, out);
    }
  }

  @Test
  default void productsPassNanOnButNotFromAnOverwrittenResult() {
    for (DType dtype : FLOATING) {
      Twin a = lab().twin(dtype, new double[] {1, Double.NaN, 2, 3});
      Twin b = lab().twin(dtype, new double[] {0, 0, 0, 0});
      Twin c = lab().twin(dtype, new double[] {Double.NaN, Double.NaN, Double.NaN, Double.NaN});
      Gemm g = Gemm.of(false, false, 2, 2, 2);
      lab().run((k, at) -> k.gemm(g, at.apply(a), at.apply(b), at.apply(c)));
      lab().check("gemm with NaN", c, Tolerance.SAME);
      assertArrayEquals(new double[] {Double.NaN, Double.NaN, 0, 0}, lab().actual(c));
      lab().clear();
    }
  }

  @Test
  default void dropoutKeepsExactlyWhatPhiloxSays() {
    for (DType dtype : FLOATING) {
      for (int n : SIZES) {
        for (double p : new double[] {0, 1e-9, 0.1, 0.5, 0.9, 1 - 0x1p-24, 1}) {
          for (long[] s : new long[][] {{0, 0}, {42, 7}, {-1, 1L << 40}, {1L << 33, 0xffffffffL}}) {
            for (boolean inPlace : new boolean[] {false, true}) {
              Twin x = lab().twin(dtype, Values.tame(n, n));
              Twin out = inPlace ? x : lab().blank(dtype, n);
              lab().run((b, at) -> b.dropout(at.apply(x), at.apply(out), p, s[0], s[1]));
              lab().check("dropout " + dtype.label() + " p " + p, out, Tolerance.SAME);
              lab().clear();
            }
          }
        }
      }
    }
  }

  @Test
  default void dropoutOnTheGradientHasTheMaskOfTheForwardCall() {
    int n = 257;
    double[] ones = new double[n];
    java.util.Arrays.fill(ones, 1);
    Twin x = lab().twin(DType.F32, ones);
    Twin y = lab().blank(DType.F32, n);
    Twin g = lab().twin(DType.F32, ones);
    lab().run((b, at) -> b.dropout(at.apply(x), at.apply(y), 0.25, 9, 11));
    lab().run((b, at) -> b.dropout(at.apply(g), at.apply(g), 0.25, 9, 11));
    assertArrayEquals(lab().actual(y), lab().actual(g));
    int kept = 0;
    int[] words = new int[4];
    for (int i = 0; i < n; i++) {
      Philox.block(9, 11 + i / 4, words);
      boolean keeps = (words[i % 4] >>> 8) * 0x1p-24 >= 0.25;
      assertEquals(keeps ? (float) (1 / 0.75) : 0, lab().actual(y)[i], "at " + i);
      kept += keeps ? 1 : 0;
    }
    // 193 expected, deviation 7
    assertEquals(193, kept, 35);
  }

  @Test
  default void productsAndDropoutRefuseIntegers() {
    int refused = 0;
    for (DType dtype : new DType[] {DType.I64, DType.BOOL}) {
      Twin x = lab().twin(dtype, new double[] {1});
      Twin out = lab().blank(dtype, 1);
      refuses(
          "gemm",
          dtype,
          b -> b.gemm(Gemm.of(false, false, 1, 1, 1), x.tested(), x.tested(), out.tested()));
      refuses("dropout", dtype, b -> b.dropout(x.tested(), out.tested(), 0.5, 0, 0));
      refused++;
    }
    assertEquals(2, refused);
  }
}
