package dev.gradus.optim;

import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Tensor;

/**
 * Values that are kept for a model: they live as long as they are referenced, whatever scope is
 * open.
 */
final class StateTensor extends Tensor {
  private StateTensor(Tensor values) {
    super(values);
  }

  /** A buffer at its start, of a parameter's type and on its device. */
  static StateTensor of(Parameter p, UpdateRule.Start start) {
    try (Tensor t = p.device().full(p.dtype(), start.value(), start.shape().toArray())) {
      return new StateTensor(t);
    }
  }

  /** A copy of these values, of another tensor's type and on its device. */
  static StateTensor copyFor(Tensor p, Tensor values) {
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

  /** A buffer of a state, on a tensor's device. */
  static StateTensor reading(Tensor p, StateBuffer values) {
    StateTensor buffer;
    try (Tensor zeros = p.device().zeros(values.dtype(), values.shape().toArray())) {
      buffer = new StateTensor(zeros);
    }
    values.copyInto(buffer);
    return buffer;
  }

  /** A copy of these values. */
  static StateTensor copyOf(Tensor values) {
    return new StateTensor(values);
  }

  boolean suits(Tensor p) {
    return device() == p.device() && dtype() == p.dtype();
  }
}
