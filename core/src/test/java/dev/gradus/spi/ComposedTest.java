package dev.gradus.spi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.testing.ReferenceBackend;
import dev.gradus.testing.TensorAssert;
import dev.gradus.types.DType;
import java.nio.DoubleBuffer;
import java.nio.LongBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The definitions of the fused operations against PyTorch 2.13's figures in float64. */
final class ComposedTest {
  private static final double[] X = {1, 2, 4, -1, 0.5, 3};
  private static final double[] GRAD = {1, -2, 0.5, 3, 1, 2};
  private static final double ROUNDING = 1e-14; // some fifty roundings of values near 1

  private final ReferenceBackend b = new ReferenceBackend("ref");

  @AfterEach
  void close() {
    b.close();
  }

  private Storage f64(double... values) {
    Storage s = b.allocate(DType.F64, values.length);
    b.upload(DoubleBuffer.wrap(values), s);
    return s;
  }

  private double[] read(Storage s) {
    double[] values = new double[(int) s.numel()];
    b.download(s, DoubleBuffer.wrap(values));
    return values;
  }

  private void assertHolds(Storage s, double... want) {
    TensorAssert.assertClose(want, read(s), ROUNDING, ROUNDING);
  }

  @Test
  void softmaxAndItsGradient() {
    Storage y = b.allocate(DType.F64, 6);
    Storage g = b.allocate(DType.F64, 6);
    b.softmax(false, f64(X), y, 2, 3);
    assertHolds(
        y,
        0.04201006613406605,
        0.11419519938459449,
        0.8437947344813395,
        0.016644518609272352,
        0.07459555713221444,
        0.9087599242585133);
    b.softmaxGrad(false, f64(GRAD), y, g, 2, 3);
    assertHolds(
        g,
        0.0321159799345879,
        -0.25528531349443784,
        0.22316933355984994,
        0.01760908574839412,
        -0.07027266712720516,
        0.052663581378810984);
  }

  @Test
  void logSoftmaxAndItsGradient() {
    Storage y = b.allocate(DType.F64, 6);
    Storage g = b.allocate(DType.F64, 6);
    b.softmax(true, f64(X), y, 2, 3);
    assertHolds(
        y,
        -3.1698460195562856,
        -2.1698460195562856,
        -0.16984601955628567,
        -4.095674329414383,
        -2.5956743294143823,
        -0.09567432941438228);
    b.softmaxGrad(true, f64(GRAD), y, g, 2, 3);
    assertHolds(
        g,
        1.021005033067033,
        -1.9429024003077027,
        0.9218973672406697,
        2.900132888344366,
        0.5524266572067135,
        -3.45255954555108);
  }

  @Test
  void normalizationAndItsGradient() {
    Storage y = b.allocate(DType.F64, 6);
    Storage rstd = b.allocate(DType.F64, 2);
    Storage g = b.allocate(DType.F64, 6);
    b.normalize(f64(X), y, rstd, 2, 3, 1e-5);
    assertHolds(
        y,
        -1.0690415314502977,
        -0.26726038286257453,
        1.3363019143128718,
        -1.1111657580926075,
        -0.2020301378350195,
        1.3131958959276273);
    b.normalizeGrad(f64(GRAD), y, rstd, g, 2, 3);
    assertHolds(
        g,
        0.9735911492720329,
        -1.4603871534309036,
        0.4867960041588706,
        0.40199949337306196,
        -0.6431978535290581,
        0.24119836015599616);
  }

  @Test
  void classLossWithLabelSmoothing() {
    Storage logp = b.allocate(DType.F64, 6);
    b.softmax(true, f64(X), logp, 2, 3);
    Storage targets = b.allocate(DType.I64, 2);
    b.upload(LongBuffer.wrap(new long[] {2, 0}), targets);
    Storage loss = b.allocate(DType.F64, 2);
    b.nll(logp, targets, loss, 2, 3, 0.1, -100);
    assertHolds(loss, 0.3365126862229524, 3.912340996081049);
    Storage g = b.allocate(DType.F64, 6);
    b.nllGrad(f64(1, 2), targets, g, 2, 3, 0.1, -100);
    double miss = -0.1 / 3;
    double hit = -0.9 + miss;
    assertHolds(g, miss, miss, hit, 2 * hit, 2 * miss, 2 * miss);
    b.nllGrad(f64(1, 2), targets, g, 2, 3, 0.1, 0);
    assertHolds(g, miss, miss, hit, 0, 0, 0);
  }

  @Test
  void operandsAreLeftAsTheyWereAndTemporariesFreed() {
    Storage x = f64(X);
    Storage g = f64(GRAD);
    Storage out = b.allocate(DType.F64, 6);
    Storage rows = b.allocate(DType.F64, 2);
    Storage targets = b.allocate(DType.I64, 2);
    b.upload(LongBuffer.wrap(new long[] {2, 0}), targets);
    long before = b.live();
    for (boolean log : new boolean[] {false, true}) {
      b.softmax(log, x, out, 2, 3);
      b.softmaxGrad(log, g, x, out, 2, 3);
    }
    b.normalize(x, out, rows, 2, 3, 1e-5);
    b.normalizeGrad(g, x, rows, out, 2, 3);
    b.nll(x, targets, rows, 2, 3, 0.1, -100);
    b.fill(rows, 1);
    b.nllGrad(rows, targets, out, 2, 3, 0.1, 0);
    assertArrayEquals(X, read(x));
    assertArrayEquals(GRAD, read(g));
    assertArrayEquals(new double[] {1, 1}, read(rows));
    assertEquals(before, b.live());
  }
}
