package dev.gradus.nn;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * A table of vectors, looked up by id: int64 ids of any shape give their shape and the vectors'
 * size after it. The table {@code [num, dim]} starts with standard normal numbers.
 *
 * <p>Its gradient is the rows looked up: an optimizer that asks for no more, as {@code SparseAdam},
 * makes steps that cost no more than those rows.
 */
public final class Embedding extends Module {
  /** Added to a norm before dividing by it. */
  private static final double NORM_EPS = 1e-7;

  private final Parameter weight;
  private final Options options;
  private final long padding;

  /**
   * What an embedding does beyond the lookup.
   *
   * @param paddingIndex an id whose vector starts as 0 and takes no gradient; a negative one counts
   *     from the end
   * @param maxNorm the greatest norm of a vector: before a lookup, the vectors looked up that are
   *     longer are shortened in place, outside of autograd
   * @param normType p of the norm {@code (sum |x|^p)^(1/p)}, greater than 0, infinity included
   */
  public record Options(OptionalLong paddingIndex, OptionalDouble maxNorm, double normType) {

    /** Options with these values. */
    public Options {
      if (maxNorm.isPresent() && !(maxNorm.getAsDouble() > 0)) {
        throw new IllegalArgumentException(
            "Embedding maxNorm must be > 0 but is " + maxNorm.getAsDouble());
      }
      if (!(normType > 0)) {
        throw new IllegalArgumentException("Embedding normType must be > 0 but is " + normType);
      }
    }

    /** No padding, no greatest norm. */
    public static Options defaults() {
      return new Options(OptionalLong.empty(), OptionalDouble.empty(), 2);
    }

    /** These, with a padding id. */
    public Options withPaddingIndex(long id) {
      return new Options(OptionalLong.of(id), maxNorm, normType);
    }

    /** These, with a greatest norm. */
    public Options withMaxNorm(double norm) {
      return new Options(paddingIndex, OptionalDouble.of(norm), normType);
    }

    /** These, with another p for the norm. */
    public Options withNormType(double p) {
      return new Options(paddingIndex, maxNorm, p);
    }

    private long paddingIn(long num) {
      if (paddingIndex.isEmpty()) {
        return -1;
      }
      long given = paddingIndex.getAsLong();
      if (given < -num || given >= num) {
        throw new IllegalArgumentException(
            "Embedding paddingIndex must be in [-" + num + ", " + num + ") but is " + given);
      }
      return given < 0 ? given + num : given;
    }
  }

  /** A float32 table of {@code num} vectors of size {@code dim}. */
  public Embedding(Device device, long num, long dim) {
    this(device, num, dim, Options.defaults());
  }

  /** A float32 table of {@code num} vectors of size {@code dim}, with options. */
  public Embedding(Device device, long num, long dim, Options options) {
    this(newTable(device, num, dim, options), options);
  }

  private Embedding(Parameter weight, Options options) {
    if (weight.shape().rank() != 2) {
      throw new IllegalArgumentException(
          "Embedding: the table is " + weight.shape() + "; it must be [num, dim]");
    }
    this.options = options;
    this.padding = options.paddingIn(weight.size(0));
    this.weight = registerParameter("weight", weight);
  }

  /**
   * A table with a copy of these vectors.
   *
   * @param table [num, dim]
   * @param freeze whether it is left untrained
   */
  public static Embedding fromPretrained(Tensor table, boolean freeze) {
    return fromPretrained(table, freeze, Options.defaults());
  }

  /** A table with a copy of these vectors, and options; the padding vector stays as it is. */
  public static Embedding fromPretrained(Tensor table, boolean freeze, Options options) {
    return new Embedding(new Parameter(table).requiresGrad(!freeze), options);
  }

  /** A table that is a parameter of another module too: tied weights. */
  public static Embedding tied(Parameter table) {
    return new Embedding(table, Options.defaults());
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private static Parameter newTable(Device device, long num, long dim, Options options) {
    requireSize("num", num);
    requireSize("dim", dim);
    long padding = options.paddingIn(num);
    try (Scope scope = Scope.open()) {
      Tensor table = device.normal(DType.F32, 0, 1, num, dim);
      if (padding >= 0) {
        table = table.maskedFill(device.arange(num).eq((double) padding).reshape(num, 1), 0);
      }
      return new Parameter(table);
    }
  }

  private static void requireSize(String what, long size) {
    if (size < 0) {
      throw new IllegalArgumentException("Embedding " + what + " must be >= 0 but is " + size);
    }
  }

  /** The table, [num, dim]. */
  public Parameter weight() {
    return weight;
  }

  /**
   * Looks up vectors.
   *
   * @param x int64 ids
   * @throws IllegalArgumentException if an id is outside of the table; it names id and position
   */
  @Override
  public Tensor forward(Tensor x) {
    String name = registeredName();
    String who = name == null ? "Embedding" : "Embedding '" + name + "'";
    if (options.maxNorm().isPresent() && x.numel() > 0) {
      checked(who, x);
      shorten(x, options.maxNorm().getAsDouble());
    }
    return weight.embedding(who, x, padding);
  }

  /** Refuses wrong ids before anything is changed: the lookup's own checks, without its result. */
  @SuppressWarnings("try") // the blocks are open for their effect
  private void checked(String who, Tensor ids) {
    try (NoGrad off = NoGrad.open();
        Scope scope = Scope.open()) {
      weight.embedding(who, ids, padding);
    }
  }

  @SuppressWarnings("try") // the blocks are open for their effect
  private void shorten(Tensor ids, double maxNorm) {
    long[] used = Arrays.stream(ids.toLongArray()).sorted().distinct().toArray();
    try (NoGrad off = NoGrad.open();
        Scope scope = Scope.open()) {
      Tensor norms = norms(weight.indexSelect(0, weight.device().tensor(used)));
      double[] norm = norms.to(DType.F64).toDoubleArray();
      long[] rows = new long[used.length];
      double[] scales = new double[used.length];
      int n = 0;
      for (int i = 0; i < used.length; i++) {
        if (norm[i] > maxNorm) {
          rows[n] = used[i];
          scales[n++] = maxNorm / (norm[i] + NORM_EPS);
        }
      }
      if (n > 0) {
        scaleRows(Arrays.copyOf(rows, n), Arrays.copyOf(scales, n));
      }
    }
  }

  private Tensor norms(Tensor rows) {
    double p = options.normType();
    if (p == 2) {
      return rows.mul(rows).sum(1, false).sqrt();
    }
    if (Double.isInfinite(p)) {
      return rows.abs().max(1, false);
    }
    return rows.abs().pow(p).sum(1, false).pow(1 / p);
  }

  /** Multiplies rows in place: x + (-x) is exactly 0, and 0 + s x exactly s x. */
  private void scaleRows(long[] rows, double[] scales) {
    Device device = weight.device();
    Backend backend = device.backend();
    Tensor ids = device.tensor(rows);
    Tensor old = weight.indexSelect(0, ids);
    Tensor scaled = old.mul(device.tensor(scales, scales.length, 1).to(weight.dtype()));
    Tensor negated = old.neg();
    Axis axis = new Axis(1, weight.size(0), weight.size(1));
    backend.scatterAdd(negated.storage(), axis, ids.storage(), -1, weight.storage(), true);
    backend.scatterAdd(scaled.storage(), axis, ids.storage(), -1, weight.storage(), true);
    weight.changed();
  }

  @Override
  protected String describe() {
    StringBuilder s = new StringBuilder();
    s.append(weight.size(0)).append(", ").append(weight.size(1));
    if (padding >= 0) {
      s.append(", padding_idx=").append(padding);
    }
    if (options.maxNorm().isPresent()) {
      s.append(", max_norm=").append(ModulePrinter.number(options.maxNorm().getAsDouble()));
    }
    if (options.normType() != 2) {
      s.append(", norm_type=").append(ModulePrinter.number(options.normType()));
    }
    return s.toString();
  }
}
