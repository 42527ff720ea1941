package dev.gradus.spi;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One open device: the primitives, and fused operations that it may do faster than their
 * composition. The default body of a fused operation is its definition; an override is tested
 * against it.
 *
 * <p>Kernels, and what allocates and frees, may be called from several threads at once.
 */
public interface Backend extends PrimitiveOps, AutoCloseable {

  /** The device's name in messages: {@code cpu}, {@code cuda:0}. */
  String deviceName();

  /** The bytes that tensors may take on this device, all together. */
  long capacity();

  /** What a user can do when the device is out of memory: the option to change. */
  String memoryRemedy();

  /**
   * What this device runs on: versions, threads, vector width, each with its name, for the report.
   */
  Map<String, String> details();

  /** Ends the device; every storage on it is gone. */
  @Override
  void close();

  /**
   * Softmax along rows, or its logarithm: {@code y = e^(x - max) / sum}, {@code ln y = x - max - ln
   * sum}.
   *
   * @param rows number of rows of x and out
   * @param cols elements of a row
   */
  default void softmax(boolean log, Storage x, Storage out, long rows, long cols) {
    Composed.softmax(this, log, x, out, rows, cols);
  }

  /**
   * The gradient of {@link #softmax} from its result y: {@code y (g - sum(g y))}, or for the
   * logarithm {@code g - e^y sum(g)}, the sums along rows.
   */
  default void softmaxGrad(
      boolean log, Storage grad, Storage y, Storage out, long rows, long cols) {
    Composed.softmaxGrad(this, log, grad, y, out, rows, cols);
  }

  /**
   * Normalises rows: {@code out = (x - mean) rstd}, with {@code rstd = 1 / sqrt(var + eps)} and the
   * biased variance (arXiv:1607.06450). Weight and bias are not its business.
   *
   * @param rstd one value a row, for the gradient
   */
  default void normalize(Storage x, Storage out, Storage rstd, long rows, long cols, double eps) {
    Composed.normalize(this, x, out, rstd, rows, cols, eps);
  }

  /**
   * The gradient of {@link #normalize} from its result y: {@code rstd (g - mean(g) - y mean(g y))},
   * the means along rows.
   */
  default void normalizeGrad(
      Storage grad, Storage y, Storage rstd, Storage out, long rows, long cols) {
    Composed.normalizeGrad(this, grad, y, rstd, out, rows, cols);
  }

  /**
   * The loss of each row against a class: {@code -(1 - s) logp[t] - s mean(logp)} with the label
   * smoothing s, and 0 where the class is {@code ignore}.
   *
   * @param logp log-probabilities, rows × cols
   * @param targets I64, a class in {@code [0, cols)} or {@code ignore}, for each row
   * @param out a loss for each row
   */
  default void nll(
      Storage logp,
      Storage targets,
      Storage out,
      long rows,
      long cols,
      double smoothing,
      long ignore) {
    Composed.nll(this, logp, targets, out, rows, cols, smoothing, ignore);
  }

  /** The gradient of {@link #nll} for logp, rows × cols, from the gradient of each row's loss. */
  default void nllGrad(
      Storage grad,
      Storage targets,
      Storage out,
      long rows,
      long cols,
      double smoothing,
      long ignore) {
    Composed.nllGrad(this, grad, targets, out, rows, cols, smoothing, ignore);
  }

  /**
   * For each storage the sum of {@code |x|^p}, or for an infinite p the greatest {@code |x|}: what
   * norms are made of. Accumulates in double; 0 for an empty storage, NaN where an element is NaN.
   *
   * @param xs F32 or F64
   * @param p greater than 0, infinity included
   * @param out F64, one element for each of xs
   */
  default void sumPowers(List<Storage> xs, double p, Storage out) {
    Composed.sumPowers(this, xs, p, out);
  }

  /**
   * For each gradient of rows what {@link #sumPowers} gives for the dense gradient that it stands
   * for. A backend that sums dense gradients in the order of their elements does so here, so that
   * the bits are the same.
   *
   * @param xs F32 or F64; places without a row do not count
   * @param p greater than 0, infinity included
   * @param out F64, one element for each of xs
   */
  default void sumRowPowers(List<Gradient.Rows> xs, double p, Storage out) {
    ComposedRows.sumPowers(this, xs, p, out);
  }

  /**
   * Sums rows by their ids: in {@code out} each id stands once, in the order in which ids first
   * appear, with the sum of its rows in the order of j.
   *
   * @param ids I64, each at least 0 or {@code skip}
   * @param skip an id whose rows are left out, or -1
   * @param rows F32 or F64, {@code cols} elements for each id
   * @param out has places for all different ids, or more
   * @param accumulate whether the rows that {@code out} holds stand before the new ones
   */
  default void coalesce(
      Storage ids, long skip, Storage rows, Gradient.Rows out, boolean accumulate) {
    ComposedRows.coalesce(this, ids, skip, rows, out, accumulate);
  }

  /**
   * Prepares batched Adam steps over these slots. Closing the plan frees what it prepared, not the
   * slots' storages.
   */
  default AdamPlan planAdam(List<AdamSlot> slots) {
    return new ComposedAdam(this, slots);
  }

  /**
   * Records the work that is asked for while {@code work} runs, and does it once at its end. What
   * is asked for meanwhile may not bring values in or out; each plan may be stepped once, and its
   * numbers are renewed at each replay. Storages that are freed in it stay with the recording.
   *
   * @param offset where the random stream stands: the offsets of dropouts count from there
   * @param work runs on the calling thread; other threads must not use the device meanwhile
   * @return the recording; null where the backend makes none, and {@code work} has not run
   */
  default @Nullable Recording record(long offset, Runnable work) {
    return null;
  }

  /** Prepares batched SGD steps over these slots. */
  default SgdPlan planSgd(List<SgdSlot> slots) {
    return new ComposedSgd(this, slots);
  }

  /** Prepares batched steps over these slots by programs that treat each element by itself. */
  default PointwisePlan planPointwise(List<PointwiseSlot> slots) {
    return new ComposedPointwise(this, slots);
  }
}
