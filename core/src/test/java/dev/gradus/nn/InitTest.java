package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.nn.Init.Fan;
import dev.gradus.nn.Init.Nonlinearity;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.TensorAssert;
import dev.gradus.types.DType;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The numbers are those of PyTorch 2.13 for a float32 tensor [2, 3, 2] and seed 3. */
final class InitTest extends Fixture {

  private void fills(float[] expected, Consumer<Tensor> init) {
    Tensor t = device.zeros(2, 3, 2);
    device.manualSeed(3);
    init.accept(t);
    TensorAssert.assertBits(expected, t.toFloatArray());
  }

  @Test
  void uniformAndNormal() {
    fills(
        new float[] {
          -0.98720944f,
          -0.6832919f,
          -0.14247257f,
          -0.9191355f,
          0.41484308f,
          -0.8196511f,
          1.3155975f,
          1.2310982f,
          0.7832636f,
          1.6635699f,
          0.35309398f,
          1.3984718f
        },
        t -> Init.uniform(t, -1, 2));
    fills(
        new float[] {
          1.401638f,
          1.0874166f,
          1.044489f,
          0.693141f,
          1.0230912f,
          0.3158704f,
          1.1687475f,
          1.5055579f,
          0.28241032f,
          1.4887159f,
          1.261025f,
          1.6189584f
        },
        t -> Init.normal(t, 1, 0.5));
  }

  @Test
  void kaiming() {
    fills(
        new float[] {
          -0.99147296f,
          -0.7888613f,
          -0.42831504f,
          -0.94609034f,
          -0.05677128f,
          -0.8797674f,
          0.5437317f,
          0.48739874f,
          0.18884242f,
          0.7757133f,
          -0.097937346f,
          0.59898126f
        },
        Init::kaimingUniform);
    fills(
        new float[] {
          -1.1907204f,
          -0.9473917f,
          -0.5143897f,
          -1.1362177f,
          -0.0681801f,
          -1.0565665f,
          0.6530006f,
          0.58534694f,
          0.2267924f,
          0.9316015f,
          -0.11761894f,
          0.7193532f
        },
        t -> Init.kaimingUniform(t, Nonlinearity.leakyRelu(0.2), Fan.OUT));
    fills(
        new float[] {
          0.54656017f,
          0.118959054f,
          0.060541924f,
          -0.4175822f,
          0.031423178f,
          -0.9309825f,
          0.22963633f,
          0.6879772f,
          -0.9765158f,
          0.6650581f,
          0.35521f,
          0.84229565f
        },
        t -> Init.kaimingNormal(t, Nonlinearity.TANH, Fan.IN));
  }

  @Test
  void xavier() {
    fills(
        new float[] {
          -0.76799166f,
          -0.61104935f,
          -0.3317714f,
          -0.73283845f,
          -0.043974843f,
          -0.6814649f,
          0.42117277f,
          0.37753746f,
          0.14627671f,
          0.60086495f,
          -0.075861946f,
          0.4639689f
        },
        Init::xavierUniform);
    fills(
        new float[] {
          0.59872663f,
          0.13031311f,
          0.06632036f,
          -0.4574384f,
          0.034422368f,
          -1.0198401f,
          0.25155398f,
          0.75364125f,
          -1.0697196f,
          0.72853464f,
          0.38911304f,
          0.9226886f
        },
        t -> Init.xavierNormal(t, Nonlinearity.TANH));
  }

  @Test
  void kaimingNormalIsByDefaultForRelu() {
    Tensor a = device.zeros(4, 9);
    Tensor b = device.zeros(4, 9);
    device.manualSeed(1);
    Init.kaimingNormal(a);
    device.manualSeed(1);
    Init.normal(b, 0, Math.sqrt(2) / 3);
    TensorAssert.assertBits(b.toFloatArray(), a.toFloatArray());
  }

  @Test
  void xavierNormalHasByDefaultGainOne() {
    Tensor a = device.zeros(3, 5);
    Tensor b = device.zeros(3, 5);
    device.manualSeed(1);
    Init.xavierNormal(a);
    device.manualSeed(1);
    Init.normal(b, 0, 0.5);
    TensorAssert.assertBits(b.toFloatArray(), a.toFloatArray());
  }

  @Test
  void gainsAreThoseOfTheNonlinearities() {
    assertEquals(1, Nonlinearity.LINEAR.gain());
    assertEquals(1, Nonlinearity.SIGMOID.gain());
    assertEquals(5.0 / 3, Nonlinearity.TANH.gain());
    assertEquals(Math.sqrt(2), Nonlinearity.RELU.gain());
    assertEquals(0.75, Nonlinearity.SELU.gain());
    assertEquals(Math.sqrt(2 / 1.0001), Nonlinearity.leakyRelu(0.01).gain());
  }

  @Test
  void constantsFillParametersAndOtherTypes() {
    Parameter p = new Parameter(device.rand(3));
    Init.ones(p);
    assertArrayEquals(new float[] {1, 1, 1}, p.toFloatArray());
    Init.zeros(p);
    assertArrayEquals(new float[] {0, 0, 0}, p.toFloatArray());
    Tensor t = device.zeros(DType.I64, 2);
    Init.constant(t, 7);
    assertArrayEquals(new long[] {7, 7}, t.toLongArray());
  }

  @Test
  void float64TensorsTakeFloat64Draws() {
    Tensor t = device.zeros(DType.F64, 4);
    device.manualSeed(2);
    Init.uniform(t, -1, 1);
    device.manualSeed(2);
    Tensor u = device.uniform(DType.F64, -1, 1, 4);
    TensorAssert.assertBits(u.toDoubleArray(), t.toDoubleArray());
  }

  @Test
  void anEmptyTensorTakesNothingFromTheStream() {
    device.manualSeed(5);
    Init.kaimingUniform(device.zeros(3, 0));
    Init.kaimingNormal(device.zeros(3, 0));
    Init.xavierUniform(device.zeros(0, 0));
    Init.xavierNormal(device.zeros(0, 0));
    float first = device.rand(1).toFloatArray()[0];
    device.manualSeed(5);
    assertEquals(device.rand(1).toFloatArray()[0], first);
  }

  @Test
  void fansNeedTwoDimensions() {
    Tensor t = device.zeros(3);
    String rest = ": the tensor is [3]; fan in and fan out need at least two dimensions";
    refuses("Init.kaimingUniform" + rest, () -> Init.kaimingUniform(t));
    refuses("Init.kaimingNormal" + rest, () -> Init.kaimingNormal(t));
    refuses("Init.xavierUniform" + rest, () -> Init.xavierUniform(t));
    refuses("Init.xavierNormal" + rest, () -> Init.xavierNormal(t));
  }

  @Test
  void randomValuesNeedAFloatingType() {
    Tensor t = device.zeros(DType.I64, 3);
    String rest = ": the tensor is int64; random values are float32 or float64";
    refuses(
        UnsupportedOperationException.class, "Init.uniform" + rest, () -> Init.uniform(t, 0, 1));
    refuses(UnsupportedOperationException.class, "Init.normal" + rest, () -> Init.normal(t, 0, 1));
  }
}
