package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Profiler;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.nio.DoubleBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Clips the gradients of some parameters, between {@code backward} and {@code step}: together by
 * their norm, or each element by its value. Parameters without a gradient are left out.
 *
 * <pre>{@code
 * Clip clip = Clip.of(adam);          // once: it keeps what it needs from step to step
 * …
 * loss.backward();
 * double norm = clip.norm(1.0);
 * adam.step();
 * }</pre>
 *
 * <p>The gradients' own buffers are written; rows of a table become dense for it, and {@link
 * SparseAdam} refuses them then: give the clip the other parameters only. For one training step at
 * a time, as optimizers are.
 *
 * <p>Source: arXiv:1211.5063, section 3.2.
 */
public final class Clip {
  /** Added to the norm that the greatest norm is divided by; PyTorch's. */
  private static final double NORM_EPS = 1e-6;

  private final List<? extends ParamGroup<?>> groups;
  private final List<Member> listed;
  private final List<Part> parts = new ArrayList<>();

  /** What is done about a norm that is NaN or infinite. */
  public enum NonFinite {
    /**
     * It is taken as any other, so that the step is spoilt: of an infinite norm finite elements
     * become 0 and infinite ones NaN, of a NaN all elements become NaN.
     */
    PASS,
    /** It is an error that names the parameter, and nothing is changed. */
    REFUSE
  }

  /**
   * How gradients are clipped by their norm {@code (sum |g|^p)^(1/p)} over all elements.
   *
   * @param max the greatest norm, at least 0; infinity only measures
   * @param p the order of the norm, greater than 0; infinity for the greatest element
   * @param nonFinite what is done about a norm that is NaN or infinite
   */
  public record Norm(double max, double p, NonFinite nonFinite) {
    /**
     * Options with these values.
     *
     * @throws IllegalArgumentException if a value is not allowed
     */
    public Norm {
      if (!(max >= 0)) {
        throw new IllegalArgumentException("Clip norm's max must be >= 0 but is " + max);
      }
      if (!(p > 0)) {
        throw new IllegalArgumentException("Clip norm's p must be > 0 but is " + p);
      }
    }

    /** The Euclidean norm, at most this; what is not finite passes. */
    public static Norm atMost(double max) {
      return new Norm(max, 2, NonFinite.PASS);
    }

    /** These options with another order. */
    public Norm withP(double order) {
      return new Norm(max, order, nonFinite);
    }

    /** These options with another treatment of norms that are not finite. */
    public Norm withNonFinite(NonFinite treatment) {
      return new Norm(max, p, treatment);
    }
  }

  /** The gradients on one device, collected anew for each call. */
  private static final class Part {
    final Device device;
    final List<Member> members = new ArrayList<>();
    final List<Storage> grads = new ArrayList<>();

    /** The sums of powers on the host. */
    double[] sums = {};

    Part(Device device) {
      this.device = device;
    }

    void read(double p) {
      if (sums.length != grads.size()) {
        sums = new double[grads.size()];
      }
      Backend backend = device.backend();
      Tensor out = device.zeros(DType.F64, sums.length);
      backend.sumPowers(grads, p, out.storage());
      backend.download(out.storage(), DoubleBuffer.wrap(sums));
    }

    void apply(UnaryOp op, double a, double b) {
      for (int i = 0; i < grads.size(); i++) {
        Storage g = grads.get(i);
        device.backend().unary(op, g, g, a, b);
        members.get(i).parameter.grad().changed();
      }
    }
  }

  private Clip(List<? extends ParamGroup<?>> groups, List<Member> listed) {
    this.groups = groups;
    this.listed = listed;
  }

  /**
   * Clips the gradients of all parameters of an optimizer together, groups added later included.
   */
  public static Clip of(Optimizer<?> optimizer) {
    return new Clip(optimizer.groups(), List.of());
  }

  /** Clips the gradients of a group's parameters. */
  public static Clip of(ParamGroup<?> group) {
    return new Clip(List.of(group), List.of());
  }

  /** Clips the gradients of these parameters together. */
  public static Clip of(NamedParameters parameters) {
    List<Member> members = new ArrayList<>();
    for (Map.Entry<String, Parameter> e : parameters) {
      members.add(new Member(e.getKey(), e.getValue()));
    }
    return new Clip(List.of(), members);
  }

  /** Clips by the Euclidean norm: {@link #norm(Norm)} with {@link Norm#atMost}. */
  public double norm(double max) {
    return norm(Norm.atMost(max));
  }

  /**
   * Where the norm of all gradients together is too great, multiplies them by {@code max / (norm +
   * 1e-6)}. Waits for the devices. Reads the gradients once, and where they are clipped reads and
   * writes them once more; the norm is accumulated in double.
   *
   * @return the norm before; 0 where there are no gradients
   * @throws IllegalStateException if the norm is not finite and that is to be refused; nothing is
   *     changed then
   */
  @SuppressWarnings("try") // scope and span are open for their effect
  public double norm(Norm options) {
    collect();
    double p = options.p();
    double sum = 0;
    for (int k = 0; k < parts.size(); k++) {
      Part part = parts.get(k);
      try (Scope scope = Scope.open();
          Profiler.Span span = part.device.profiler().update("ClipNorm")) {
        part.read(p);
      }
      for (double s : part.sums) {
        sum = Double.isInfinite(p) ? Math.max(sum, s) : sum + s;
      }
    }
    double norm = root(sum, p);
    if (options.nonFinite() == NonFinite.REFUSE && !Double.isFinite(norm)) {
      throw new IllegalStateException(refusal(norm, p));
    }
    double scale = Math.min(1, options.max() / (norm + NORM_EPS));
    if (scale != 1) {
      apply("ClipNorm", UnaryOp.MUL_SCALAR, scale, 0);
    }
    return norm;
  }

  /**
   * Brings every element of the gradients into {@code [-limit, limit]}; NaN stays NaN.
   *
   * @param limit at least 0
   * @throws IllegalArgumentException if the limit is not allowed
   */
  public void value(double limit) {
    if (!(limit >= 0)) {
      throw new IllegalArgumentException("Clip value's limit must be >= 0 but is " + limit);
    }
    collect();
    apply("ClipValue", UnaryOp.CLAMP, -limit, limit);
  }

  @SuppressWarnings("try") // the span is open for its effect
  private void apply(String name, UnaryOp op, double a, double b) {
    for (int k = 0; k < parts.size(); k++) {
      Part part = parts.get(k);
      try (Profiler.Span span = part.device.profiler().update(name)) {
        part.apply(op, a, b);
      }
    }
  }

  private static double root(double sum, double p) {
    if (Double.isInfinite(p) || p == 1) {
      return sum;
    }
    return p == 2 ? Math.sqrt(sum) : Math.pow(sum, 1 / p);
  }

  private String refusal(double norm, double p) {
    for (Part part : parts) {
      for (int i = 0; i < part.sums.length; i++) {
        if (!Double.isFinite(part.sums[i])) {
          return "Clip.norm: the gradient of parameter '"
              + part.members.get(i).name
              + "' has the norm "
              + root(part.sums[i], p)
              + "; leave this step out, or let it pass with NonFinite.PASS";
        }
      }
    }
    return "Clip.norm: the gradients together have the norm "
        + norm
        + "; leave this step out, or let it pass with NonFinite.PASS";
  }

  // ---- what there is to clip

  private void collect() {
    for (int k = 0; k < parts.size(); k++) {
      parts.get(k).members.clear();
      parts.get(k).grads.clear();
    }
    for (int g = 0; g < groups.size(); g++) {
      collect(groups.get(g).members());
    }
    collect(listed);
    parts.removeIf(part -> part.grads.isEmpty());
  }

  private void collect(List<Member> members) {
    for (int i = 0; i < members.size(); i++) {
      Member m = members.get(i);
      if (m.parameter.hasGrad()) {
        Tensor grad = m.parameter.grad();
        Part part = part(grad.device());
        part.members.add(m);
        part.grads.add(grad.storage());
      }
    }
  }

  private Part part(Device device) {
    for (int k = 0; k < parts.size(); k++) {
      if (parts.get(k).device == device) {
        return parts.get(k);
      }
    }
    Part part = new Part(device);
    parts.add(part);
    return part;
  }
}
