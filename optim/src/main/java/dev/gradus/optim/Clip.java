package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.spi.UnaryOp;
import java.util.List;

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
 * <p>The gradients' own buffers are written. Of a table that is only looked up in, these are the
 * rows that were: a row without a gradient adds nothing to a norm and stays as it is, so the result
 * is that of the dense gradient, but for a NaN that {@link NonFinite#PASS} spreads. For one
 * training step at a time, as optimizers are.
 *
 * <p>Source: arXiv:1211.5063, section 3.2.
 */
public final class Clip {
  /** Added to the norm that the greatest norm is divided by; PyTorch's. */
  private static final double NORM_EPS = 1e-6;

  private static final String REMEDY =
      "; leave the step out, as NonFinite.SKIP does, or let it pass with NonFinite.PASS";

  private final Gradients gradients;

  /** What is done about a norm that is NaN or infinite. */
  public enum NonFinite {
    /**
     * It is taken as any other, so that the step is spoilt: of an infinite norm finite elements
     * become 0 and infinite ones NaN, of a NaN all elements become NaN.
     */
    PASS,
    /** The gradients are forgotten, so that the step leaves their parameters out. */
    SKIP,
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
      OptionChecks.oneOf("Clip norm's", "nonFinite", nonFinite, NonFinite.values());
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

  private Clip(Gradients gradients) {
    this.gradients = gradients;
  }

  /**
   * Clips the gradients of all parameters of an optimizer together, groups added later included.
   */
  public static Clip of(Optimizer<?> optimizer) {
    return new Clip(Gradients.of(optimizer.groups()));
  }

  /** Clips the gradients of a group's parameters. */
  public static Clip of(ParamGroup<?> group) {
    return new Clip(Gradients.of(List.of(group)));
  }

  /** Clips the gradients of these parameters together. */
  public static Clip of(NamedParameters parameters) {
    return new Clip(Gradients.of(parameters));
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
  public double norm(Norm options) {
    List<Gradients.Part> parts = gradients.collect();
    double p = options.p();
    gradients.read("ClipNorm", p);
    double sum = 0;
    for (int k = 0; k < parts.size(); k++) {
      for (double s : parts.get(k).sums) {
        sum = Double.isInfinite(p) ? Math.max(sum, s) : sum + s;
      }
    }
    double norm = root(sum, p);
    if (!Double.isFinite(norm) && options.nonFinite() != NonFinite.PASS) {
      if (options.nonFinite() == NonFinite.REFUSE) {
        throw new IllegalStateException(refusal(parts, norm, p));
      }
      parts.forEach(part -> part.members.forEach(m -> m.parameter.zeroGrad()));
      return norm;
    }
    double scale = Math.min(1, options.max() / (norm + NORM_EPS));
    boolean measures = options.max() == Double.POSITIVE_INFINITY;
    if (!measures && scale != 1) {
      gradients.apply("ClipNorm", UnaryOp.MUL_SCALAR, scale, 0);
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
    gradients.collect();
    gradients.apply("ClipValue", UnaryOp.CLAMP, -limit, limit);
  }

  private static double root(double sum, double p) {
    if (Double.isInfinite(p) || p == 1) {
      return sum;
    }
    return p == 2 ? Math.sqrt(sum) : Math.pow(sum, 1 / p);
  }

  private static String refusal(List<Gradients.Part> parts, double norm, double p) {
    for (Gradients.Part part : parts) {
      for (int i = 0; i < part.sums.length; i++) {
        if (!Double.isFinite(part.sums[i])) {
          return "Clip.norm: the gradient of parameter '"
              + part.members.get(i).name
              + "' has the norm "
              + root(part.sums[i], p)
              + REMEDY;
        }
      }
    }
    return "Clip.norm: the gradients together have the norm " + norm + REMEDY;
  }
}
