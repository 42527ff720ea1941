package dev.gradus.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Literal answers of the operations on one operand and their gradients: PyTorch 2.13's in float64.
 */
final class ReferenceUnaryTest {
  private static final double[] ANY = {-2, -0.5, 0.3, 1.7};
  private static final double[] POSITIVE = {0.2, 0.5, 0.3, 1.7};
  private static final double[] GRAD = {1, 2, -1, 0.5};

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

  private Storage f64(double... values) {
    return Host.store(b, DType.F64, values);
  }

  private double[] read(Storage s) {
    return Host.read(b, s);
  }
}
