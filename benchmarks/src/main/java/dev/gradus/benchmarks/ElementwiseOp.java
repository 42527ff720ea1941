package dev.gradus.benchmarks;

import dev.gradus.tensor.Tensor;

/** Elementwise operations, each with its value in double. */
public enum ElementwiseOp {
  /** x + y. */
  ADD,
  /** x y. */
  MUL,
  /** e^x. */
  EXP,
  /** The hyperbolic tangent. */
  TANH,
  /** 1 / (1 + e^-x). */
  SIGMOID,
  /** ln |x|, the operand made positive beforehand. */
  LOG,
  /** x Phi(x), exact. */
  GELU,
  /** max(x, 0). */
  RELU;

  /** The operand: of both signs, or of one where the function needs it. */
  float[] operand(int n) {
    return Numbers.uniform(n, 1, this == LOG ? 0 : -3, 3);
  }

  Tensor apply(Tensor x, Tensor y) {
    return switch (this) {
      case ADD -> x.add(y);
      case MUL -> x.mul(y);
      case EXP -> x.exp();
      case TANH -> x.tanh();
      case SIGMOID -> x.sigmoid();
      case LOG -> x.log();
      case GELU -> x.gelu();
      case RELU -> x.relu();
    };
  }

  double value(double x, double y) {
    return switch (this) {
      case ADD -> x + y;
      case MUL -> x * y;
      case EXP -> Math.exp(x);
      case TANH -> Math.tanh(x);
      case SIGMOID -> 1 / (1 + Math.exp(-x));
      case LOG -> Math.log(x);
      case GELU -> x * phi(x);
      case RELU -> Math.max(x, 0);
    };
  }

  /** The derivative for x. */
  double slope(double x, double y) {
    return switch (this) {
      case ADD -> 1;
      case MUL -> y;
      case EXP -> Math.exp(x);
      case TANH -> 1 - Math.tanh(x) * Math.tanh(x);
      case SIGMOID -> value(x, y) * (1 - value(x, y));
      case LOG -> 1 / x;
      case GELU -> phi(x) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
      case RELU -> x > 0 ? 1 : 0;
    };
  }

  /** The normal distribution by its series: phi(x) (x + x^3/3 + x^5/15 + …) + 1/2. */
  private static double phi(double x) {
    double term = x;
    double sum = x;
    for (int i = 3; i < 100; i += 2) {
      term *= x * x / i;
      sum += term;
    }
    return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }
}
