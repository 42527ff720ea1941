package dev.gradus.optim;

import dev.gradus.tensor.Profiler;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The steps of {@link LBFGS}. */
final class LbfgsSteps implements Steps<LBFGS.Options> {
  private static final String KIND = "LBFGS";

  /** What is known; null where that is in the parameters' buffers. */
  private @Nullable CurvatureMemory memory;

  @Override
  public boolean takesRows(LBFGS.Options options) {
    return false;
  }

  @Override
  public void check(List<ParamGroup<LBFGS.Options>> groups) {
    if (groups.size() > 1) {
      throw new IllegalArgumentException(
          KIND
              + ": there are "
              + groups.size()
              + " param groups, "
              + SelectionErrors.quoted(groups.stream().map(ParamGroup::name).toList())
              + "; it moves all parameters along one direction: put them into one group");
    }
  }

  @Override
  public void step(List<ParamGroup<LBFGS.Options>> groups) {
    throw new IllegalStateException(
        KIND
            + ".step: there is no closure, and it evaluates the loss several times; call step(() ->"
            + " …) with one that calls zeroGrad(), computes the loss, calls its backward() and"
            + " returns it");
  }

  @Override
  public double step(
      List<ParamGroup<LBFGS.Options>> groups, Supplier<Tensor> closure, StepHooks hooks) {
    double[] first = new double[1];
    hooks.around(() -> first[0] = evaluated(groups, closure));
    return first[0];
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private double evaluated(List<ParamGroup<LBFGS.Options>> groups, Supplier<Tensor> closure) {
    LBFGS.Options options = groups.get(0).optionsNow();
    List<Member> members = groups.get(0).members();
    try (Scope scope = Scope.open()) {
      ParameterSpace space = new ParameterSpace(KIND, members);
      CurvatureMemory known = known(space, groups);
      Tensor start = space.values();
      double first;
      Run run;
      try {
        first = Steps.evaluate(KIND, closure);
        run = new Run(options, space, known.copy(), closure, first);
        run.iterations();
      } catch (RuntimeException | Error e) {
        space.assign(start);
        throw e;
      }
      memory = run.memory.owned();
      known.closeAllBut(memory);
      for (Member m : members) {
        m.count += m.active ? 1 : 0;
      }
      return first;
    }
  }

  private CurvatureMemory known(ParameterSpace space, List<ParamGroup<LBFGS.Options>> groups) {
    CurvatureMemory m = memory;
    if (m != null && m.suits(space)) {
      return m;
    }
    settle(groups);
    CurvatureMemory joined = CurvatureMemory.joined(space);
    groups.get(0).members().forEach(member -> member.buffers = new LinkedHashMap<>());
    memory = joined;
    return joined;
  }

  @Override
  public Shape shapeOf(String buffer, LBFGS.Options options, Shape parameter) {
    return parameter;
  }

  @Override
  public Map<String, Double> scalars(LBFGS.Options options) {
    return Map.of();
  }

  @Override
  public void settle(List<ParamGroup<LBFGS.Options>> groups) {
    CurvatureMemory m = memory;
    if (m != null) {
      m.layDown(groups.get(0).members());
      memory = null;
      m.closeAllBut(new CurvatureMemory());
    }
  }

  /** One step: its iterations. */
  private static final class Run {
    private final LBFGS.Options o;
    private final ParameterSpace space;
    private final Supplier<Tensor> closure;

    /** What is known, with what this step learns. */
    final CurvatureMemory memory;

    private double loss;
    private Tensor gradient;
    private int evaluations = 1;

    /** A run from where the closure gave this loss. */
    Run(
        LBFGS.Options options,
        ParameterSpace space,
        CurvatureMemory memory,
        Supplier<Tensor> closure,
        double loss) {
      this.o = options;
      this.space = space;
      this.memory = memory;
      this.closure = closure;
      this.loss = loss;
      this.gradient = space.gradient();
    }

    void iterations() {
      boolean goesOn = !isFlat();
      for (int n = 1; goesOn; n++) {
        goesOn = iterate(n);
      }
    }

    private boolean isFlat() {
      return space.greatest(gradient) <= o.toleranceGrad();
    }

    private void evaluate() {
      loss = Steps.evaluate(KIND, closure);
      evaluations++;
      gradient = space.gradient();
    }

    /** One iteration; whether another shall follow. */
    private boolean iterate(int n) {
      try (Scope scope = Scope.open()) {
        Tensor from = gradient;
        double before = loss;
        boolean first = memory.isEmpty();
        Tensor d = direction(scope);
        double t = first ? Math.min(1, 1 / space.absoluteSum(from)) * o.lr() : o.lr();
        double slope = space.dot(from, d);
        boolean downhill = !(slope > -o.toleranceChange());
        if (downhill) {
          t = move(d, t, slope, n < o.maxIter());
        }
        memory.moved(from, scope.keep(d.mul(t)));
        if (gradient != from) {
          scope.keep(gradient);
        }
        return downhill && n < o.maxIter() && !isEnough(Math.abs(t) * space.greatest(d), before);
      }
    }

    @SuppressWarnings("try") // the span is open for its effect
    private Tensor direction(Scope scope) {
      try (Profiler.Span span = space.span()) {
        memory.learn(space, gradient, o.historySize(), scope);
        Tensor d = memory.direction(space, gradient);
        space.hold(d);
        return d;
      }
    }

    private boolean isEnough(double moved, double before) {
      return evaluations >= o.maxEval()
          || isFlat()
          || moved <= o.toleranceChange()
          || Math.abs(loss - before) < o.toleranceChange();
    }

    /** Moves along a direction; how far. */
    private double move(Tensor d, double t, double slope, boolean another) {
      Tensor x = space.values();
      if (o.lineSearch() == LBFGS.LineSearch.NONE) {
        space.assign(x, t, d);
        if (another) {
          evaluate();
        }
        return t;
      }
      StrongWolfe search =
          new StrongWolfe(
              at -> point(x, at, d),
              new StrongWolfe.Point(0, loss, gradient, slope),
              o.maxEval() - evaluations,
              space.greatest(d),
              o.toleranceChange());
      StrongWolfe.Point found = search.from(t);
      space.assign(x, found.t(), d);
      loss = found.f();
      gradient = found.gradient();
      return found.t();
    }

    private StrongWolfe.Point point(Tensor x, double t, Tensor d) {
      space.assign(x, t, d);
      evaluate();
      return new StrongWolfe.Point(t, loss, gradient, space.dot(gradient, d));
    }
  }
}
