package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CustomFunctionTest {
  private Device device;
  private Scope scope;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
    device.close();
  }

  /** The cube; as in the Javadoc of {@link CustomFunction}. */
  static final class Cube extends CustomFunction {
    @Override
    protected Tensor forward(Context context, List<Tensor> inputs) {
      Tensor x = inputs.get(0);
      context.save(x);
      return x.mul(x).mul(x);
    }

    @Override
    protected List<Tensor> backward(Context context, Tensor grad) {
      Tensor x = context.saved(0);
      return List.of(x.mul(x).mul(3).mul(grad));
    }
  }

  /** Twice the first input; what backward returns is the test's choice. */
  static final class Twice extends CustomFunction {
    private final BiFunction<Context, Tensor, List<Tensor>> backward;

    Twice(BiFunction<Context, Tensor, List<Tensor>> backward) {
      this.backward = backward;
    }

    @Override
    protected Tensor forward(Context context, List<Tensor> inputs) {
      context.save(inputs.get(0));
      return inputs.get(0).mul(2);
    }

    @Override
    protected List<Tensor> backward(Context context, Tensor grad) {
      return backward.apply(context, grad);
    }
  }

  /** Returns what the test says. */
  static final class Returns extends CustomFunction {
    private final java.util.function.Function<Tensor, Tensor> forward;

    Returns(java.util.function.Function<Tensor, Tensor> forward) {
      this.forward = forward;
    }

    @Override
    protected Tensor forward(Context context, List<Tensor> inputs) {
      return forward.apply(inputs.get(0));
    }

    @Override
    protected List<Tensor> backward(Context context, Tensor grad) {
      return List.of(grad);
    }
  }

  private Tensor leaf(double... values) {
    return device.tensor(values).requiresGrad(true);
  }

  private static void refused(String text, Runnable r) {
    Exception e = assertThrows(RuntimeException.class, r::run);
    assertEquals(text, e.getMessage());
  }

  @Test
  void itIsAnOperationLikeAnyOther() {
    Tensor x = leaf(1, -2, 3);
    Tensor y = new Cube().apply(x.mul(1)).mul(10).add(x);
    y.sum().backward();
    assertArrayEquals(new double[] {11, -82, 273}, y.toDoubleArray());
    assertArrayEquals(new double[] {31, 121, 271}, x.grad().toDoubleArray());
    assertTrue(new Cube().apply(x).toString().endsWith("grad_fn=<CubeBackward0>)"));
    assertFalse(new Cube().apply(x.detach()).requiresGrad());
  }

  @Test
  void gradCheckAcceptsItAtOddSizes() {
    GradCheck.check("cube", in -> new Cube().apply(in.get(0)), leaf(0.3, -1.2, 2, 0.9, -0.4));
  }

  @Test
  @SuppressWarnings("try") // the block is open for its effect
  void underNoGradNothingIsRecorded() {
    try (NoGrad off = NoGrad.open()) {
      assertFalse(new Cube().apply(leaf(2)).requiresGrad());
    }
  }

  @Test
  void whatTheTwoMethodsComputeIsNotRecordedAndTheTemporariesOfBackwardDie() {
    Tensor x = leaf(1, 2);
    Tensor[] seen = new Tensor[1];
    Tensor y =
        new Twice(
                (context, grad) -> {
                  assertFalse(NoGrad.isRecording());
                  seen[0] = grad.mul(2);
                  assertFalse(context.saved(0).mul(1).requiresGrad());
                  return List.of(seen[0]);
                })
            .apply(x);
    y.sum().backward();
    assertArrayEquals(new double[] {2, 2}, x.grad().toDoubleArray());
    assertThrows(IllegalStateException.class, () -> seen[0].toDoubleArray());
  }

  @Test
  void gradCheckNamesTheElementOfAWrongGradient() {
    Tensor x = device.tensor(new double[] {1, 2, 3, 4, 5, 6}, 2, 3).requiresGrad(true);
    Twice wrong =
        new Twice(
            (context, grad) -> {
              Tensor plant = device.tensor(new double[] {2, 2, 2, 2, 2, 2.5}, 2, 3);
              return List.of(grad.mul(plant));
            });
    AssertionError e =
        assertThrows(
            AssertionError.class, () -> GradCheck.check("twice", in -> wrong.apply(in.get(0)), x));
    String text = e.getMessage();
    assertTrue(
        text.startsWith("GradCheck: 'twice': the gradient of input 0 [2, 3] at [1, 2] is "), text);
    assertTrue(text.contains(" but differences give "), text);
    assertArrayEquals(new double[] {1, 2, 3, 4, 5, 6}, x.toDoubleArray(), "x is put back");
  }

  @Test
  void gradCheckRefusesWhatItCannotCheck() {
    refused(
        "GradCheck: 'f' is given no input that requires a gradient; call requiresGrad(true) on one",
        () -> GradCheck.check("f", in -> in.get(0), device.tensor(new double[1])));
    refused(
        "GradCheck: 'f' is given a float32 input that requires a gradient; differences need"
            + " float64",
        () -> GradCheck.check("f", in -> in.get(0), device.zeros(2).requiresGrad(true)));
  }

  @Test
  void noInputIsRefused() {
    refused("Cube: apply needs at least one tensor", () -> new Cube().apply());
  }

  @Test
  void aWrongNumberOfGradientsIsRefused() {
    Tensor y = new Twice((c, g) -> List.of(g, g)).apply(leaf(1, 2)).sum();
    refused("Twice: backward returned 2 gradients for 1 inputs; return one for each", y::backward);
  }

  @Test
  void aGradientOfWrongShapeOrTypeIsRefused() {
    Tensor y = new Twice((c, g) -> List.of(g.sum())).apply(leaf(1, 2)).sum();
    refused(
        "Twice: backward returned a gradient [] of float64 for input 0, which is [2] of float64;"
            + " they must agree",
        y::backward);
    Tensor z = new Twice((c, g) -> List.of(g.to(DType.F32))).apply(leaf(1, 2)).sum();
    refused(
        "Twice: backward returned a gradient [2] of float32 for input 0, which is [2] of float64;"
            + " they must agree",
        z::backward);
  }

  @Test
  void aGradientOnAnotherDeviceIsRefused() {
    try (Device other = Device.over(new ReferenceBackend("other"))) {
      Tensor y = new Twice((c, g) -> List.of(g.to(other))).apply(leaf(1, 2)).sum();
      refused("Twice: operands are on reference and other; move one with to(device)", y::backward);
    }
  }

  @Test
  void anInputThatRequiresNoGradientMayGetAnything() {
    Tensor x = device.tensor(new double[] {1, 2});
    Tensor w = leaf(1, 2);
    CustomFunction f = new Twice((c, g) -> List.of(g.sum(), g));
    f.apply(x, w).sum().backward();
    assertArrayEquals(new double[] {1, 1}, w.grad().toDoubleArray());
    assertFalse(x.hasGrad());
  }

  @Test
  void returningAnInputOrAViewOfOneIsRefused() {
    String text =
        "Returns: forward returned an input, a view of one, or a tensor that requires a gradient;"
            + " return a tensor of its own, such as a copy()";
    Tensor other = leaf(3, 4);
    refused(text, () -> new Returns(x -> x).apply(leaf(1, 2)));
    refused(text, () -> new Returns(x -> x.reshape(2, 1)).apply(leaf(1, 2)));
    refused(text, () -> new Returns(x -> other).apply(leaf(1, 2)));
    new Returns(Tensor::copy).apply(leaf(1, 2));
  }

  @Test
  void nothingReturnedIsRefused() {
    refused(
        "Returns: forward returned null; return a tensor of its own",
        () -> new Returns(x -> null).apply(leaf(1, 2)));
    refused(
        "Twice: backward returned null; return a list of one gradient for each input",
        new Twice((c, g) -> null).apply(leaf(1, 2)).sum()::backward);
    refused(
        "Twice: backward returned null for input 0, which requires a gradient; return its gradient,"
            + " zeros if it has none",
        new Twice((c, g) -> Arrays.asList((Tensor) null)).apply(leaf(1, 2)).sum()::backward);
    Tensor w = leaf(1, 2);
    Tensor constant = device.tensor(new double[] {1, 2});
    new Twice((c, g) -> Arrays.asList(g, null)).apply(w, constant).sum().backward();
    assertArrayEquals(new double[] {1, 1}, w.grad().toDoubleArray());
  }

  @Test
  void aResultOfWholeNumbersCarriesNoGradient() {
    Tensor ids = new Returns(x -> x.to(DType.I64)).apply(leaf(1, 2));
    assertFalse(ids.requiresGrad());
    assertTrue(ids.isLeaf());
  }

  @Test
  void whatWasSavedIsLetGoAfterBackward() {
    CustomFunction.Context[] context = new CustomFunction.Context[1];
    Tensor y =
        new Twice(
                (c, g) -> {
                  context[0] = c;
                  return List.of(g.mul(2));
                })
            .apply(leaf(1, 2))
            .sum();
    y.backward();
    refused(
        "Twice: backward asked for saved tensor 0 but forward saved 0", () -> context[0].saved(0));
  }

  @Test
  void aBackwardThatFailsLeavesNoTemporariesBehind() {
    Tensor x = leaf(1, 2, 3);
    Tensor h = x.mul(x);
    Tensor failing =
        new Twice(
                (c, g) -> {
                  throw new IllegalStateException("planted");
                })
            .apply(h);
    Tensor y = failing.exp().sum();
    long before = device.bytesInUse();
    refused("planted", y::backward);
    assertEquals(before, device.bytesInUse());
    assertFalse(x.hasGrad());
  }

  @Test
  void operandsOnTwoDevicesAreRefused() {
    try (Device other = Device.over(new ReferenceBackend("other"))) {
      refused(
          "Cube: operands are on reference and other; move one with to(device)",
          () -> new Cube().apply(leaf(1), other.scalar(1)));
    }
  }

  @Test
  void aSavedTensorChangedInPlaceIsRefused() {
    Tensor x = leaf(1, 2);
    Tensor c = x.mul(1);
    Tensor y = new Cube().apply(c).sum();
    c.detach().copyFrom(device.tensor(new double[] {5, 5}));
    refused(
        "backward: 'Cube' needs a tensor [2] that was changed in place after it was used; change it"
            + " after backward, or use a copy()",
        y::backward);
    assertFalse(x.hasGrad());
  }

  @Test
  void aSavedTensorThatIsNotThereIsRefused() {
    Tensor y = new Twice((c, g) -> List.of(c.saved(1))).apply(leaf(1)).sum();
    refused("Twice: backward asked for saved tensor 1 but forward saved 1", y::backward);
  }

  @Test
  void aClassWithoutANameIsACustomFunction() {
    CustomFunction f =
        new CustomFunction() {
          @Override
          protected Tensor forward(Context context, List<Tensor> inputs) {
            return inputs.get(0).copy();
          }

          @Override
          protected List<Tensor> backward(Context context, Tensor grad) {
            return List.of();
          }
        };
    refused(
        "CustomFunction: backward returned 0 gradients for 1 inputs; return one for each",
        f.apply(leaf(1)).sum()::backward);
  }

  @Test
  void gradCheckLeavesItsInputAsItWasWhenTheFunctionThrows() {
    Tensor x = device.tensor(new double[] {1, 2}).requiresGrad(true);
    int[] calls = {0};
    assertThrows(
        ArithmeticException.class,
        () ->
            GradCheck.check(
                "failing",
                in -> {
                  if (++calls[0] == 3) {
                    throw new ArithmeticException("at the third call");
                  }
                  return in.get(0).mul(2);
                },
                x));
    assertArrayEquals(new double[] {1, 2}, x.toDoubleArray());
  }
}
