package dev.gradus.optim;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * What a {@link RateFinder} saw.
 *
 * @param points the steps, in order
 * @param diverged whether the search ended because the loss diverged, at the last point
 */
public record RateCurve(List<Point> points, boolean diverged) {
  /** The first tenth is left out of the suggestion: its smoothed losses are means of few. */
  private static final int LEFT_OUT = 10;

  /** What was seen; the list is copied. */
  public RateCurve {
    points = List.copyOf(points);
  }

  /**
   * A step.
   *
   * @param rate its learning rate
   * @param loss the loss before the step, which the rates before this one led to
   * @param smoothed the smoothed loss
   */
  public record Point(double rate, double loss, double smoothed) {}

  /**
   * The rate at which the smoothed loss falls fastest, per factor of the rate: a rate to start
   * from, not the best one. Empty where it falls nowhere. The first tenth of the steps is left out.
   *
   * <p>Source: arXiv:2002.04688, its learning rate finder.
   */
  public OptionalDouble suggestion() {
    int at = steepest();
    return at < 0 ? OptionalDouble.empty() : OptionalDouble.of(points.get(at).rate());
  }

  /** The point between whose neighbours the smoothed loss falls most; -1 where it falls nowhere. */
  private int steepest() {
    int at = -1;
    double most = 0;
    for (int i = 1 + points.size() / LEFT_OUT; i < points.size() - 1; i++) {
      double fall = points.get(i - 1).smoothed() - points.get(i + 1).smoothed();
      if (fall > most) {
        most = fall;
        at = i;
      }
    }
    return at;
  }

  /** The points as comma-separated values, for a plot: {@code rate,loss,smoothed}, a line each. */
  public String csv() {
    StringBuilder s = new StringBuilder("rate,loss,smoothed\n");
    for (Point p : points) {
      s.append(p.rate()).append(',').append(p.loss()).append(',').append(p.smoothed()).append('\n');
    }
    return s.toString();
  }

  /** A table of the points; the suggestion is marked. */
  @Override
  public String toString() {
    StringBuilder s = new StringBuilder("step       rate        loss    smoothed\n");
    int at = steepest();
    for (int i = 0; i < points.size(); i++) {
      Point p = points.get(i);
      s.append(
          String.format(
              Locale.ROOT, "%4d  %9.3g  %10.5g  %10.5g", i, p.rate(), p.loss(), p.smoothed()));
      s.append(i == at ? "  steepest\n" : "\n");
    }
    return s.append(diverged ? "diverged\n" : "").toString();
  }
}
