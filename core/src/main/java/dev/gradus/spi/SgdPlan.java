package dev.gradus.spi;

import java.util.List;

/**
 * A prepared batched SGD update: one call a step for all groups.
 *
 * <p>The update of one element, in the parameter's type, scalars rounded to it:
 *
 * <pre>
 * g = maximize ? -g : g
 * wd != 0:    g = fma(wd, theta, g)
 * momentum:   b = first ? g : fma(1 - dampening, g, b momentum)
 *             g = nesterov ? fma(momentum, b, g) : b
 * theta = fma(-lr, g, theta)
 * </pre>
 *
 * <p>Of a slot whose gradient is {@link Gradient.Rows} only those rows change; its hyper has no
 * weight decay.
 *
 * <p>Source: Sutskever et al. 2013, in the form without the rate inside the buffer.
 */
public interface SgdPlan extends AutoCloseable {
  /**
   * Updates the slots that take part.
   *
   * @param hyperOfSlot for each slot an index into {@code hypers}, or -1 where it takes no part
   * @param hypers the options in force
   */
  void step(int[] hyperOfSlot, List<SgdHyper> hypers);

  @Override
  void close();
}
