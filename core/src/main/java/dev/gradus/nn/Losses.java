package dev.gradus.nn;

import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Losses: what a model's results are worth against targets. Without a reduction given, each is the
 * mean.
 */
public final class Losses {
  /** Above it {@code ln(1 + e^x)} is x, to the last bit of a double. */
  private static final double SOFTPLUS_LINEAR = 40;

  private Losses() {}

  // ---- distances

  /** The mean of {@code (x - y)^2}. */
  public static Tensor mse(Tensor input, Tensor target) {
    return mse(input, target, Reduction.MEAN);
  }

  /**
   * {@code (x - y)^2}.
   *
   * @throws IllegalArgumentException if the shapes differ
   */
  public static Tensor mse(Tensor input, Tensor target, Reduction reduction) {
    requireSameShape("mse", input, target);
    Tensor d = input.sub(target);
    return reduce(d.mul(d), reduction);
  }

  /** The mean of {@code |x - y|}. */
  public static Tensor l1(Tensor input, Tensor target) {
    return l1(input, target, Reduction.MEAN);
  }

  /**
   * {@code |x - y|}.
   *
   * @throws IllegalArgumentException if the shapes differ
   */
  public static Tensor l1(Tensor input, Tensor target, Reduction reduction) {
    requireSameShape("l1", input, target);
    return reduce(input.sub(target).abs(), reduction);
  }

  /** The mean of the smooth L1 loss with beta 1. */
  public static Tensor smoothL1(Tensor input, Tensor target) {
    return smoothL1(input, target, 1, Reduction.MEAN);
  }

  /**
   * With {@code d = |x - y|}: {@code d^2 / (2 beta)} where {@code d < beta}, else {@code d - beta /
   * 2}.
   *
   * @param beta where the square becomes a line, at least 0; 0 is {@link #l1}
   * @throws IllegalArgumentException if the shapes differ, or beta is negative or NaN
   */
  public static Tensor smoothL1(Tensor input, Tensor target, double beta, Reduction reduction) {
    requireSameShape("smoothL1", input, target);
    if (!(beta >= 0) || Double.isInfinite(beta)) {
      throw new IllegalArgumentException("smoothL1 beta must be >= 0 and finite but is " + beta);
    }
    if (beta == 0) {
      return l1(input, target, reduction);
    }
    Tensor d = input.sub(target).abs();
    Tensor near = d.clamp(0, beta);
    return reduce(near.mul(d.sub(near.mul(0.5))).div(beta), reduction);
  }

  // ---- two classes

  /** The mean binary cross-entropy of probabilities. */
  public static Tensor binaryCrossEntropy(Tensor probabilities, Tensor target) {
    return binaryCrossEntropy(probabilities, target, Reduction.MEAN);
  }

  /**
   * {@code -(y ln x + (1 - y) ln(1 - x))}, logarithms at least -100. Waits for the device: the
   * values are checked.
   *
   * @param probabilities each in [0, 1]
   * @param target each in [0, 1]
   * @throws IllegalArgumentException if the shapes differ, or a value is outside [0, 1] or NaN; it
   *     names value and position
   */
  public static Tensor binaryCrossEntropy(
      Tensor probabilities, Tensor target, Reduction reduction) {
    requireSameShape("binaryCrossEntropy", probabilities, target);
    requireProbabilities("probability", probabilities);
    requireProbabilities("target", target);
    return reduce(probabilities.binaryCrossEntropy(target), reduction);
  }

  /** The mean binary cross-entropy of logits: of probabilities before the sigmoid. */
  public static Tensor binaryCrossEntropyWithLogits(Tensor logits, Tensor target) {
    return binaryCrossEntropyWithLogits(logits, target, Reduction.MEAN);
  }

  /**
   * {@code (1 - y) x + ln(1 + e^-x)}: the binary cross-entropy of {@code sigmoid(x)}, without
   * overflow.
   *
   * @throws IllegalArgumentException if the shapes differ
   */
  public static Tensor binaryCrossEntropyWithLogits(
      Tensor logits, Tensor target, Reduction reduction) {
    requireSameShape("binaryCrossEntropyWithLogits", logits, target);
    Tensor softplus = logits.neg().softplus(1, SOFTPLUS_LINEAR);
    return reduce(target.rsub(1).mul(logits).add(softplus), reduction);
  }

  /**
   * {@code (1 - y) x + (1 + (w - 1) y) ln(1 + e^-x)}: as without weights, but what should be 1
   * counts w times.
   *
   * @param posWeight w, of a shape that broadcasts to that of the logits
   * @throws IllegalArgumentException if the shapes differ
   */
  public static Tensor binaryCrossEntropyWithLogits(
      Tensor logits, Tensor target, Tensor posWeight, Reduction reduction) {
    String who = "binaryCrossEntropyWithLogits";
    requireSameShape(who, logits, target);
    if (!Shape.broadcast(who, logits.shape(), posWeight.shape()).equals(logits.shape())) {
      throw new IllegalArgumentException(
          who
              + ": posWeight is "
              + posWeight.shape()
              + " but the logits are "
              + logits.shape()
              + "; it must broadcast to their shape");
    }
    Tensor softplus = logits.neg().softplus(1, SOFTPLUS_LINEAR);
    Tensor weight = target.mul(posWeight.sub(1)).add(1);
    return reduce(target.rsub(1).mul(logits).add(weight.mul(softplus)), reduction);
  }

  // ---- many classes

  /** The mean cross-entropy with default options. */
  public static Tensor crossEntropy(Tensor scores, Tensor targets) {
    return crossEntropy(scores, targets, CrossEntropyOptions.defaults());
  }

  /**
   * The cross-entropy of a softmax over scores: {@code -ln softmax(x)[t]}.
   *
   * @param scores [classes], [batch, classes], or [batch, classes, d1, …]
   * @param targets int64, the shape of the scores without the classes
   * @throws IllegalArgumentException if the shapes do not fit, or a target is no class; the
   *     position counts all elements where the targets have more than one dimension
   */
  public static Tensor crossEntropy(Tensor scores, Tensor targets, CrossEntropyOptions options) {
    return overClasses("crossEntropy", true, scores, targets, options);
  }

  /** The mean negative log-likelihood with default options. */
  public static Tensor nll(Tensor logProbabilities, Tensor targets) {
    return nll(logProbabilities, targets, CrossEntropyOptions.defaults());
  }

  /**
   * The negative log-likelihood of log-probabilities: {@code -x[t]}.
   *
   * @param logProbabilities [classes], [batch, classes], or [batch, classes, d1, …]
   * @param targets int64, the shape of the former without the classes
   * @throws IllegalArgumentException if the shapes do not fit, a target is no class, or the options
   *     ask for label smoothing
   */
  public static Tensor nll(Tensor logProbabilities, Tensor targets, CrossEntropyOptions options) {
    if (options.labelSmoothing() != 0) {
      throw new IllegalArgumentException(
          "nll: labelSmoothing is " + options.labelSmoothing() + "; only crossEntropy has it");
    }
    return overClasses("nll", false, logProbabilities, targets, options);
  }

  private static Tensor overClasses(
      String who, boolean raw, Tensor scores, Tensor targets, CrossEntropyOptions options) {
    requireClasses(who, scores, targets);
    int rank = scores.shape().rank();
    long classes = scores.size(rank == 1 ? 0 : 1);
    Tensor rows = rank == 2 ? scores : classesLast(scores).reshape(targets.numel(), classes);
    Tensor ids = targets.shape().rank() == 1 ? targets : targets.reshape(targets.numel());
    Tensor logp = raw ? rows.logSoftmax(1) : rows;
    Tensor weights = options.classWeights();
    if (weights != null) {
      requireWeights(who, weights, classes);
      logp = logp.mul(weights);
    }
    Tensor losses = logp.nll(who, ids, options.labelSmoothing(), options.ignoreIndex());
    return switch (options.reduction()) {
      case NONE -> rank == 2 ? losses : losses.reshape(targets.shape().toArray());
      case SUM -> losses.sum();
      case MEAN -> losses.sum().div(counted(who, logp, ids, weights, options.ignoreIndex()));
    };
  }

  private static Tensor classesLast(Tensor scores) {
    int rank = scores.shape().rank();
    int[] order = new int[rank];
    for (int i = 0; i < rank; i++) {
      order[i] = i == 0 ? 0 : i == rank - 1 ? 1 : i + 1;
    }
    return rank < 3 ? scores : scores.permute(order);
  }

  /** The number of targets that count, or the sum of their weights. */
  private static Tensor counted(
      String who, Tensor logp, Tensor ids, @Nullable Tensor weights, long ignore) {
    if (weights == null) {
      return ids.ne(ids.device().full(DType.I64, (double) ignore, 1)).to(logp.dtype()).sum();
    }
    Tensor table = weights.neg().expand(logp.shape().toArray());
    return table.nll(who, ids, 0, ignore).sum();
  }

  private static void requireClasses(String who, Tensor scores, Tensor targets) {
    int rank = scores.shape().rank();
    boolean fits = rank > 0 && scores.shape().without(rank == 1 ? 0 : 1).equals(targets.shape());
    if (!fits) {
      throw new IllegalArgumentException(
          who
              + ": scores are "
              + scores.shape()
              + " and targets "
              + targets.shape()
              + "; they must be [batch, classes] and [batch], or [batch, classes, d1, …] and"
              + " [batch, d1, …]");
    }
  }

  private static void requireWeights(String who, Tensor weights, long classes) {
    if (!weights.shape().equals(Shape.of(classes))) {
      throw new IllegalArgumentException(
          who + ": classWeights are " + weights.shape() + "; they must be [" + classes + "]");
    }
  }

  // ---- shared

  private static Tensor reduce(Tensor losses, Reduction reduction) {
    return switch (reduction) {
      case MEAN -> losses.mean();
      case SUM -> losses.sum();
      case NONE -> losses;
    };
  }

  private static void requireSameShape(String who, Tensor input, Tensor target) {
    if (!input.shape().equals(target.shape())) {
      throw new IllegalArgumentException(
          who
              + ": the input is "
              + input.shape()
              + " and the target "
              + target.shape()
              + "; they must be equal: reshape or expand one");
    }
  }

  private static void requireProbabilities(String what, Tensor x) {
    switch (x.dtype()) {
      case F32 -> {
        float[] values = x.toFloatArray();
        for (int i = 0; i < values.length; i++) {
          requireProbability(what, x.shape(), i, values[i]);
        }
      }
      case F64 -> {
        double[] values = x.toDoubleArray();
        for (int i = 0; i < values.length; i++) {
          requireProbability(what, x.shape(), i, values[i]);
        }
      }
      case I64, BOOL ->
          throw new UnsupportedOperationException(
              "binaryCrossEntropy: each "
                  + what
                  + " must be float32 or float64 but is "
                  + x.dtype().label()
                  + "; convert with to(dtype)");
    }
  }

  private static void requireProbability(String what, Shape shape, int index, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(
          "binaryCrossEntropy: "
              + what
              + " "
              + value
              + " at position "
              + Arrays.toString(shape.position(index))
              + " is outside [0, 1]");
    }
  }
}
