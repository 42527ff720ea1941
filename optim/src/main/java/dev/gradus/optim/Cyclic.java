package dev.gradus.optim;

import java.util.Locale;

/**
 * A schedule that goes up and down between two rates (PyTorch's CyclicLR), one cycle after the
 * other, and moves the momentum, or beta1, the other way.
 *
 * <pre>
 * x    = e / (up + down) from the beginning of the cycle
 * h    = x (up + down) / up, and after the top (1 - x) (up + down) / down
 * rate = baseLr + (maxLr - baseLr) h s        momentum = maxMomentum - (maxMomentum - baseMomentum) h s
 * </pre>
 *
 * <p>s is 1, a half of that of the cycle before, or {@code gamma^e}, by the mode. All groups that
 * it is attached to have these rates: their own base rates and momenta are not asked for, and
 * cannot be changed by hand while it is attached. A group that shall have others gets a schedule of
 * its own.
 *
 * <p>Source: arXiv:1506.01186, section 3.
 *
 * @param baseLr the rate at the bottom, at least 0
 * @param maxLr the rate at the top of the first cycle, at least 0
 * @param stepSizeUp steps from the bottom to the top, at least 1
 * @param stepSizeDown steps from the top to the bottom, at least 1
 * @param mode how the height of cycles changes
 * @param gamma the decay of a step in mode EXP_RANGE, at least 0
 * @param baseMomentum the momentum at the top, at least 0
 * @param maxMomentum the momentum at the bottom, at least 0
 * @param movesMomentum whether it moves the momentum
 */
public record Cyclic(
    double baseLr,
    double maxLr,
    long stepSizeUp,
    long stepSizeDown,
    Mode mode,
    double gamma,
    double baseMomentum,
    double maxMomentum,
    boolean movesMomentum)
    implements Schedule {
  private static final String WHO = "Cyclic";
  private static final double BASE_MOMENTUM = 0.8;
  private static final double MAX_MOMENTUM = 0.9;

  /** How the height of cycles changes. */
  public enum Mode {
    /** It stays. */
    TRIANGULAR,
    /** Each cycle has half the height of the one before. */
    TRIANGULAR2,
    /** It falls from step to step by the factor gamma. */
    EXP_RANGE
  }

  /**
   * A schedule with these values.
   *
   * @throws IllegalArgumentException if a value is not allowed
   */
  public Cyclic {
    OptionChecks.atLeastZero(WHO, "baseLr", baseLr);
    OptionChecks.atLeastZero(WHO, "maxLr", maxLr);
    OptionChecks.positive(WHO, "stepSizeUp", stepSizeUp);
    OptionChecks.positive(WHO, "stepSizeDown", stepSizeDown);
    OptionChecks.oneOf(WHO, "mode", mode, Mode.values());
    OptionChecks.atLeastZero(WHO, "gamma", gamma);
    OptionChecks.atLeastZero(WHO, "baseMomentum", baseMomentum);
    OptionChecks.atLeastZero(WHO, "maxMomentum", maxMomentum);
  }

  /** Triangles of equal height, momentum between 0.9 and 0.8. */
  static Cyclic between(double baseLr, double maxLr, long stepSize) {
    return new Cyclic(
        baseLr, maxLr, stepSize, stepSize, Mode.TRIANGULAR, 1, BASE_MOMENTUM, MAX_MOMENTUM, true);
  }

  /** This schedule with another number of steps from the top to the bottom. */
  public Cyclic withStepSizeDown(long steps) {
    return new Cyclic(
        baseLr, maxLr, stepSizeUp, steps, mode, gamma, baseMomentum, maxMomentum, movesMomentum);
  }

  /** This schedule with cycles of half the height of the one before. */
  public Cyclic withTriangular2() {
    return new Cyclic(
        baseLr,
        maxLr,
        stepSizeUp,
        stepSizeDown,
        Mode.TRIANGULAR2,
        1,
        baseMomentum,
        maxMomentum,
        movesMomentum);
  }

  /**
   * This schedule with a height that falls from step to step.
   *
   * @param decay the factor of a step, gamma
   */
  public Cyclic withExpRange(double decay) {
    return new Cyclic(
        baseLr,
        maxLr,
        stepSizeUp,
        stepSizeDown,
        Mode.EXP_RANGE,
        decay,
        baseMomentum,
        maxMomentum,
        movesMomentum);
  }

  /** This schedule with other momenta, or beta1, at the top and at the bottom of the rate. */
  public Cyclic withMomentum(double base, double max) {
    return new Cyclic(baseLr, maxLr, stepSizeUp, stepSizeDown, mode, gamma, base, max, true);
  }

  /** This schedule of the rate alone: momentum and beta1 stay what the user set. */
  public Cyclic withFixedMomentum() {
    return new Cyclic(
        baseLr, maxLr, stepSizeUp, stepSizeDown, mode, gamma, baseMomentum, maxMomentum, false);
  }

  @Override
  public double rate(long step, double baseRate) {
    return baseLr + (maxLr - baseLr) * part(step) * scale(step);
  }

  @Override
  public double momentum(long step, double base) {
    return movesMomentum
        ? maxMomentum - (maxMomentum - baseMomentum) * part(step) * scale(step)
        : base;
  }

  @Override
  public boolean setsRates() {
    return true;
  }

  private double length() {
    return (double) stepSizeUp + stepSizeDown;
  }

  private double cycle(long step) {
    return Math.floor(1 + step / length());
  }

  /** How high in its cycle a step is, in [0, 1]. */
  private double part(long step) {
    double x = 1 + step / length() - cycle(step);
    double top = stepSizeUp / length();
    return x <= top ? x / top : (x - 1) / (top - 1);
  }

  private double scale(long step) {
    return switch (mode) {
      case TRIANGULAR -> 1;
      case TRIANGULAR2 -> 1 / Math.pow(2, cycle(step) - 1);
      case EXP_RANGE -> Math.pow(gamma, (double) step);
    };
  }

  @Override
  public String toString() {
    return "Cyclic("
        + PythonFormat.of(baseLr)
        + ", "
        + PythonFormat.of(maxLr)
        + ", up "
        + stepSizeUp
        + ", down "
        + stepSizeDown
        + ", "
        + mode.name().toLowerCase(Locale.ROOT)
        + (mode == Mode.EXP_RANGE ? " " + PythonFormat.of(gamma) : "")
        + (movesMomentum
            ? ", momentum " + PythonFormat.of(maxMomentum) + " to " + PythonFormat.of(baseMomentum)
            : "")
        + ")";
  }
}
