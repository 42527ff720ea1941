package dev.gradus.optim;

import dev.gradus.nn.Parameter;
import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Profiler;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a group as one vector, in their order: reads and writes it, and computes with
 * vectors of its length. For the span of a step: it owns tensors of the scope that is open.
 */
final class ParameterSpace {
  private static final long[] UNIT = {1};

  private final String kind;
  private final List<Member> members;
  private final Device device;
  private final DType dtype;
  private final long numel;

  /* What products are computed in. */
  private final Tensor product;
  private final Tensor sum;
  private final Tensor norm;

  /**
   * A space.
   *
   * @param kind the optimizer, for messages
   * @param members at least one
   * @throws IllegalStateException if one was released, or they are not of one type on one device
   */
  ParameterSpace(String kind, List<Member> members) {
    this.kind = kind;
    this.members = members;
    Member first = members.get(0);
    this.device = first.parameter.device();
    this.dtype = first.parameter.dtype();
    long n = 0;
    for (Member m : members) {
      requireAlive(m);
      requireLike(first, m);
      n += m.parameter.numel();
    }
    this.numel = n;
    this.product = device.zeros(dtype, n);
    this.sum = device.zeros(dtype, 1);
    this.norm = device.zeros(DType.F64, 1);
  }

  private void requireAlive(Member m) {
    try {
      m.parameter.storage();
    } catch (IllegalStateException e) {
      throw refused(m, e);
    }
  }

  private IllegalStateException refused(Member m, IllegalStateException e) {
    return new IllegalStateException(
        kind + ".step: parameter '" + m.name + "': " + e.getMessage(), e);
  }

  private void requireLike(Member first, Member m) {
    Parameter p = m.parameter;
    if (p.device() != device || p.dtype() != dtype) {
      throw new IllegalStateException(
          kind
              + ".step: parameter '"
              + m.name
              + "' is "
              + p.dtype().label()
              + " on "
              + p.device()
              + " but '"
              + first.name
              + "' is "
              + dtype.label()
              + " on "
              + device
              + "; all have to be of one type on one device");
    }
  }

  /** What is computed until the result is closed is the optimizer's. */
  Profiler.Span span() {
    return device.profiler().update(kind);
  }

  /** Whether a vector is on the parameters' device and of their type. */
  boolean holds(Tensor vector) {
    return vector.device() == device && vector.dtype() == dtype;
  }

  // ---- the parameters

  /** Their values. */
  Tensor values() {
    Tensor v = device.zeros(dtype, numel);
    long at = 0;
    for (Member m : members) {
      write(m.parameter.storage(), v, at);
      at += m.parameter.numel();
    }
    return v;
  }

  /** Their gradients, zeros where there is none; which have one is {@link Member#active} then. */
  @SuppressWarnings("try") // the span is open for its effect
  Tensor gradient() {
    try (Profiler.Span span = span()) {
      Tensor g = device.zeros(dtype, numel);
      long at = 0;
      for (Member m : members) {
        look(m);
        if (m.active) {
          write(m.parameter.grad().storage(), g, at);
        }
        at += m.parameter.numel();
      }
      return g;
    }
  }

  private void look(Member m) {
    try {
      m.look(List.of(), UpdateRule.Form.DENSE);
    } catch (IllegalStateException e) {
      throw refused(m, e);
    }
  }

  /** Sets a direction to 0 for parameters that had no gradient. */
  void hold(Tensor direction) {
    long at = 0;
    for (Member m : members) {
      long n = m.parameter.numel();
      if (!m.active) {
        Storage zero = device.zeros(dtype, 1).storage();
        backend().copyStrided(new long[] {n}, zero, 0, new long[1], direction.storage(), at, UNIT);
      }
      at += n;
    }
  }

  /** Overwrites the parameters. */
  void assign(Tensor values) {
    assign(values.storage());
  }

  /** Overwrites the parameters with {@code x + t d}. */
  @SuppressWarnings("try") // the span is open for its effect
  void assign(Tensor x, double t, Tensor d) {
    try (Profiler.Span span = span()) {
      addScaled(x, t, d, product);
      assign(product.storage());
    }
  }

  private void assign(Storage values) {
    long at = 0;
    for (Member m : members) {
      Parameter p = m.parameter;
      long[] n = {p.numel()};
      if (n[0] > 0) {
        backend().copyStrided(n, values, at, UNIT, p.storage(), 0, UNIT);
      }
      p.changed();
      at += n[0];
    }
  }

  // ---- what is kept for each

  /** A vector made of a buffer of each parameter, zeros where one is missing; null if all are. */
  @Nullable Tensor joined(String name) {
    Tensor v = null;
    long at = 0;
    for (Member m : members) {
      StateTensor part = m.buffers.get(name);
      if (part != null) {
        v = v == null ? device.zeros(dtype, numel) : v;
        write(part.to(device).to(dtype).storage(), v, at);
      }
      at += m.parameter.numel();
    }
    return v;
  }

  private void write(Storage part, Tensor vector, long at) {
    if (part.numel() > 0) {
      long[] n = {part.numel()};
      backend().copyStrided(n, part, 0, UNIT, vector.storage(), at, UNIT);
    }
  }

  // ---- computing

  private Backend backend() {
    return device.backend();
  }

  /** The scalar product; waits for the device. */
  double dot(Tensor x, Tensor y) {
    backend()
        .binary(
            BinaryOp.MUL, x.storage(), Spread.FULL, y.storage(), Spread.FULL, product.storage(), 0);
    backend().reduce(ReduceOp.SUM, product.storage(), new Axis(1, numel, 1), sum.storage(), false);
    return sum.item();
  }

  /** {@code x + a y}, in place. */
  void addScaled(Tensor x, double a, Tensor y) {
    addScaled(x, a, y, x);
  }

  private void addScaled(Tensor x, double a, Tensor y, Tensor out) {
    Spread full = Spread.FULL;
    backend().binary(BinaryOp.ADD_SCALED, x.storage(), full, y.storage(), full, out.storage(), a);
  }

  /** The greatest absolute value; NaN where an element is. Waits for the device. */
  double greatest(Tensor x) {
    return powers(x, Double.POSITIVE_INFINITY);
  }

  /** The sum of the absolute values. Waits for the device. */
  double absoluteSum(Tensor x) {
    return powers(x, 1);
  }

  private double powers(Tensor x, double p) {
    backend().sumPowers(List.of(x.storage()), p, norm.storage());
    return norm.item();
  }
}
