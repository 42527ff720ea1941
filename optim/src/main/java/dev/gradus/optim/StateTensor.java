package dev.gradus.optim;

import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Tensor;

/** A buffer of an optimizer: it lives as long as it is referenced, whatever scope is open. */
final class StateTensor extends Tensor {
  private StateTensor(Tensor values) {
    super(values);
  }

  /** Zeros of a parameter's shape, type and device. */
  static StateTensor zerosLike(Parameter p) {
    try (Tensor zeros = p.device().zeros(p.dtype(), p.shape().toArray())) {
      return new StateTensor(zeros);
    }
  }

  /** A copy of these values, of a parameter's type and on its device. */
  static StateTensor copyFor(Parameter p, Tensor values) {
    Tensor there = values.to(p.device());
    Tensor converted = there.to(p.dtype());
    try {
      return new StateTensor(converted);
    } finally {
      if (converted != there) {
        converted.close();
      }
      if (there != values) {
        there.close();
      }
    }
  }

  /** A copy of these values. */
  static StateTensor copyOf(Tensor values) {
    return new StateTensor(values);
  }

  boolean suits(Parameter p) {
    return device() == p.device() && dtype() == p.dtype();
  }
}
