package dev.gradus.spi;

import java.util.List;

/**
 * What slots of a batched pointwise step share.
 *
 * @param program what is computed for each element
 * @param scalars the program's numbers in this step
 */
public record PointwiseStep(Pointwise program, List<Double> scalars) {
  /** A step; the list is copied. */
  public PointwiseStep {
    scalars = List.copyOf(scalars);
  }
}
