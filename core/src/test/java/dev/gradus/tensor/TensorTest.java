package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The text of a tensor; the figures are those of PyTorch 2.13, its format has a test of its own.
 */
class TensorTest {
  private Device cpu;

  @BeforeEach
  void open() {
    cpu = Device.over(new ReferenceBackend("cpu"));
  }

  @AfterEach
  void close() {
    cpu.close();
  }

  @Test
  void aFloat32TensorOnTheCpuIsPrintedPlain() {
    assertEquals(
        "tensor([[1.0000, 0.5000],\n        [2.0000, 3.0000]])",
        cpu.tensor(new float[] {1, 0.5f, 2, 3}, 2, 2).toString());
    assertEquals("tensor(0.1000)", cpu.scalar(0.1).toString());
    assertEquals("tensor([], size=(0, 3))", cpu.zeros(0, 3).toString());
  }

  @Test
  void itsTypeIsNamedWhereTheValuesDoNotShowIt() {
    assertEquals(
        "tensor([1.5000, 2.0000], dtype=torch.float64)",
        cpu.tensor(new double[] {1.5, 2}).toString());
    assertEquals("tensor([0, 1, 2])", cpu.arange(3).toString());
    assertEquals("tensor([ True, False])", cpu.tensor(new boolean[] {true, false}).toString());
  }

  @Test
  void aLeafThatRequiresAGradientSaysSo() {
    assertEquals(
        "tensor([1., 2.], requires_grad=True)",
        cpu.tensor(new float[] {1, 2}).requiresGrad(true).toString());
  }

  @Test
  void whatWasComputedNamesItsFunction() {
    Tensor x = cpu.tensor(new float[] {1, 2}).requiresGrad(true);
    Tensor w = cpu.ones(3, 2).requiresGrad(true);
    assertEquals("tensor([2., 4.], grad_fn=<MulBackward0>)", x.mul(2).toString());
    assertEquals("tensor([1., 4.], grad_fn=<MulBackward0>)", x.mul(x).toString());
    assertEquals("tensor([2., 3.], grad_fn=<AddBackward0>)", x.add(1).toString());
    assertEquals("tensor(3., grad_fn=<SumBackward0>)", x.sum().toString());
    assertEquals("tensor(1.5000, grad_fn=<DivBackward0>)", x.mean().toString());
    assertEquals("tensor([2., 4.])", x.mul(2).detach().toString());
    assertEquals(
        "tensor([[3., 3., 3.]], grad_fn=<MmBackward0>)",
        x.reshape(1, 2).matmul(w.transpose(0, 1)).toString());
    assertEquals(
        "tensor([3., 3., 3.], dtype=torch.float64, grad_fn=<ToCopyBackward0>)",
        x.linear(w).to(DType.F64).toString());
  }

  @Test
  void aLazyTransposeIsPrintedAsItReads() {
    assertEquals(
        "tensor([[1., 3.],\n        [2., 4.]])",
        cpu.tensor(new float[] {1, 2, 3, 4}, 2, 2).transpose(0, 1).toString());
  }

  @Test
  void anotherDeviceThanTheCpuIsNamed() {
    try (Device other = Device.over(new ReferenceBackend("cuda:0"))) {
      assertEquals("tensor([1., 1.], device='cuda:0')", other.ones(2).toString());
      assertEquals(
          "tensor([1., 1.], device='cuda:0', dtype=torch.float64, requires_grad=True)",
          other.ones(DType.F64, 2).requiresGrad(true).toString());
    }
  }

  @Test
  void whatIsGoneSaysSoAndDoesNotThrow() {
    Tensor x = cpu.ones(2, 3);
    Tensor y = cpu.ones(2);
    x.close();
    assertEquals("tensor(released, size=[2, 3])", x.toString());
    cpu.close();
    assertEquals("tensor(released, size=[2])", y.toString());
  }
}
