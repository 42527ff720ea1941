package dev.gradus.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.Axis;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.Probe;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * Literal answers: those of the operations on one operand and their gradients are PyTorch 2.13's in
 * float64, the others are worked out by hand.
 */
final class ReferenceBackendTest {
  private static final double[] ANY = {-2, -0.5, 0.3, 1.7};
  private static final double[] POSITIVE = {0.2, 0.5, 0.3, 1.7};
  private static final double[] GRAD = {1, 2, -1, 0.5};
  private static final double NAN = Double.NaN;

  private final ReferenceBackend b = new ReferenceBackend("ref");

  @AfterEach
  void close() {
    b.close();
  }

  private record Answer(
      UnaryOp op, double a, double b, double[] x, double[] y, double[] gradient) {}

  private static Answer answer(
      UnaryOp op, double a, double b, double[] x, double[] y, double[] gradient) {
    return new Answer(op, a, b, x, y, gradient);
  }

  @Test
  void unaryOpsAndTheirGradientsHaveTheRecordedValues() {
    List<Answer> answers = answers();
    for (Answer w : answers) {
      Storage x = f64(w.x);
      Storage y = b.allocate(DType.F64, 4);
      b.unary(w.op, x, y, w.a, w.b);
      TensorAssert.assertClose(w.y, read(y), 1e-16, 1e-14);
      Storage saved = w.op.saves() == UnaryOp.Saves.OUTPUT ? y : x;
      Storage grad = f64(GRAD);
      b.unaryGrad(w.op, grad, saved, grad, w.a, w.b);
      TensorAssert.assertClose(w.gradient, read(grad), 1e-16, 1e-14);
    }
    assertArrayEquals(UnaryOp.values(), answers.stream().map(Answer::op).toArray());
  }

  private static List<Answer> answers() {
    return List.of(
        answer(
            UnaryOp.NEG,
            0,
            0,
            ANY,
            new double[] {2.0, 0.5, -0.3, -1.7},
            new double[] {-1.0, -2.0, 1.0, -0.5}),
        answer(
            UnaryOp.ADD_SCALAR,
            0.25,
            0,
            ANY,
            new double[] {-1.75, -0.25, 0.55, 1.95},
            new double[] {1.0, 2.0, -1.0, 0.5}),
        answer(
            UnaryOp.MUL_SCALAR,
            0.1,
            0,
            ANY,
            new double[] {-0.2, -0.05, 0.03, 0.17},
            new double[] {0.1, 0.2, -0.1, 0.05}),
        answer(
            UnaryOp.DIV_SCALAR,
            3,
            0,
            ANY,
            new double[] {
              -0.6666666666666666, -0.16666666666666666, 0.09999999999999999, 0.5666666666666667
            },
            new double[] {
              0.3333333333333333, 0.6666666666666666, -0.3333333333333333, 0.16666666666666666
            }),
        answer(
            UnaryOp.RSUB_SCALAR,
            1,
            0,
            ANY,
            new double[] {3.0, 1.5, 0.7, -0.7},
            new double[] {-1.0, -2.0, 1.0, -0.5}),
        answer(
            UnaryOp.RDIV_SCALAR,
            3,
            0,
            ANY,
            new double[] {-1.5, -6.0, 10.0, 1.7647058823529411},
            new double[] {-0.75, -24.0, 33.333333333333336, -0.5190311418685122}),
        answer(
            UnaryOp.POW_SCALAR,
            2.5,
            0,
            POSITIVE,
            new double[] {
              0.01788854381999832, 0.1767766952966369, 0.049295030175464945, 3.7680989902071307
            },
            new double[] {
              0.223606797749979, 1.7677669529663689, -0.4107919181288745, 2.7706610222111254
            }),
        answer(
            UnaryOp.RPOW_SCALAR,
            3,
            0,
            ANY,
            new double[] {
              0.1111111111111111, 0.5773502691896257, 1.3903891703159093, 6.473007839923779
            },
            new double[] {
              0.12206803207423442, 1.268568201195128, -1.5274986285401153, 3.5556629787926406
            }),
        answer(
            UnaryOp.EXP,
            0,
            0,
            ANY,
            new double[] {
              0.1353352832366127, 0.6065306597126334, 1.3498588075760032, 5.4739473917272
            },
            new double[] {
              0.1353352832366127, 1.2130613194252668, -1.3498588075760032, 2.7369736958636
            }),
        answer(
            UnaryOp.LOG,
            0,
            0,
            POSITIVE,
            new double[] {
              -1.6094379124341003, -0.6931471805599453, -1.2039728043259361, 0.5306282510621704
            },
            new double[] {5.0, 4.0, -3.3333333333333335, 0.29411764705882354}),
        answer(
            UnaryOp.SQRT,
            0,
            0,
            POSITIVE,
            new double[] {
              0.4472135954999579, 0.7071067811865475, 0.5477225575051661, 1.3038404810405297
            },
            new double[] {
              1.118033988749895, 1.4142135623730951, -0.9128709291752769, 0.1917412472118426
            }),
        answer(
            UnaryOp.ABS,
            0,
            0,
            ANY,
            new double[] {2.0, 0.5, 0.3, 1.7},
            new double[] {-1.0, -2.0, -1.0, 0.5}),
        answer(
            UnaryOp.CLAMP,
            -1,
            1,
            ANY,
            new double[] {-1.0, -0.5, 0.3, 1.0},
            new double[] {0.0, 2.0, -1.0, 0.0}),
        answer(
            UnaryOp.SIGMOID,
            0,
            0,
            ANY,
            new double[] {
              0.11920292202211755, 0.3775406687981454, 0.574442516811659, 0.8455347349164652
            },
            new double[] {
              0.1049935854035065, 0.470007424403189, -0.24445831169074586, 0.06530287348310404
            }),
        answer(
            UnaryOp.TANH,
            0,
            0,
            ANY,
            new double[] {
              -0.9640275800758169, -0.4621171572600098, 0.2913126124515909, 0.935409070603099
            },
            new double[] {
              0.07065082485316443, 1.5728954659318548, -0.9151369618266292, 0.0625049353167233
            }),
        answer(
            UnaryOp.RELU,
            0,
            0,
            ANY,
            new double[] {0.0, 0.0, 0.3, 1.7},
            new double[] {0.0, 0.0, -1.0, 0.5}),
        answer(
            UnaryOp.LEAKY_RELU,
            0.01,
            0,
            ANY,
            new double[] {-0.02, -0.005, 0.3, 1.7},
            new double[] {0.01, 0.02, -1.0, 0.5}),
        answer(
            UnaryOp.GELU,
            0,
            0,
            ANY,
            new double[] {
              -0.04550026389635842, -0.15426876936299344, 0.1853734266566858, 1.6242387133104768
            },
            new double[] {
              -0.08523180107819692, 0.26500975068767424, -0.7323277668271099, 0.5576589843910824
            }),
        answer(
            UnaryOp.GELU_TANH,
            0,
            0,
            ANY,
            new double[] {
              -0.04540230591222494, -0.15428599017485606, 0.18537092354275922, 1.624105895551156
            },
            new double[] {
              -0.0860992566236183, 0.2652601929307153, -0.7322954516388018, 0.5579573157263025
            }),
        answer(
            UnaryOp.SILU,
            0,
            0,
            ANY,
            new double[] {
              -0.2384058440442351, -0.1887703343990727, 0.1723327550434977, 1.437409049357991
            },
            new double[] {
              -0.09078424878489547, 0.5200776253946964, -0.6477800103188829, 0.5337822523795095
            }),
        answer(
            UnaryOp.SOFTPLUS,
            2,
            2,
            ANY,
            new double[] {0.009074963958904869, 0.15663084375911143, 0.5187439752429428, 1.7},
            new double[] {0.017986209962091555, 0.5378828427399902, -0.6456563062257954, 0.5}));
  }

  @Test
  void theNormalDistributionKeepsItsTails() {
    double[] x = {-38, -10, -5, -1, -0.1, 0, 0.1, 1, 5, 10};
    // math.erfc(-x / sqrt 2) / 2
    double[] phi = {
      2.88542835e-316,
      7.619853024160593e-24,
      2.866515718791946e-07,
      0.15865525393145707,
      0.460172162722971,
      0.5,
      0.539827837277029,
      0.8413447460685429,
      0.9999997133484281,
      1.0
    };
    for (int i = 0; i < x.length; i++) {
      // e^(-x^2/2) magnifies the rounding of x^2
      assertEquals(phi[i], Erf.phi(x[i]), 1e-15 * (1 + x[i] * x[i]) * phi[i], "Phi(" + x[i] + ")");
    }
  }

  @Test
  void binaryOpsHaveTheirAnswers() {
    assertBinary(BinaryOp.ADD, 0, 4, 2.5, 0);
    assertBinary(BinaryOp.SUB, 0, 2, -1.5, 0);
    assertBinary(BinaryOp.MUL, 0, 3, 1, 0);
    assertBinary(BinaryOp.DIV, 0, 3, 0.25, NAN);
    assertBinary(BinaryOp.POW, 0, 3, 0.25, 1);
    assertBinary(BinaryOp.MAXIMUM, 0, 3, 2, 0);
    assertBinary(BinaryOp.MINIMUM, 0, 1, 0.5, 0);
    assertBinary(BinaryOp.ADD_SCALED, 3, 6, 6.5, 0);
    assertBinary(BinaryOp.LERP, 0.25, 2.5, 0.875, 0);
    assertBinary(BinaryOp.LERP, 0.75, 1.5, 1.625, 0);
    assertBinary(BinaryOp.BCE, 0, NAN, 2 * Math.log(2) - Math.log(2), 0);
  }

  /** On x = 3, 0.5, 0 and y = 1, 2, 0. */
  private void assertBinary(BinaryOp op, double a, double... want) {
    for (DType dtype : Values.FLOATING) {
      Storage x = Host.store(b, dtype, new double[] {3, 0.5, 0});
      Storage y = Host.store(b, dtype, new double[] {1, 2, 0});
      b.binary(op, x, Spread.FULL, y, Spread.FULL, x, a);
      TensorAssert.assertClose(want, read(x), 0, Tolerance.eps(dtype));
    }
  }

  @Test
  void crossEntropyIsThatOfPyTorch() {
    Storage p = f64(0.2, 0.9, 0, 1);
    Storage t = f64(1, 0.3, 1, 1);
    Storage out = b.allocate(DType.F64, 4);
    b.binary(BinaryOp.BCE, p, Spread.FULL, t, Spread.FULL, out, 0);
    double[] loss = {1.6094379124341003, 1.6434177197931799, 100, 0};
    TensorAssert.assertClose(loss, read(out), 0, 1e-15);
    b.ternary(TernaryOp.BCE_GRAD, f64(1, 1, 1, 1), p, t, out, 0);
    double[] gradient = {-5, 6.666666666666668, -1e12, 0};
    TensorAssert.assertClose(gradient, read(out), 0, 1e-15);
  }

  @Test
  void fusedMultiplyAddsAreRoundedOnceInTheStoragesType() {
    float a = 1 + 0x1p-12f;
    Storage x = Host.store(b, DType.F32, new double[] {-1 - 0x1p-11});
    Storage y = Host.store(b, DType.F32, new double[] {a});
    Storage out = b.allocate(DType.F32, 1);
    b.binary(BinaryOp.ADD_SCALED, x, Spread.FULL, y, Spread.FULL, out, a);
    assertEquals(0x1p-24, read(out)[0], "a y = 1 + 2^-11 + 2^-24 is not a float");
    b.ternary(TernaryOp.ADDCMUL, x, y, y, out, 1);
    assertEquals(0x1p-24, read(out)[0]);
    b.ternary(TernaryOp.ADDCMUL, x, y, Host.store(b, DType.F32, new double[] {1}), out, a);
    assertEquals(0, read(out)[0], "a y alone is rounded");
  }

  @Test
  void ternaryOpsHaveTheirAnswers() {
    Storage x = f64(1, 2, 3);
    Storage y = f64(4, 5, 6);
    Storage z = f64(2, 5, 8);
    Storage out = b.allocate(DType.F64, 3);
    b.ternary(TernaryOp.ADDCMUL, x, y, z, out, 0.5);
    assertArrayEquals(new double[] {5, 14.5, 27}, read(out));
    b.ternary(TernaryOp.ADDCDIV, x, y, z, out, 2);
    assertArrayEquals(new double[] {5, 4, 4.5}, read(out));
    b.ternary(TernaryOp.MAX_GRAD, x, y, z, out, 0);
    assertArrayEquals(new double[] {1, 1, 0}, read(out));
    Storage c = Host.store(b, DType.BOOL, new double[] {1, 0, 1});
    b.ternary(TernaryOp.WHERE, c, f64(7), z, out, 0);
    assertArrayEquals(new double[] {7, 5, 7}, read(out));
  }

  @Test
  void comparisonsHaveJavasMeaningForNan() {
    double[][] want = {
      {0, 1, 0, 0, 0},
      {1, 0, 1, 1, 1},
      {1, 0, 0, 0, 0},
      {1, 1, 0, 0, 0},
      {0, 0, 1, 0, 0},
      {0, 1, 1, 0, 0}
    };
    Storage x = f64(1, 2, 3, NAN, 1);
    Storage y = f64(2, 2, 2, NAN, NAN);
    Storage out = b.allocate(DType.BOOL, 5);
    for (CompareOp op : CompareOp.values()) {
      b.compare(op, x, Spread.FULL, y, Spread.FULL, out);
      assertArrayEquals(want[op.ordinal()], read(out), op.name());
    }
  }

  @Test
  void spreadsFindTheirElements() {
    Storage full = f64(0, 10, 20, 30, 40, 50);
    double[][] want = {
      {0, 11, 22, 33, 44, 55},
      {1, 11, 21, 31, 41, 51},
      {1, 12, 23, 31, 42, 53},
      {1, 11, 21, 32, 42, 52}
    };
    double[][] operand = {{0, 1, 2, 3, 4, 5}, {1}, {1, 2, 3}, {1, 2}};
    Storage out = b.allocate(DType.F64, 6);
    for (Spread s : Spread.values()) {
      b.binary(BinaryOp.ADD, full, Spread.FULL, f64(operand[s.ordinal()]), s, out, 0);
      assertArrayEquals(want[s.ordinal()], read(out), s.name());
    }
  }

  @Test
  void reductionsHaveTheirAnswers() {
    Storage x = f64(1, 2, 3, 4, 5, 6, 7, NAN, 9, 10, 11, 12);
    Axis axis = new Axis(2, 3, 2);
    double[][] want = {{9, 12, 27, NAN}, {5, 6, 11, NAN}, {1, 2, 7, NAN}};
    for (ReduceOp op : ReduceOp.values()) {
      Storage out = b.allocate(DType.F64, 4);
      b.reduce(op, x, axis, out, false);
      assertArrayEquals(want[op.ordinal()], read(out), op.name());
      b.reduce(op, x, axis, out, true);
      assertEquals(2 * want[op.ordinal()][0], read(out)[0], op + " accumulating");
    }
    Storage ids = b.allocate(DType.I64, 4);
    b.argReduce(true, f64(1, 5, 5, 2, NAN, 9, NAN, 0, -1, -1, -3, -3), new Axis(4, 3, 1), ids);
    assertArrayEquals(new double[] {1, 1, 0, 0}, read(ids));
    b.argReduce(false, f64(1, 5, 5, 2, NAN, 9, NAN, 0, -1, -1, -3, -3), new Axis(4, 3, 1), ids);
    assertArrayEquals(new double[] {0, 1, 0, 1}, read(ids));
  }

  @Test
  void gatherAndScatterAreEachOthersTranspose() {
    Storage table = f64(1, 2, 3, 4, 5, 6);
    Storage ids = Host.store(b, new long[] {2, 0, 2});
    Storage out = b.allocate(DType.F64, 6);
    b.gather(table, new Axis(1, 3, 2), ids, out);
    assertArrayEquals(new double[] {5, 6, 1, 2, 5, 6}, read(out));
    Storage sums = b.allocate(DType.F64, 6);
    b.scatterAdd(out, new Axis(1, 3, 2), ids, -1, sums, false);
    assertArrayEquals(new double[] {1, 2, 0, 0, 10, 12}, read(sums));
    b.scatterAdd(out, new Axis(1, 3, 2), ids, 2, sums, true);
    assertArrayEquals(new double[] {2, 4, 0, 0, 10, 12}, read(sums));
    b.gather(table, new Axis(2, 3, 1), ids, out);
    assertArrayEquals(new double[] {3, 1, 3, 6, 4, 6}, read(out));
  }

  @Test
  void productsHaveTheirAnswers() {
    Storage a = f64(1, 2, 3, 4, 5, 6);
    Storage c = f64(1, 1, 1, 1);
    b.gemm(Gemm.of(false, false, 2, 2, 3), a, f64(1, 0, 0, 1, 1, 1), c);
    assertArrayEquals(new double[] {4, 5, 10, 11}, read(c));
    b.gemm(Gemm.of(false, true, 2, 2, 3).accumulating(true), a, f64(1, 0, 1, 0, 1, 1), c);
    assertArrayEquals(new double[] {8, 10, 20, 22}, read(c));
    b.gemm(Gemm.of(true, false, 2, 2, 3), a, f64(1, 0, 0, 1, 1, 1), c);
    assertArrayEquals(new double[] {6, 8, 8, 10}, read(c));
    Gemm batch = new Gemm(false, false, 1, 1, 2, 3, 2, 0, false);
    Storage three = b.allocate(DType.F64, 3);
    b.gemm(batch, a, f64(10, 1), three);
    assertArrayEquals(new double[] {12, 34, 56}, read(three));
  }

  @Test
  void castsAndCopiesHaveTheirAnswers() {
    Storage x = f64(-1.9, 0, 2.5, 0.1);
    Storage longs = b.allocate(DType.I64, 4);
    Storage bits = b.allocate(DType.BOOL, 4);
    Storage floats = b.allocate(DType.F32, 4);
    b.cast(x, longs);
    b.cast(x, bits);
    b.cast(x, floats);
    assertArrayEquals(new double[] {-1, 0, 2, 0}, read(longs));
    assertArrayEquals(new double[] {1, 0, 1, 1}, read(bits));
    assertArrayEquals(new double[] {-1.9f, 0, 2.5f, 0.1f}, read(floats));
    Storage t = f64(0, 0, 0, 0);
    long[] two = {2, 2};
    b.copyStrided(two, x, 0, new long[] {1, 2}, t, 0, new long[] {2, 1});
    assertArrayEquals(new double[] {-1.9, 2.5, 0, 0.1}, read(t));
  }

  @Test
  void dropoutZeroesAndScales() {
    double[] ones = new double[1000];
    Arrays.fill(ones, 1);
    Storage x = f64(ones);
    b.dropout(x, x, 0.5, 1, 2);
    double sum = 0;
    for (double v : read(x)) {
      assertTrue(v == 0 || v == 2, "value " + v);
      sum += v;
    }
    assertEquals(1000, sum, 160); // 5 deviations of 2 sqrt(1000 / 4)
    b.dropout(x, x, 1, 1, 2);
    assertArrayEquals(new double[1000], read(x));
  }

  @Test
  void newStoragesAreFullOfPoison() {
    assertTrue(Double.isNaN(read(b.allocate(DType.F32, 1))[0]));
    assertTrue(Double.isNaN(read(b.allocate(DType.F64, 1))[0]));
    assertEquals(Long.MIN_VALUE, Host.readLongs(b, b.allocate(DType.I64, 1))[0]);
    assertEquals(1, read(b.allocate(DType.BOOL, 1))[0]);
  }

  @Test
  void liveCountsWhatIsNotFreed() {
    Storage s = b.allocate(DType.F32, 3);
    b.allocate(DType.F32, 3);
    assertEquals(2, b.live());
    b.free(s);
    assertEquals(1, b.live());
  }

  @Test
  void freedForeignAndClosedStoragesAreRefused() {
    Storage s = b.allocate(DType.F32, 1);
    b.free(s);
    assertEquals(
        "reference: storage used after free",
        assertThrows(IllegalStateException.class, () -> b.fill(s, 0)).getMessage());
    assertThrows(IllegalStateException.class, () -> b.free(s));
    ReferenceBackend other = new ReferenceBackend("ref2");
    Storage foreign = other.allocate(DType.F32, 1);
    refused("reference: storage of device 'ref2'", () -> b.fill(foreign, 0));
    other.close();
    assertThrows(IllegalStateException.class, () -> other.fill(foreign, 0));
    assertEquals(
        "reference: device 'ref2' is closed",
        assertThrows(IllegalStateException.class, () -> other.allocate(DType.F32, 1)).getMessage());
  }

  @Test
  void wrongSizesTypesAndAliasesAreRefused() {
    Storage x = f64(1, 2, 3);
    Storage two = f64(1, 2);
    Storage f = Host.store(b, DType.F32, new double[] {1, 2, 3});
    refused("reference EXP: x has 3 elements, not 2", () -> b.unary(UnaryOp.EXP, x, two, 0, 0));
    refused(
        "reference EXP: types float64 and float32 differ", () -> b.unary(UnaryOp.EXP, x, f, 0, 0));
    refused(
        "reference ADD: 2 elements do not spread as ROW over 3",
        () -> b.binary(BinaryOp.ADD, x, Spread.FULL, two, Spread.ROW, x, 0));
    refused(
        "reference SUM: out is x", () -> b.reduce(ReduceOp.SUM, x, new Axis(3, 1, 1), x, false));
    refused(
        "reference MAX: over nothing",
        () -> b.reduce(ReduceOp.MAX, f64(), new Axis(3, 0, 1), x, false));
    Storage ids = Host.store(b, new long[] {3});
    refused(
        "reference gather: id 3 of 3",
        () -> b.gather(x, new Axis(1, 3, 1), ids, b.allocate(DType.F64, 1)));
    refused(
        "reference copyStrided: writes element 0 twice",
        () -> b.copyStrided(new long[] {2}, x, 0, new long[] {1}, two, 0, new long[] {0}));
    refused(
        "reference copyStrided: reads element 3",
        () -> b.copyStrided(new long[] {2}, x, 2, new long[] {1}, two, 0, new long[] {1}));
    refused(
        "reference gemm: a has 3 elements, not 4",
        () -> b.gemm(Gemm.of(false, false, 2, 1, 2), x, two, b.allocate(DType.F64, 2)));
    refused("reference upload: 3 elements into 2", () -> b.upload(DoubleBuffer.allocate(3), two));
    assertThrows(IllegalArgumentException.class, () -> b.upload(FloatBuffer.allocate(2), two));
  }

  private static void refused(String message, Executable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
  }

  @Test
  void theProviderIsUsableAndLast() {
    ReferenceBackendProvider provider = new ReferenceBackendProvider();
    assertEquals("reference", provider.name());
    assertEquals(-1000, provider.priority());
    assertEquals(Probe.Status.USABLE, provider.probe().status());
    assertEquals("ref", provider.open(0).deviceName());
    assertEquals(
        "backend 'reference' has one device, 0, but was asked for 1",
        assertThrows(BackendException.class, () -> provider.open(1)).getMessage());
  }

  private Storage f64(double... values) {
    return Host.store(b, DType.F64, values);
  }

  private double[] read(Storage s) {
    return Host.read(b, s);
  }
}
