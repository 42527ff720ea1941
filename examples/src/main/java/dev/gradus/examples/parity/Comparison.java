package dev.gradus.examples.parity;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How far a replay is from its recording.
 *
 * @param rows each step and parameter, in the order of steps
 */
public record Comparison(List<Row> rows) {

  /** A comparison; the list is copied. */
  public Comparison {
    rows = List.copyOf(rows);
  }

  /**
   * One parameter after one step.
   *
   * @param step 1, 2, …
   * @param parameter its name
   * @param difference how far the values are from the recorded ones
   * @param added how far this step moved an element away from where it was beside the recorded one:
   *     the greatest change of {@code a - b}
   * @param allowed what a step may add within the tolerance
   */
  public record Row(
      int step, String parameter, Difference difference, double added, double allowed) {
    /** Whether the step added more than is allowed. */
    public boolean isAbove() {
      return added > allowed;
    }
  }

  /**
   * One parameter over all steps.
   *
   * @param greatest the greatest difference of each sort
   * @param worstStep the first step with the greatest absolute difference
   * @param firstAbove the first step that added more than is allowed; 0 where there is none
   */
  public record Summary(Difference greatest, int worstStep, int firstAbove) {}

  /** Where the replay leaves the recording; null where it never does. */
  public @Nullable Row firstAbove() {
    Row first = null;
    for (Row row : rows) {
      if (row.isAbove()
          && (first == null || (row.step() == first.step() && excess(row) > excess(first)))) {
        first = row;
      }
    }
    return first;
  }

  private static double excess(Row row) {
    return row.added() / row.allowed();
  }

  /** The parameters, in order of their appearance. */
  public Map<String, Summary> byParameter() {
    Map<String, List<Row>> grouped = new LinkedHashMap<>();
    for (Row row : rows) {
      grouped.computeIfAbsent(row.parameter(), name -> new ArrayList<>()).add(row);
    }
    Map<String, Summary> summaries = new LinkedHashMap<>();
    grouped.forEach((name, all) -> summaries.put(name, summary(all)));
    return summaries;
  }

  private static Summary summary(List<Row> rows) {
    Difference greatest = Difference.NONE;
    int worst = rows.get(0).step();
    int firstAbove = 0;
    for (Row row : rows) {
      if (row.difference().absolute() > greatest.absolute()) {
        worst = row.step();
      }
      if (row.isAbove() && firstAbove == 0) {
        firstAbove = row.step();
      }
      greatest = greatest.max(row.difference());
    }
    return new Summary(greatest, worst, firstAbove);
  }
}
