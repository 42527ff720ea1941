package dev.gradus.nn;

import java.util.List;

/**
 * What loading found.
 *
 * @param missing names of the model that the state did not have: they kept their values
 * @param unexpected names of the state that the model does not have: they were left alone
 */
public record LoadResult(List<String> missing, List<String> unexpected) {

  /** A result with copies of these lists. */
  public LoadResult {
    missing = List.copyOf(missing);
    unexpected = List.copyOf(unexpected);
  }

  /** Whether both sides had the same names. */
  public boolean isComplete() {
    return missing.isEmpty() && unexpected.isEmpty();
  }
}
