package dev.gradus.optim;

import dev.gradus.nn.LoadResult;
import dev.gradus.nn.Parameter;
import dev.gradus.nn.Selection;
import dev.gradus.nn.Strictness;
import dev.gradus.tensor.CapturedStep;
import dev.gradus.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What changes parameters along their gradients: groups of named parameters, each with options of
 * its own, and the state of each parameter.
 *
 * <p>A step is one batched update for all groups. A parameter without a gradient is left out of it:
 * no state, no decay, no count; each parameter counts its own steps. Everything is checked before
 * anything is written, so a refused step leaves parameters, state and counts as they were. State
 * follows a parameter that moved to another device or type at its next step.
 *
 * <p>One training step at a time; groups may be changed between steps.
 *
 * @param <O> the options of a group
 */
public abstract class Optimizer<O extends OptimizerOptions<O>> {
  private final String kind;
  private final O defaults;
  private final boolean allowUnused;
  private final Steps<O> steps;
  private final StepHooks hooks;
  private final List<ParamGroup<O>> groups = new ArrayList<>();
  private Universe universe;
  private @Nullable ScheduleRun run;

  /**
   * An optimizer with the groups of a builder.
   *
   * @param builder the groups asked for
   * @param rule the mathematics
   */
  protected Optimizer(OptimizerBuilder<O, ?> builder, UpdateRule<O, ?> rule) {
    this(builder, new Stepper<>(builder.kind(), rule));
  }

  /** An optimizer whose steps are not made parameter by parameter. */
  @SuppressWarnings("this-escape") // its groups know it, and ask it only after it is made
  Optimizer(OptimizerBuilder<O, ?> builder, Steps<O> steps) {
    this.kind = builder.kind();
    this.defaults = builder.defaults();
    this.allowUnused = builder.allowsUnused();
    this.steps = steps;
    this.hooks = new StepHooks(kind);
    this.universe = new Universe(kind);
    if (builder.requests().isEmpty()) {
      throw new IllegalArgumentException(
          kind + ": there are no param groups; add one with group(name, parameters)");
    }
    add(builder.requests());
  }

  private void add(List<GroupRequest<O>> requests) {
    Universe next = universe.copy();
    Set<String> names = new LinkedHashSet<>();
    groups.forEach(g -> names.add(g.name()));
    for (GroupRequest<O> request : requests) {
      requireNewName(names, request.name());
      Selection selection = request.selection();
      if (selection != null) {
        next.add(selection.universe());
      }
    }
    List<ParamGroup<O>> added = new ArrayList<>();
    for (GroupRequest<O> request : requests) {
      added.add(new ParamGroup<>(this, request, next.shadowed(request), next.take(request)));
    }
    requireUsed(next);
    List<ParamGroup<O>> all = new ArrayList<>(groups);
    all.addAll(added);
    steps.check(all);
    universe = next;
    groups.addAll(added);
    for (ParamGroup<O> g : added) {
      boolean rows = steps.takesRows(g.options());
      g.members().forEach(m -> m.parameter.gradRowsWanted(rows));
    }
  }

  private void requireNewName(Set<String> names, String name) {
    if (name.isBlank()) {
      throw new IllegalArgumentException(kind + ": a param group's name is blank; give it one");
    }
    if (!names.add(name)) {
      throw new IllegalArgumentException(
          kind + ": there are two param groups '" + name + "'; give each a name of its own");
    }
  }

  private void requireUsed(Universe u) {
    if (u.isEmpty()) {
      throw new IllegalArgumentException(
          kind
              + ": there are no parameters to optimize; the model has none: layers count when"
              + " they are registered");
    }
    List<String> unused = u.unused();
    if (!allowUnused && !unused.isEmpty()) {
      throw new IllegalArgumentException(
          kind
              + ": no param group takes "
              + SelectionErrors.quoted(unused)
              + "; add a group of others(), or call allowUnused()");
    }
  }

  // ---- groups

  /** The kind of optimizer, as it is printed: {@code Adam}. */
  public final String kind() {
    return kind;
  }

  /** The groups, in order. */
  public final List<ParamGroup<O>> groups() {
    return Collections.unmodifiableList(groups);
  }

  /**
   * The group with this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public final ParamGroup<O> group(String name) {
    for (ParamGroup<O> g : groups) {
      if (g.name().equals(name)) {
        return g;
      }
    }
    throw new IllegalArgumentException(
        kind
            + ": there is no param group '"
            + name
            + "'; there are "
            + SelectionErrors.quoted(groups.stream().map(ParamGroup::name).toList()));
  }

  /**
   * Adds a group with the default options; see {@link #addGroup(String, Selection, UnaryOperator)}.
   */
  public final ParamGroup<O> addGroup(String name, Selection parameters) {
    return addGroup(name, parameters, UnaryOperator.identity());
  }

  /**
   * Adds a group in mid-training, by the rules of the builder. Its parameters start to count their
   * steps now; the optimizer's schedule holds for it too, from where it stands.
   *
   * @param name alone in this optimizer
   * @param parameters none of which is in a group
   * @param options from the optimizer's defaults to the group's options
   * @return the group
   * @throws IllegalArgumentException if a rule is broken; nothing is changed then
   */
  public final ParamGroup<O> addGroup(String name, Selection parameters, UnaryOperator<O> options) {
    add(List.of(GroupRequest.of(name, parameters, ParamGroup.change(name, defaults, options))));
    return group(name);
  }

  /** Adds a group of listed parameters with the default options, in mid-training. */
  public final ParamGroup<O> addGroup(String name, List<Parameter> parameters) {
    return addGroup(name, parameters, UnaryOperator.identity());
  }

  /**
   * Adds a group of listed parameters in mid-training; they are named as in {@link
   * OptimizerBuilder#group(String, List, UnaryOperator)}.
   *
   * @throws IllegalArgumentException if a rule is broken; nothing is changed then
   */
  public final ParamGroup<O> addGroup(
      String name, List<Parameter> parameters, UnaryOperator<O> options) {
    add(List.of(GroupRequest.of(name, parameters, ParamGroup.change(name, defaults, options))));
    return group(name);
  }

  // ---- schedules

  /**
   * Attaches a schedule, at its step 0, to every group that has none of its own, also to those
   * added later; it replaces the one attached before.
   *
   * @throws IllegalArgumentException if it is null, or moves a momentum that the options do not
   *     have
   */
  public final void schedule(Schedule schedule) {
    run = ScheduleRun.start(kind, schedule, defaults);
  }

  /**
   * Takes the optimizer's schedule off: groups that have none of their own go on with their base
   * rates.
   */
  public final void clearSchedule() {
    run = null;
  }

  /**
   * Advances every schedule by one: that of the optimizer, and those of groups.
   *
   * @throws IllegalStateException if one went through all its steps, or needs a metric; nothing is
   *     changed then
   */
  public final void stepSchedules() {
    advance(OptionalDouble.empty());
  }

  /**
   * Advances every schedule by one: a {@link ReduceOnPlateau} by this metric, the others as {@link
   * #stepSchedules()} does.
   *
   * @param metric what is to improve, as the loss on a validation set
   * @throws IllegalStateException if a schedule went through all its steps, or inside a captured
   *     step; nothing is changed then
   */
  public final void stepSchedules(double metric) {
    advance(OptionalDouble.of(metric));
  }

  private void advance(OptionalDouble metric) {
    if (CapturedStep.isRecording()) {
      throw new IllegalStateException(
          kind
              + ".stepSchedules: a replay of the captured step would not advance them; call it"
              + " after each run");
    }
    List<ScheduleRun> runs = new ArrayList<>();
    ScheduleRun all = run;
    if (all != null) {
      runs.add(all);
    }
    for (ParamGroup<O> g : groups) {
      ScheduleRun own = g.ownRun();
      if (own != null) {
        runs.add(own);
      }
    }
    runs.forEach(r -> r.check(metric));
    runs.forEach(r -> r.advance(metric));
  }

  final @Nullable ScheduleRun run() {
    return run;
  }

  // ---- steps

  /** Forgets the gradients of all parameters in groups. */
  public final void zeroGrad() {
    for (int g = 0; g < groups.size(); g++) {
      List<Member> members = groups.get(g).members();
      for (int i = 0; i < members.size(); i++) {
        members.get(i).parameter.zeroGrad();
      }
    }
  }

  /**
   * Updates every parameter that has a gradient, with the options in force, between the hooks
   * before and after a step.
   *
   * @throws IllegalStateException if a parameter was released or its device is closed, or if this
   *     optimizer needs a closure
   * @throws IllegalArgumentException if a schedule gives a rate that is not allowed
   */
  public final void step() {
    hooks.around(() -> steps.step(groups));
  }

  /**
   * Lets a closure make the gradients, then updates. {@link LBFGS} needs one, and calls it several
   * times in a step, the hooks before the first and after the last call; for the others this is
   * {@code closure.get()} and {@link #step()}. Waits for the loss.
   *
   * @param closure calls {@link #zeroGrad()}, computes the loss, calls its {@code backward()} and
   *     returns it; each call has a scope of its own, which ends what was made in it
   * @return the loss before the update
   * @throws IllegalArgumentException if the closure gives null
   */
  public final double step(Supplier<Tensor> closure) {
    return steps.step(groups, closure, hooks);
  }

  /** A step that the hooks after it do not see. */
  final void trialStep() {
    hooks.withoutAfter(() -> steps.step(groups));
  }

  /**
   * Has something done at the beginning of each step, before gradients are looked at; such as a
   * clip: {@code adam.beforeStep(() -> clip.norm(1))}. Hooks run in the order in which they were
   * added. One that throws ends the step: no parameter, state or count has changed.
   *
   * @throws IllegalArgumentException if it is null
   */
  public final StepHook beforeStep(Runnable action) {
    return hooks.before(action);
  }

  /**
   * Has something done after each step that was made; such as an average: {@code
   * adam.afterStep(ema::update)}. Hooks run in the order in which they were added. One that throws
   * ends the call; the step was made.
   *
   * @throws IllegalArgumentException if it is null
   */
  public final StepHook afterStep(Runnable action) {
    return hooks.after(action);
  }

  /**
   * How many steps a parameter took part in.
   *
   * @throws IllegalArgumentException if it is in no group
   */
  public final long stepsOf(Parameter parameter) {
    for (ParamGroup<O> g : groups) {
      for (Member m : g.members()) {
        if (m.parameter == parameter) {
          return m.count;
        }
      }
    }
    throw new IllegalArgumentException(
        kind + ": parameter " + parameter.shape() + " is in no param group");
  }

  // ---- state

  /**
   * A copy of what has to be remembered to go on later: counts, buffers, numbers, options, and how
   * far schedules went.
   */
  public final OptimizerState stateDict() {
    return state(m -> copies(m.suited()));
  }

  /**
   * What {@link #stateDict()} copies, with the living buffers: to write it to a file without a
   * second copy in memory. The next step changes what it gives.
   */
  public final OptimizerState liveState() {
    return state(Member::suited);
  }

  private static Map<String, StateTensor> copies(Map<String, StateTensor> buffers) {
    Map<String, StateTensor> copies = new LinkedHashMap<>();
    buffers.forEach((name, buffer) -> copies.put(name, StateTensor.copyOf(buffer)));
    return copies;
  }

  private OptimizerState state(Function<Member, Map<String, StateTensor>> buffersOf) {
    steps.settle(groups);
    List<OptimizerState.Group> saved = new ArrayList<>();
    Map<String, OptimizerState.OfParameter> parameters = new LinkedHashMap<>();
    for (ParamGroup<O> g : groups) {
      saved.add(
          new OptimizerState.Group(
              g.name(), g.names(), g.options().entries(), ScheduleRun.stateOf(g.ownRun())));
      for (Member m : g.members()) {
        if (m.count > 0) {
          Map<String, StateBuffer> buffers = new LinkedHashMap<>();
          buffersOf.apply(m).forEach((name, b) -> buffers.put(name, new StateBuffer.InMemory(b)));
          Map<String, Double> scalars = m.scalars == null ? Map.of() : m.scalars;
          parameters.put(m.name, new OptimizerState.OfParameter(m.count, buffers, scalars));
        }
      }
    }
    return new OptimizerState(kind, ScheduleRun.stateOf(run), saved, parameters);
  }

  /** Goes on from a state: {@link #loadStateDict(OptimizerState, Strictness)}, strict. */
  public final void loadStateDict(OptimizerState state) {
    loadStateDict(state, Strictness.STRICT);
  }

  /**
   * Goes on from a state. Groups and parameters are matched by name, a tied parameter by any of its
   * names; a parameter may have changed its group. Options and base rates are the state's. Attach
   * schedules before: they go on where they were; what a schedule is, its numbers, is the program's
   * and not the state's.
   *
   * <p>Lenient loading is for a model that was changed: parameters that only the optimizer has keep
   * the state that they have, groups that only it has keep their options, and what only the state
   * has is left out.
   *
   * @param strictness what is done about names that only one side has
   * @return the names of parameters that only one side has
   * @throws IllegalArgumentException if the kind, an option, a shape or type does not fit or,
   *     strictly, a name or a schedule is missing; the text lists every problem, and nothing is
   *     changed
   */
  public final LoadResult loadStateDict(OptimizerState state, Strictness strictness) {
    return loader(state, strictness).load();
  }

  /**
   * Every reason why {@link #loadStateDict(OptimizerState, Strictness)} would refuse a state, a
   * line each; none where it fits.
   */
  public final List<String> misfits(OptimizerState state, Strictness strictness) {
    return List.copyOf(loader(state, strictness).problems());
  }

  private StateLoader<O> loader(OptimizerState state, Strictness strictness) {
    steps.settle(groups);
    return new StateLoader<>(kind, steps, groups, run, universe.aliases(), state, strictness);
  }

  // ---- texts

  /** A table of the groups: their parameters, options, rates in force and schedules. */
  public final String describe() {
    return GroupTable.of(groups, universe);
  }

  /**
   * The optimizer in PyTorch's layout: the options in force of each group, sorted by name, then the
   * names of its parameters.
   */
  @Override
  public final String toString() {
    return GroupTable.pytorch(kind, groups);
  }
}
