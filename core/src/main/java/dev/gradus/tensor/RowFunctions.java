package dev.gradus.tensor;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;

/** Operations on whole rows: lookup, softmax, normalisation, the class loss, dropout. */
final class RowFunctions {
  /** An id that none is: nothing is skipped. */
  private static final long NONE = -1;

  private RowFunctions() {}

  // ---- lookup

  /** The slices of x at these positions of a dimension. */
  static Tensor indexSelect(Tensor x, int dim, Tensor ids) {
    int d = Checks.axis("indexSelect", x.shape(), dim);
    Checks.sameDevice("indexSelect", x, ids);
    if (ids.shape().rank() != 1) {
      throw new IllegalArgumentException(
          "indexSelect: ids must have 1 dimension but are " + ids.shape());
    }
    Checks.ids("indexSelect", ids, x.shape().dim(d));
    Axis axis = ReduceFunctions.axis(x.shape(), d);
    return lookup("IndexSelect", x, axis, ids, x.shape().with(d, ids.numel()), NONE);
  }

  /** For each id its row of the table: the shape of ids, then the row's. */
  static Tensor embedding(String who, Tensor table, Tensor ids, long paddingIndex) {
    Checks.sameDevice(who, table, ids);
    if (table.shape().rank() != 2) {
      throw new IllegalArgumentException(
          who + ": the table must have 2 dimensions but is " + table.shape());
    }
    Checks.ids(who, ids, table.size(0));
    if (paddingIndex < NONE || paddingIndex >= table.size(0)) {
      throw new IllegalArgumentException(
          who
              + ": padding index "
              + paddingIndex
              + " is not a row of the table "
              + table.shape()
              + "; it must be in [0, "
              + table.size(0)
              + "), or -1 for none");
    }
    Axis axis = new Axis(1, table.size(0), table.size(1));
    Shape shape = ids.shape().append(table.size(1));
    return lookup("Embedding", table, axis, ids, shape, paddingIndex);
  }

  private static Tensor lookup(
      String name, Tensor x, Axis axis, Tensor ids, Shape shape, long skip) {
    Tensor out = Tensor.born(x.device(), shape, x.dtype());
    x.device().backend().gather(x.storage(), axis, ids.storage(), out.storage());
    return Function.wanted(x) ? Function.record(out, new Lookup(name, x, axis, ids, skip)) : out;
  }

  private static final class Lookup extends Function {
    private final Axis axis;
    private final long skip;

    Lookup(String name, Tensor x, Axis axis, Tensor ids, long skip) {
      super(name, 2, x, ids);
      this.axis = axis;
      this.skip = skip;
    }

    @Override
    void backward(Storage grad) {
      giveRows(0, axis, saved(1), skip, grad);
    }
  }

  // ---- softmax

  /** Softmax along a dimension, or its logarithm. */
  static Tensor softmax(boolean log, Tensor x, int dim) {
    String who = log ? "logSoftmax" : "softmax";
    Checks.floating(who, x);
    int d = Checks.axisOrScalar(who, x.shape(), dim);
    Axis axis = ReduceFunctions.axis(x.shape(), d);
    if (axis.inner() != 1) {
      int last = x.shape().rank() - 1;
      return ShapeFunctions.transpose(
          softmax(log, ShapeFunctions.transpose(x, d, last), last), d, last);
    }
    Tensor out = Tensor.born(x.device(), x.shape(), x.dtype());
    if (x.numel() > 0) {
      x.device().backend().softmax(log, x.storage(), out.storage(), axis.outer(), axis.length());
    }
    return Function.wanted(x) ? Function.record(out, new Softmax(log, x, axis)) : out;
  }

  private static final class Softmax extends Function {
    private final boolean log;
    private final Axis axis;

    Softmax(boolean log, Tensor x, Axis axis) {
      super(log ? "LogSoftmax" : "Softmax", OUTPUT, x);
      this.log = log;
      this.axis = axis;
    }

    @Override
    void backward(Storage grad) {
      give(
          0,
          out -> {
            if (grad.numel() > 0) {
              backend().softmaxGrad(log, grad, savedOutput(), out, axis.outer(), axis.length());
            }
          });
    }
  }

  // ---- normalisation

  /** Each row of the last {@code dims} dimensions brought to mean 0 and variance 1. */
  static Tensor normalize(Tensor x, int dims, double eps) {
    Checks.floating("normalize", x);
    if (dims < 1) {
      throw new IllegalArgumentException("normalize: dims must be >= 1 but is " + dims);
    }
    Checks.rankAtLeast("normalize", x, dims);
    if (!(eps >= 0)) {
      throw new IllegalArgumentException("normalize: eps must be >= 0 but is " + eps);
    }
    int split = x.shape().rank() - dims;
    long rows = x.shape().numel(0, split);
    long cols = x.shape().numel(split, x.shape().rank());
    Checks.notEmpty("normalize", x.shape(), cols);
    Tensor out = Tensor.born(x.device(), x.shape(), x.dtype());
    Tensor rstd = Tensor.born(x.device(), Shape.of(rows), x.dtype());
    x.device().backend().normalize(x.storage(), out.storage(), rstd.storage(), rows, cols, eps);
    if (Function.wanted(x)) {
      return Function.record(out, new Normalize(x, rstd, rows, cols));
    }
    rstd.close();
    return out;
  }

  private static final class Normalize extends Function {
    private final Tensor rstd;
    private final long rows;
    private final long cols;

    Normalize(Tensor x, Tensor rstd, long rows, long cols) {
      super("NativeLayerNorm", OUTPUT, x);
      this.rstd = rstd;
      this.rows = rows;
      this.cols = cols;
    }

    @Override
    void backward(Storage grad) {
      give(0, out -> backend().normalizeGrad(grad, savedOutput(), rstd.storage(), out, rows, cols));
    }

    @Override
    void releaseSaved() {
      rstd.close();
    }
  }

  // ---- class loss

  /** For each row of log-probabilities its loss against a class; see {@code Backend.nll}. */
  static Tensor nll(String who, Tensor logp, Tensor targets, double smoothing, long ignore) {
    Checks.sameDevice(who, logp, targets);
    Checks.floating(who, logp);
    Checks.dtype(who, "targets", DType.I64, targets);
    if (logp.shape().rank() != 2
        || targets.shape().rank() != 1
        || targets.size(0) != logp.size(0)) {
      throw new IllegalArgumentException(
          who
              + ": scores are "
              + logp.shape()
              + " and targets "
              + targets.shape()
              + "; scores must be [batch, classes] and targets [batch]");
    }
    if (!(smoothing >= 0 && smoothing <= 1)) {
      throw new IllegalArgumentException(
          who + ": label smoothing must be in [0, 1] but is " + smoothing);
    }
    Checks.targets(who, targets, logp.size(1), ignore);
    Tensor out = Tensor.born(logp.device(), targets.shape(), logp.dtype());
    logp.device()
        .backend()
        .nll(
            logp.storage(),
            targets.storage(),
            out.storage(),
            logp.size(0),
            logp.size(1),
            smoothing,
            ignore);
    return Function.wanted(logp)
        ? Function.record(out, new Nll(logp, targets, smoothing, ignore))
        : out;
  }

  private static final class Nll extends Function {
    private final double smoothing;
    private final long ignore;

    Nll(Tensor logp, Tensor targets, double smoothing, long ignore) {
      super("NllLoss", 2, logp, targets);
      this.smoothing = smoothing;
      this.ignore = ignore;
    }

    @Override
    void backward(Storage grad) {
      long rows = input(0).size(0);
      long cols = input(0).size(1);
      give(0, out -> backend().nllGrad(grad, saved(1), out, rows, cols, smoothing, ignore));
    }
  }

  // ---- dropout

  /**
   * Zeroes elements with probability p and scales the others up; the mask comes from the device's
   * stream.
   */
  static Tensor dropout(Tensor x, double p) {
    Checks.floating("dropout", x);
    if (!(p >= 0 && p <= 1)) {
      throw new IllegalArgumentException("dropout: p must be in [0, 1] but is " + p);
    }
    Generator generator = x.device().generator();
    long seed = generator.seed();
    long offset = generator.nextPhiloxOffset(x.numel());
    Tensor out = Tensor.born(x.device(), x.shape(), x.dtype());
    x.device().backend().dropout(x.storage(), out.storage(), p, seed, offset);
    return Function.wanted(x) ? Function.record(out, new Dropout(x, p, seed, offset)) : out;
  }

  private static final class Dropout extends Function {
    private final double p;
    private final long seed;
    private final long offset;

    Dropout(Tensor x, double p, long seed, long offset) {
      super("NativeDropout", NOTHING, x);
      this.p = p;
      this.seed = seed;
      this.offset = offset;
    }

    @Override
    void backward(Storage grad) {
      give(0, out -> backend().dropout(grad, out, p, seed, offset));
    }
  }
}
