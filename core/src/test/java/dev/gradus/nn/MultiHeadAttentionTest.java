package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.gradus.tensor.Tensor;
import dev.gradus.testing.TensorAssert;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The numbers are those of PyTorch 2.13's MultiheadAttention(4, 2, batch_first=True), seed 7. */
final class MultiHeadAttentionTest extends Fixture {
  private static final MultiHeadAttention.Options PLAIN = MultiHeadAttention.Options.defaults();

  /** Values below 1 in sums of a few products: some units of 2^-24 for another order. */
  private static final double ROUNDING = 3e-7;

  private MultiHeadAttention attention(MultiHeadAttention.Options options) {
    device.manualSeed(7);
    return new MultiHeadAttention(device, 4, 2, options);
  }

  private Tensor input() {
    float[] x = new float[12];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) Math.sin(i);
    }
    return device.tensor(x, 1, 3, 4);
  }

  @Test
  void initialValuesAreThoseOfPyTorch() {
    NamedParameters all = attention(PLAIN).namedParameters();
    TensorAssert.assertBits(
        new float[] {
          0.46892738f,
          -0.106341265f,
          0.3149976f,
          0.23863852f,
          0.025633974f,
          0.11418444f,
          0.46504077f,
          0.15748884f,
          0.3248926f,
          -0.47370613f,
          0.43593925f,
          0.2107597f,
          0.15511465f,
          0.084596395f,
          0.29851043f,
          0.56242317f,
          -0.1362627f,
          -0.34115705f,
          -0.15407038f,
          -0.37323105f,
          0.29458055f,
          -0.30265906f,
          -0.32682258f,
          0.5283718f,
          0.5603675f,
          0.07043152f,
          -0.10604007f,
          -0.07904799f,
          0.29009604f,
          -0.57182056f,
          -0.50045794f,
          0.48916802f,
          0.6045587f,
          -0.03639023f,
          -0.48386765f,
          0.01673193f,
          -0.2848876f,
          -0.0011772788f,
          0.29973415f,
          0.27108175f,
          -0.07180985f,
          0.06741967f,
          0.16664879f,
          -0.4799919f,
          -0.20761834f,
          0.023976572f,
          -0.34942538f,
          -0.26744407f
        },
        all.get("inProj.weight").toFloatArray());
    TensorAssert.assertBits(
        new float[] {
          0.03492254f,
          -0.3011968f,
          0.1592117f,
          0.15689027f,
          -0.26723844f,
          -0.074938595f,
          -0.29291397f,
          0.12973636f,
          -0.13468385f,
          0.35126835f,
          0.35494316f,
          0.05093521f,
          -0.21316099f,
          -0.2936806f,
          -0.054909825f,
          -0.14071405f
        },
        all.get("outProj.weight").toFloatArray());
    assertArrayEquals(new float[12], all.get("inProj.bias").toFloatArray());
    assertArrayEquals(new float[4], all.get("outProj.bias").toFloatArray());
  }

  @Test
  void resultsAreThoseOfPyTorch() {
    TensorAssert.assertClose(
        new float[] {
          0.008912836f,
          -0.0012346916f,
          -0.012446402f,
          -0.0032042207f,
          0.018344775f,
          -0.01607099f,
          0.0073970165f,
          0.00024389662f,
          0.014506159f,
          -0.032005597f,
          0.0005024485f,
          0.010209484f
        },
        attention(PLAIN).forward(input()).toFloatArray(),
        ROUNDING,
        0);
    TensorAssert.assertClose(
        new float[] {
          -0.13989764f,
          0.0172517f,
          0.20469262f,
          0.0482894f,
          -0.14731619f,
          0.096053705f,
          0.11107838f,
          0.016069725f,
          0.014506159f,
          -0.032005593f,
          0.00050246157f,
          0.010209486f
        },
        attention(PLAIN.withMask(AttentionMask.CAUSAL)).forward(input()).toFloatArray(),
        ROUNDING,
        0);
  }

  @Test
  void dropoutWorksInTrainingOnly() {
    MultiHeadAttention with = attention(PLAIN.withDropout(0.5));
    float[] plain = attention(PLAIN).forward(input()).toFloatArray();
    assertFalse(Arrays.equals(plain, with.forward(input()).toFloatArray()));
    with.eval();
    assertArrayEquals(plain, with.forward(input()).toFloatArray());
  }

  @Test
  void aCausalPositionDoesNotSeeLaterOnes() {
    MultiHeadAttention a = attention(PLAIN.withMask(AttentionMask.CAUSAL));
    Tensor x = input();
    Tensor changed = Tensor.concat(List.of(x.narrow(1, 0, 2), x.narrow(1, 2, 1).mul(3)), 1);
    assertArrayEquals(
        a.forward(x).narrow(1, 0, 2).toFloatArray(),
        a.forward(changed).narrow(1, 0, 2).toFloatArray());
  }

  @Test
  void wrongArgumentsAreRefused() {
    String rest = "; both must be at least 1 and dim a multiple of heads";
    refuses(
        "MultiHeadAttention: dim is 5 and heads is 2" + rest,
        () -> new MultiHeadAttention(device, 5, 2));
    refuses(
        "MultiHeadAttention: dim is 4 and heads is 0" + rest,
        () -> new MultiHeadAttention(device, 4, 0));
    refuses(
        "MultiHeadAttention dropout must be in [0, 1] but is 1.5", () -> PLAIN.withDropout(1.5));
    refuses(
        "MultiHeadAttention: the input is [3, 4]; it must be [batch, time, 4]",
        () -> attention(PLAIN).forward(device.zeros(3, 4)));
  }
}
