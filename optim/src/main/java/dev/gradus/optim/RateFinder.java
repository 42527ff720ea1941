package dev.gradus.optim;

import dev.gradus.nn.Module;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.GeneratorState;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A search for a learning rate: some steps with rates that grow from step to step, until the loss
 * diverges. Afterwards everything is as it was.
 *
 * <pre>{@code
 * RateCurve curve = RateFinder.between(1e-6, 1).run(adam, model, step -> loss(batch(step)));
 * System.out.println(curve);
 * curve.suggestion().ifPresent(adam.group("all")::setLr);
 * }</pre>
 *
 * <p>The rate is that of the group with the greatest base rate; the others keep their ratio to it.
 * Schedules wait. Smoothed losses are means whose weights fall by {@code smoothing} a step.
 *
 * <p>Sources: arXiv:1506.01186, section 3.3 (the test); arXiv:2002.04688 (rates that grow by a
 * factor, the smoothing, the end).
 *
 * @param from the first rate, greater than 0
 * @param to the last rate, greater than the first
 * @param steps at least 3
 * @param smoothing in [0, 1); 0 leaves losses as they are
 * @param divergence the search ends where the smoothed loss is more than so many times the least
 *     one, or not finite; greater than 1. Above a negative least one it may rise by {@code
 *     divergence - 1} times its size
 */
public record RateFinder(double from, double to, int steps, double smoothing, double divergence) {
  private static final int STEPS = 100;
  private static final double SMOOTHING = 0.9;
  private static final double DIVERGENCE = 4;

  /**
   * A search with these values.
   *
   * @throws IllegalArgumentException if a value is not allowed
   */
  public RateFinder {
    OptionChecks.greaterThanZero("RateFinder", "from", from);
    OptionChecks.finite("RateFinder", "to", to);
    OptionChecks.decayRate("RateFinder", "smoothing", smoothing);
    if (!(to > from)) {
      throw new IllegalArgumentException(
          "RateFinder to must be > from, which is " + from + ", but is " + to);
    }
    if (steps < 3) {
      throw new IllegalArgumentException("RateFinder steps must be >= 3 but is " + steps);
    }
    if (!(divergence > 1)) {
      throw new IllegalArgumentException("RateFinder divergence must be > 1 but is " + divergence);
    }
  }

  /** A search in 100 steps with a smoothing of 0.9, which ends at 4 times the least loss. */
  public static RateFinder between(double from, double to) {
    return new RateFinder(from, to, STEPS, SMOOTHING, DIVERGENCE);
  }

  /** This search with another number of steps. */
  public RateFinder withSteps(int n) {
    return new RateFinder(from, to, n, smoothing, divergence);
  }

  /** This search with another smoothing. */
  public RateFinder withSmoothing(double x) {
    return new RateFinder(from, to, steps, x, divergence);
  }

  /** This search with another end. */
  public RateFinder withDivergence(double x) {
    return new RateFinder(from, to, steps, smoothing, x);
  }

  /**
   * Searches. The hooks before a step run, as a clip is part of it; those after it do not, as an
   * average would take the steps in. Afterwards parameters and buffers, state, options and
   * schedules of the optimizer, and the generators of their devices are as before, also if the loss
   * throws; gradients are forgotten. Needs memory for a copy of the model and of the optimizer's
   * state.
   *
   * @param loss the loss of step 0, 1, … on a batch of its own; its scope ends with the step
   * @throws IllegalArgumentException if every group has the rate 0, or a loss is null
   */
  public RateCurve run(Optimizer<?> optimizer, Module model, IntFunction<Tensor> loss) {
    Probe probe = new Probe(greatestRate(optimizer));
    Before before = new Before(optimizer, model);
    try {
      before.attach(probe);
      return search(optimizer, model, probe, loss);
    } finally {
      before.restore();
    }
  }

  private static double greatestRate(Optimizer<?> optimizer) {
    double greatest = 0;
    for (ParamGroup<?> g : optimizer.groups()) {
      greatest = Math.max(greatest, g.lr());
    }
    if (greatest == 0) {
      throw new IllegalArgumentException(
          "RateFinder: the rate of every group of "
              + optimizer.kind()
              + " is 0; set those that are to be searched, in their ratio");
    }
    return greatest;
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private RateCurve search(
      Optimizer<?> optimizer, Module model, Probe probe, IntFunction<Tensor> loss) {
    List<RateCurve.Point> points = new ArrayList<>();
    double mean = 0;
    double weight = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < steps; i++) {
      try (Scope scope = Scope.open()) {
        zeroGrad(optimizer, model);
        probe.rate = rate(i);
        @Nullable Tensor l = loss.apply(i);
        if (l == null) {
          throw new IllegalArgumentException(
              "RateFinder: the loss of step " + i + " is null; return the loss of a batch");
        }
        double value = l.item();
        mean = smoothing * mean + (1 - smoothing) * value;
        weight = smoothing * weight + (1 - smoothing);
        double smoothed = mean / weight;
        points.add(new RateCurve.Point(probe.rate, value, smoothed));
        least = Math.min(least, smoothed);
        // For losses above 0 that is divergence * least; others would be above that at once.
        double most = least + (divergence - 1) * Math.abs(least);
        if (!Double.isFinite(smoothed) || smoothed > most) {
          return new RateCurve(points, true);
        }
        l.backward();
        optimizer.trialStep();
      }
    }
    return new RateCurve(points, false);
  }

  /** The model may have parameters that are another optimizer's, or nobody's. */
  private static void zeroGrad(Optimizer<?> optimizer, Module model) {
    optimizer.zeroGrad();
    model.zeroGrad();
  }

  private double rate(int step) {
    return step == steps - 1 ? to : from * Math.pow(to / from, (double) step / (steps - 1));
  }

  /** What gives every group its rate meanwhile. */
  private static final class Probe implements Schedule {
    private final double greatest;
    private double rate;

    Probe(double greatest) {
      this.greatest = greatest;
    }

    @Override
    public double rate(long step, double baseRate) {
      return rate * (baseRate / greatest);
    }

    @Override
    public String toString() {
      return "RateFinder";
    }
  }

  /** Everything that a search changes, as it was before. */
  private static final class Before {
    private final Optimizer<?> optimizer;
    private final Module model;
    private final OptimizerState state;
    private final IdentityHashMap<Tensor, StateTensor> values = new IdentityHashMap<>();
    private final IdentityHashMap<Device, GeneratorState> generators = new IdentityHashMap<>();
    private final List<@Nullable ScheduleRun> runs = new ArrayList<>();

    Before(Optimizer<?> optimizer, Module model) {
      this.optimizer = optimizer;
      this.model = model;
      this.state = optimizer.stateDict();
      model.stateDict().values().forEach(this::save);
      optimizer.groups().forEach(g -> g.parameters().forEach(this::save));
    }

    private void save(Tensor t) {
      values.computeIfAbsent(t, StateTensor::copyOf);
      generators.computeIfAbsent(t.device(), d -> d.generator().state());
    }

    void attach(Schedule probe) {
      for (ParamGroup<?> g : optimizer.groups()) {
        runs.add(g.exchangeRun(ScheduleRun.start("RateFinder", probe, g.options())));
      }
    }

    @SuppressWarnings("try") // the block is open for its effect
    void restore() {
      for (int g = 0; g < runs.size(); g++) {
        optimizer.groups().get(g).exchangeRun(runs.get(g));
      }
      try (NoGrad off = NoGrad.open()) {
        values.forEach(Tensor::copyFrom);
      }
      optimizer.loadStateDict(state);
      zeroGrad(optimizer, model);
      generators.forEach((device, g) -> device.generator().setState(g));
    }
  }
}
