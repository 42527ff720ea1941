package dev.gradus.tensor;

import dev.gradus.types.DType;
import java.util.Arrays;
import java.util.List;

/**
 * Compares gradients with central differences: {@code (f(x + h) - f(x - h)) / 2h} for every element
 * of every input, in float64.
 *
 * <p>The function is given its inputs and returns any tensor; what is checked is the sum of its
 * elements, each weighted differently, so that errors cannot cancel.
 */
public final class GradCheck {
  /** The step of the differences. */
  private static final double STEP = 1e-6;

  /**
   * The differences' own error: truncation {@code h^2 f'''/6} and rounding {@code 2^-53 f/h}, with
   * room for third derivatives of some thousands.
   */
  private static final double ABSOLUTE = 1e-7;

  /**
   * The same error where values are large: rounding grows with {@code f}, truncation with its third
   * derivative, and both mostly with the gradient itself. A wrong factor is off by far more.
   */
  private static final double RELATIVE = 1e-5;

  private GradCheck() {}

  /** What is checked: a differentiable function of tensors. */
  @FunctionalInterface
  public interface Differentiable {
    /**
     * Computes the result from the inputs; called many times, so it must not draw random numbers.
     */
    Tensor apply(List<Tensor> inputs);
  }

  /**
   * Checks the gradients of a function at a point.
   *
   * @param what the name for the message
   * @param function the function
   * @param inputs float64 tensors; those that require gradients are checked
   * @throws AssertionError if a gradient differs: it names the input, the element and both values
   * @throws IllegalArgumentException if no input requires a gradient, or one that does is not
   *     float64
   */
  @SuppressWarnings("try") // the scope is open for its effect
  public static void check(String what, Differentiable function, Tensor... inputs) {
    List<Tensor> points = List.of(inputs);
    boolean any = false;
    for (Tensor x : points) {
      any |= x.requiresGrad();
      if (x.requiresGrad() && x.dtype() != DType.F64) {
        throw new IllegalArgumentException(
            "GradCheck: '"
                + what
                + "' is given a "
                + x.dtype().label()
                + " input that requires a gradient; differences need float64");
      }
    }
    if (!any) {
      throw new IllegalArgumentException(
          "GradCheck: '"
              + what
              + "' is given no input that requires a gradient; call requiresGrad(true) on one");
    }
    try (Scope scope = Scope.open()) {
      for (Tensor x : points) {
        x.zeroGrad();
      }
      Tensor out = function.apply(points);
      out.backward(weights(out));
    }
    for (int i = 0; i < points.size(); i++) {
      if (points.get(i).requiresGrad()) {
        checkInput(what, function, points, i);
      }
    }
  }

  private static void checkInput(String what, Differentiable function, List<Tensor> inputs, int i) {
    Tensor x = inputs.get(i);
    double[] values = x.toDoubleArray();
    double[] grads = x.hasGrad() ? x.grad().toDoubleArray() : new double[values.length];
    for (int j = 0; j < values.length; j++) {
      double expected = difference(function, inputs, x, values, j);
      if (!(Math.abs(expected - grads[j]) <= ABSOLUTE + RELATIVE * Math.abs(expected))) {
        throw new AssertionError(
            "GradCheck: '"
                + what
                + "': the gradient of input "
                + i
                + " "
                + x.shape()
                + " at "
                + Arrays.toString(x.shape().position(j))
                + " is "
                + grads[j]
                + " but differences give "
                + expected);
      }
    }
  }

  /** The central difference along element j; the input is as it was afterwards, come what may. */
  private static double difference(
      Differentiable function, List<Tensor> inputs, Tensor x, double[] values, int j) {
    double at = values[j];
    try {
      double up = valueAt(function, inputs, x, values, j, at + STEP);
      double down = valueAt(function, inputs, x, values, j, at - STEP);
      return (up - down) / (2 * STEP);
    } finally {
      values[j] = at;
      write(x, values);
    }
  }

  @SuppressWarnings("try") // the blocks are open for their effect
  private static double valueAt(
      Differentiable function,
      List<Tensor> inputs,
      Tensor x,
      double[] values,
      int j,
      double value) {
    values[j] = value;
    write(x, values);
    try (NoGrad off = NoGrad.open();
        Scope scope = Scope.open()) {
      Tensor out = function.apply(inputs);
      return out.mul(weights(out)).sum().item();
    }
  }

  @SuppressWarnings("try") // the blocks are open for their effect
  private static void write(Tensor x, double[] values) {
    try (NoGrad off = NoGrad.open();
        Scope scope = Scope.open()) {
      x.copyFrom(x.device().tensor(values, x.shape()));
    }
  }

  /**
   * Weights in [0.5, 1.5) that are all different: the fractional parts of multiples of the golden
   * ratio.
   */
  static Tensor weights(Tensor out) {
    double[] w = new double[Math.toIntExact(out.numel())];
    for (int i = 0; i < w.length; i++) {
      double turn = (i + 1) * 0.6180339887498949;
      w[i] = 0.5 + turn - Math.floor(turn);
    }
    return out.device().tensor(w, out.shape());
  }
}
