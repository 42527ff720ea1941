package dev.gradus.optim;

import dev.gradus.tensor.Tensor;
import java.util.function.DoubleFunction;

/**
 * A line search: from a point downhill it looks for one that meets the strong Wolfe conditions
 *
 * <pre>
 * f(t) &lt;= f(0) + c1 t f'(0)        |f'(t)| &lt;= -c2 f'(0)
 * </pre>
 *
 * <p>First it goes on, in growing steps, until an interval must hold such a point; then it makes
 * the interval smaller. New points are the minima of cubics through two known ones, values and
 * slopes.
 *
 * <p>Source: Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 3.5 and 3.6, with
 * the safeguards of minFunc, which PyTorch has too.
 */
final class StrongWolfe {
  /** Sufficient decrease. */
  private static final double C1 = 1e-4;

  /** Curvature. */
  private static final double C2 = 0.9;

  /** So much of the last step a longer one is longer at least. */
  private static final double LEAST_GROWTH = 0.01;

  /** So many times the last step a longer one is at most. */
  private static final double MOST_GROWTH = 10;

  /** A point nearer than this part of the interval to one of its ends is at it. */
  private static final double MARGIN = 0.1;

  private final DoubleFunction<Point> line;
  private final Point start;
  private final int most;
  private final double reach;
  private final double tolerance;
  private int trials;

  /**
   * A point on the line.
   *
   * @param t where
   * @param f the value
   * @param gradient the gradient
   * @param slope the derivative along the line
   */
  record Point(double t, double f, Tensor gradient, double slope) {}

  /**
   * A search.
   *
   * @param line evaluates a point
   * @param start the point at 0, with a negative slope
   * @param most how many points it may evaluate after the first
   * @param reach how far a t of 1 moves the parameter that it moves farthest
   * @param tolerance an interval that moves no parameter farther is not looked into
   */
  StrongWolfe(DoubleFunction<Point> line, Point start, int most, double reach, double tolerance) {
    this.line = line;
    this.start = start;
    this.most = most;
    this.reach = reach;
    this.tolerance = tolerance;
  }

  /** The point found, or the lowest where there was none within the limits. */
  Point from(double t) {
    Point before = start;
    Point p = line.apply(t);
    while (trials < most) {
      if (isTooHigh(p) || (trials > 1 && p.f >= before.f)) {
        return within(before, p);
      }
      if (isFlat(p)) {
        return p;
      }
      if (p.slope >= 0) {
        return within(before, p);
      }
      double next =
          cubicMinimum(before, p, p.t + LEAST_GROWTH * (p.t - before.t), MOST_GROWTH * p.t);
      before = p;
      p = evaluate(next);
    }
    return start.f <= p.f ? start : p;
  }

  private Point evaluate(double t) {
    trials++;
    return line.apply(t);
  }

  private boolean isTooHigh(Point p) {
    return p.f > start.f + C1 * p.t * start.slope;
  }

  private boolean isFlat(Point p) {
    return Math.abs(p.slope) <= -C2 * start.slope;
  }

  /** Narrows an interval that holds a point that meets the conditions. */
  private Point within(Point first, Point second) {
    Point[] ends = {first, second};
    int low = first.f <= second.f ? 0 : 1;
    boolean crept = false;
    while (trials < most && !(Math.abs(ends[1].t - ends[0].t) * reach < tolerance)) {
      double from = Math.min(ends[0].t, ends[1].t);
      double to = Math.max(ends[0].t, ends[1].t);
      double margin = MARGIN * (to - from);
      double t = cubicMinimum(ends[0], ends[1], from, to);
      boolean near = Math.min(to - t, t - from) < margin;
      // one point near an end is let pass; the second in a row, or one at the end, is moved inside
      boolean inside = near && (crept || t >= to || t <= from);
      if (inside) {
        t = Math.abs(t - to) < Math.abs(t - from) ? to - margin : from + margin;
      }
      crept = near && !inside;
      Point p = evaluate(t);
      if (isTooHigh(p) || p.f >= ends[low].f) {
        ends[1 - low] = p;
        low = ends[0].f <= ends[1].f ? 0 : 1;
      } else if (isFlat(p)) {
        return p;
      } else {
        if (p.slope * (ends[1 - low].t - ends[low].t) >= 0) {
          ends[1 - low] = ends[low];
        }
        ends[low] = p;
      }
    }
    return ends[low];
  }

  /**
   * Where the cubic through two points has its minimum, within bounds; their middle where it has
   * none.
   */
  private static double cubicMinimum(Point p, Point q, double lowest, double highest) {
    double d1 = p.slope + q.slope - 3 * (p.f - q.f) / (p.t - q.t);
    double square = d1 * d1 - p.slope * q.slope;
    if (!(square >= 0)) {
      return (lowest + highest) / 2;
    }
    double d2 = Math.sqrt(square);
    Point a = p.t <= q.t ? p : q;
    Point b = p.t <= q.t ? q : p;
    double t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
    return Math.min(Math.max(t, lowest), highest);
  }
}
