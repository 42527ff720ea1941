package dev.gradus.optim;

/**
 * A schedule of one cycle (PyTorch's OneCycleLR): the rate rises to its maximum, then falls far
 * below where it began; the momentum, or beta1, goes the other way. It is advanced after each
 * optimizer step.
 *
 * <pre>
 * initial = maxLr / divFactor        last = initial / finalDivFactor        N = steps
 * initial to maxLr    in steps 0 to pctStart N - 1
 * maxLr to last       from there to N - 1
 * </pre>
 *
 * <p>With three phases it falls to {@code initial} until {@code 2 pctStart N - 2} first, and to
 * {@code last} in the steps that are left. Within a phase of the part p, the value is {@code end +
 * (start - end) (1 + cos(pi p)) / 2}, or {@code start + (end - start) p} if linear.
 *
 * <p>All groups that it is attached to have these rates: their own base rates and momenta are not
 * asked for, and cannot be changed by hand while it is attached. A group that shall have others
 * gets a schedule of its own. A schedule that went through its N steps is not advanced further.
 *
 * <p>Source: arXiv:1708.07120.
 *
 * @param maxLr the greatest rate, at least 0
 * @param steps how many optimizer steps there will be, at least 1
 * @param pctStart the part of the steps in which the rate rises, in [0, 1]; in [0, 0.5] with three
 *     phases
 * @param linear whether it goes along lines, and not along half cosines
 * @param divFactor what part of the maximum it starts with, greater than 0
 * @param finalDivFactor what part of its start it ends with, greater than 0
 * @param threePhases whether the fall to the start and the fall below are phases of their own
 * @param baseMomentum the momentum at the greatest rate, at least 0
 * @param maxMomentum the momentum at the start and at the end, at least 0
 * @param movesMomentum whether it moves the momentum
 */
public record OneCycle(
    double maxLr,
    long steps,
    double pctStart,
    boolean linear,
    double divFactor,
    double finalDivFactor,
    boolean threePhases,
    double baseMomentum,
    double maxMomentum,
    boolean movesMomentum)
    implements Schedule {
  private static final String WHO = "OneCycle";
  private static final double PCT_START = 0.3;
  private static final double DIV_FACTOR = 25;
  private static final double FINAL_DIV_FACTOR = 1e4;
  private static final double BASE_MOMENTUM = 0.85;
  private static final double MAX_MOMENTUM = 0.95;

  /**
   * A schedule with these values.
   *
   * @throws IllegalArgumentException if a value is not allowed
   */
  public OneCycle {
    OptionChecks.atLeastZero(WHO, "maxLr", maxLr);
    OptionChecks.positive(WHO, "steps", steps);
    OptionChecks.greaterThanZero(WHO, "divFactor", divFactor);
    OptionChecks.greaterThanZero(WHO, "finalDivFactor", finalDivFactor);
    OptionChecks.atLeastZero(WHO, "baseMomentum", baseMomentum);
    OptionChecks.atLeastZero(WHO, "maxMomentum", maxMomentum);
    double most = threePhases ? 0.5 : 1;
    if (!(pctStart >= 0 && pctStart <= most)) {
      throw new IllegalArgumentException(
          "OneCycle pctStart must be in [0, "
              + (threePhases ? "0.5] with three phases" : "1]")
              + " but is "
              + pctStart);
    }
  }

  /**
   * Two phases along cosines, the first of 0.3 of the steps, momentum from 0.95 to 0.85 and back.
   */
  static OneCycle to(double maxLr, long steps) {
    return new OneCycle(
        maxLr,
        steps,
        PCT_START,
        false,
        DIV_FACTOR,
        FINAL_DIV_FACTOR,
        false,
        BASE_MOMENTUM,
        MAX_MOMENTUM,
        true);
  }

  /** This schedule with another part of the steps in which the rate rises. */
  public OneCycle withPctStart(double x) {
    return with(x, linear, divFactor, finalDivFactor, threePhases);
  }

  /** This schedule along lines. */
  public OneCycle withLinear() {
    return with(pctStart, true, divFactor, finalDivFactor, threePhases);
  }

  /** This schedule with another start. */
  public OneCycle withDivFactor(double x) {
    return with(pctStart, linear, x, finalDivFactor, threePhases);
  }

  /** This schedule with another end. */
  public OneCycle withFinalDivFactor(double x) {
    return with(pctStart, linear, divFactor, x, threePhases);
  }

  /** This schedule with a phase of its own for the fall below its start. */
  public OneCycle withThreePhases() {
    return with(pctStart, linear, divFactor, finalDivFactor, true);
  }

  private OneCycle with(double pct, boolean lines, double div, double finalDiv, boolean three) {
    return new OneCycle(
        maxLr, steps, pct, lines, div, finalDiv, three, baseMomentum, maxMomentum, movesMomentum);
  }

  /** This schedule with other momenta, or beta1, at the greatest rate and at both ends. */
  public OneCycle withMomentum(double base, double max) {
    return momentum(base, max, true);
  }

  /** This schedule of the rate alone: momentum and beta1 stay what the user set. */
  public OneCycle withFixedMomentum() {
    return momentum(baseMomentum, maxMomentum, false);
  }

  private OneCycle momentum(double base, double max, boolean moves) {
    return new OneCycle(
        maxLr, steps, pctStart, linear, divFactor, finalDivFactor, threePhases, base, max, moves);
  }

  @Override
  public double rate(long step, double baseRate) {
    return course(step, initialLr(), maxLr, lastLr());
  }

  @Override
  public double momentum(long step, double base) {
    return movesMomentum ? course(step, maxMomentum, baseMomentum, maxMomentum) : base;
  }

  @Override
  public boolean setsRates() {
    return true;
  }

  private double initialLr() {
    return maxLr / divFactor;
  }

  private double lastLr() {
    return initialLr() / finalDivFactor;
  }

  /** The value that goes from an initial to a middle and on to a last one. */
  private double course(long step, double initial, double middle, double last) {
    double end = steps - 1.0;
    double e = Math.min((double) step, end); // what is in force after the last step is what it had
    double top = pctStart * steps - 1;
    if (e <= top) {
      return between(initial, middle, part(e, 0, top));
    }
    if (!threePhases) {
      return between(middle, last, part(e, top, end));
    }
    double back = 2 * pctStart * steps - 2;
    return e <= back
        ? between(middle, initial, part(e, top, back))
        : between(initial, last, part(e, back, end));
  }

  /** What part of a phase has passed; a phase without length has passed. */
  private static double part(double e, double from, double to) {
    return to > from ? (e - from) / (to - from) : 1;
  }

  private double between(double start, double end, double part) {
    return linear
        ? (end - start) * part + start
        : end + (start - end) / 2 * (1 + Math.cos(Math.PI * part));
  }

  @Override
  public String toString() {
    return "OneCycle("
        + PythonFormat.of(initialLr())
        + " to "
        + PythonFormat.of(maxLr)
        + " to "
        + PythonFormat.of(lastLr())
        + " in "
        + steps
        + " steps, pctStart "
        + PythonFormat.of(pctStart)
        + (linear ? ", linear" : ", cosine")
        + (threePhases ? ", three phases" : "")
        + (movesMomentum
            ? ", momentum " + PythonFormat.of(maxMomentum) + " to " + PythonFormat.of(baseMomentum)
            : "")
        + ")";
  }
}
