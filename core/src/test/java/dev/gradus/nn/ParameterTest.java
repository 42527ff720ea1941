package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import org.junit.jupiter.api.Test;

final class ParameterTest extends Fixture {

  @Test
  void itCopiesItsValuesAndOutlivesTheScope() {
    Parameter p;
    try (Scope inner = Scope.open()) {
      Tensor values = device.ones(2);
      p = new Parameter(values);
      values.copyFrom(device.zeros(2));
      assertTrue(inner.size() > 0);
    }
    assertArrayEquals(new float[] {1, 1}, p.toFloatArray());
    assertTrue(p.requiresGrad() && p.isLeaf());
  }

  @Test
  void itIsWrittenByAssignAndBackwardNoticesIt() {
    Parameter p = new Parameter(device.ones(2));
    Tensor loss = p.mul(p).sum();
    p.assign(device.zeros(2));
    assertArrayEquals(new float[] {0, 0}, p.toFloatArray());
    refuses(
        IllegalStateException.class,
        "backward: 'Mul' needs a tensor [2] that was changed in place after it was used;"
            + " change it after backward, or use a copy()",
        loss::backward);
  }

  @Test
  void afterAMoveAnEarlierBackwardIsRefused() {
    Linear linear = new Linear(device, 2, 1);
    Tensor loss = linear.forward(device.ones(1, 2).requiresGrad(true)).sum();
    linear.to(DType.F64);
    refuses(
        IllegalStateException.class,
        "backward: 'Addmm' was computed from a tensor [1, 2] of float32 on "
            + device.name()
            + " that is [1, 2] of float64 on "
            + device.name()
            + " now; move or convert a module before the forward pass, or run it"
            + " again",
        loss::backward);
  }

  @Test
  void onlyFloatingValuesAreTrained() {
    refuses(
        "requiresGrad: a tensor of int64 has no gradient; only float32 and float64 have one",
        () -> new Parameter(ids(1)));
  }

  @Test
  void itPrintsAsPyTorchPrintsIt() {
    assertEquals(
        "Parameter containing:\ntensor([1., 1.]" + printed(", requires_grad=True") + ")",
        new Parameter(device.ones(2)).toString());
    assertEquals(
        "Parameter containing:\ntensor([1., 1.]" + printed("") + ")",
        new Parameter(device.ones(2)).requiresGrad(false).toString());
  }
}
