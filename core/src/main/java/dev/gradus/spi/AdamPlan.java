package dev.gradus.spi;

import java.util.List;

/**
 * A prepared batched Adam update: one call a step for all groups. Made again when slots change.
 *
 * <p>The update of one element, in the parameter's type, where (f) rounds a scalar computed in
 * double:
 *
 * <pre>
 * g = maximize ? -g : g
 * decoupled:  theta = theta * (f)(1 - lr wd)          else, wd != 0:  g = fma((f)wd, theta, g)
 * m = lerp(m, g, (f)(1 - beta1))                      {@link BinaryOp#LERP}
 * v = fma((f)(1 - beta2) g, g, v (f)beta2)
 * s = v, or max(max so far, v) where the slot keeps one
 * theta = theta + ((f)(-lr / bc1) m) / (sqrt(s) / (f)sqrt(bc2) + (f)eps)
 * </pre>
 *
 * <p>A slot whose gradient is {@link Gradient.Rows} is updated lazily: only those rows of the table
 * and of its state change, without decay, each operation rounded once:
 *
 * <pre>
 * m = m + (f)(1 - beta1) (g - m)
 * v = v + (f)(1 - beta2) (g g - v)
 * theta = theta + (f)(-lr sqrt(bc2) / bc1) (m / (sqrt(v) + (f)eps))
 * </pre>
 *
 * <p>Source: arXiv:1412.6980, Algorithm 1; decoupled decay arXiv:1711.05101; AMSGrad, Reddi et al.
 * 2018.
 */
public interface AdamPlan extends AutoCloseable {
  /**
   * Updates the slots that take part.
   *
   * @param hyperOfSlot for each slot an index into {@code hypers}, or -1 where it takes no part
   * @param hypers the options in force
   */
  void step(int[] hyperOfSlot, List<AdamHyper> hypers);

  @Override
  void close();
}
