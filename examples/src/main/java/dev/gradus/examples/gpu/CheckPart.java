package dev.gradus.examples.gpu;

import java.util.List;

/**
 * A part of the check.
 *
 * @param name what was checked
 * @param items what was found, in order
 * @param problem why the part did not come to its end; empty where it did
 * @param seconds how long it took
 */
public record CheckPart(String name, List<CheckItem> items, String problem, double seconds) {
  /** A part; the list is copied. */
  public CheckPart {
    items = List.copyOf(items);
  }

  /** Whether something is wrong: an item failed, the part did not end, or it found nothing. */
  public boolean failed() {
    return !problem.isEmpty() || items.isEmpty() || count(CheckItem.Outcome.FAILED) > 0;
  }

  /** How many items have an outcome. */
  long count(CheckItem.Outcome outcome) {
    return items.stream().filter(i -> i.outcome() == outcome).count();
  }

  /** One line for people. */
  @Override
  public String toString() {
    return count(CheckItem.Outcome.PASSED)
        + " passed, "
        + count(CheckItem.Outcome.FAILED)
        + " failed, "
        + count(CheckItem.Outcome.SKIPPED)
        + " skipped"
        + (problem.isEmpty() ? "" : "; it did not end: " + problem);
  }
}
