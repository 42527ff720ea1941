package dev.gradus.spi;

import java.util.List;

/**
 * A prepared batched update by {@link Pointwise} programs, in the parameters' type, F32 or F64: one
 * call a step for all groups.
 */
public interface PointwisePlan extends AutoCloseable {
  /**
   * Updates the slots that take part.
   *
   * @param stepOfSlot for each slot an index into {@code steps}, or -1 where it takes no part
   * @param steps the programs in force; those of an optimizer are mostly equal
   */
  void step(int[] stepOfSlot, List<PointwiseStep> steps);

  @Override
  void close();
}
