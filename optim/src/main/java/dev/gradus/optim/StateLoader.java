package dev.gradus.optim;

import dev.gradus.nn.LoadResult;
import dev.gradus.nn.Parameter;
import dev.gradus.nn.Strictness;
import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Puts a state into an optimizer: first every problem is found, then everything is copied, then it
 * is taken over.
 */
final class StateLoader<O extends OptimizerOptions<O>> {
  private final String kind;
  private final Steps<O> steps;
  private final List<ParamGroup<O>> groups;
  private final @Nullable ScheduleRun run;
  private final OptimizerState state;
  private final Strictness strictness;
  private final Map<String, Member> members = new LinkedHashMap<>();

  /** The names of the state's parameters, in order, each with its name in the optimizer. */
  private final Map<String, String> names = new LinkedHashMap<>();

  private final Map<String, OptimizerState.OfParameter> parameters = new LinkedHashMap<>();
  private final Map<ParamGroup<O>, O> options = new LinkedHashMap<>();
  private final List<String> problems = new ArrayList<>();

  /**
   * A loader, which has looked for problems.
   *
   * @param steps what says which state a parameter has
   * @param run the optimizer's schedule
   * @param aliases the other names of the optimizer's tied parameters
   */
  StateLoader(
      String kind,
      Steps<O> steps,
      List<ParamGroup<O>> groups,
      @Nullable ScheduleRun run,
      Map<String, String> aliases,
      OptimizerState state,
      Strictness strictness) {
    this.kind = kind;
    this.steps = steps;
    this.groups = groups;
    this.run = run;
    this.state = state;
    this.strictness = strictness;
    groups.forEach(g -> g.members().forEach(m -> members.put(m.name, m)));
    resolve(aliases);
    state.parameters().forEach((name, p) -> parameters.put(names.getOrDefault(name, name), p));
    if (state.kind().equals(kind)) {
      compare();
    } else {
      problems.add(
          "it is of "
              + state.kind()
              + " and the optimizer is "
              + kind
              + "; make one of the kind that was saved");
    }
  }

  /**
   * Finds the names of the state in the optimizer. An alias stands for its parameter only where the
   * state has no other name of it: two states of one parameter are a difference.
   */
  private void resolve(Map<String, String> aliases) {
    List<String> saved = new ArrayList<>();
    state.groups().forEach(g -> saved.addAll(g.parameters()));
    Set<String> taken = new HashSet<>(saved);
    for (String name : saved) {
      String canonical = aliases.getOrDefault(name, name);
      boolean alone = members.containsKey(canonical) && taken.add(canonical);
      names.putIfAbsent(name, alone ? canonical : name);
    }
  }

  /** Every reason why the state does not fit. */
  List<String> problems() {
    return problems;
  }

  /** The names that only one side has. */
  private LoadResult difference() {
    return new LoadResult(
        without(members.keySet(), names.values()), without(names.values(), members.keySet()));
  }

  private static List<String> without(Iterable<String> all, Collection<String> others) {
    List<String> left = new ArrayList<>();
    for (String name : all) {
      if (!others.contains(name)) {
        left.add(name);
      }
    }
    return left;
  }

  // ---- what does not fit

  private void compare() {
    if (strictness == Strictness.STRICT) {
      compareGroups();
      LoadResult difference = difference();
      tell("parameters that the optimizer has not: ", difference.unexpected());
      tell("parameters that the state has not: ", difference.missing());
      compareSchedule("the optimizer", state.schedule(), run);
    }
    for (ParamGroup<O> g : groups) {
      OptimizerState.Group saved = saved(g);
      if (saved != null) {
        compareOptions(g, saved);
        if (strictness == Strictness.STRICT) {
          compareSchedule("group '" + g.name() + "'", saved.schedule(), g.ownRun());
        }
      }
      for (Member m : g.members()) {
        OptimizerState.OfParameter state = parameters.get(m.name);
        if (state != null) {
          compareState(
              "parameter '" + m.name + "' in group '" + g.name() + "': ",
              options.getOrDefault(g, g.options()),
              m.parameter,
              state);
        }
      }
    }
  }

  private void compareGroups() {
    List<String> saved = state.groups().stream().map(OptimizerState.Group::name).toList();
    List<String> live = groups.stream().map(ParamGroup::name).toList();
    tell("param groups that the optimizer has not: ", without(saved, live));
    tell("param groups that the state has not: ", without(live, saved));
  }

  private void tell(String what, List<String> names) {
    if (!names.isEmpty()) {
      problems.add(what + SelectionErrors.quoted(names));
    }
  }

  private void compareSchedule(
      String whose, Map<String, Double> saved, @Nullable ScheduleRun live) {
    if (!saved.isEmpty() && live == null) {
      problems.add(
          "the schedule of "
              + whose
              + " went to "
              + saved
              + " but none is attached; attach it before loading");
    } else if (live != null && !live.fits(saved)) {
      problems.add(
          "the schedule of "
              + whose
              + " went to "
              + saved
              + " but "
              + Schedules.text(live.schedule())
              + " is attached, which has no such state; attach the one that was saved");
    }
  }

  private OptimizerState.@Nullable Group saved(ParamGroup<O> group) {
    for (OptimizerState.Group saved : state.groups()) {
      if (saved.name().equals(group.name())) {
        return saved;
      }
    }
    return null;
  }

  private void compareOptions(ParamGroup<O> group, OptimizerState.Group saved) {
    try {
      options.put(group, group.options().withEntries(saved.options()));
    } catch (IllegalArgumentException e) {
      problems.add("group '" + group.name() + "': " + e.getMessage());
    }
  }

  private void compareState(
      String who, O options, Parameter parameter, OptimizerState.OfParameter saved) {
    saved
        .buffers()
        .forEach(
            (name, buffer) -> {
              Shape needed = steps.shapeOf(name, options, parameter.shape());
              if (!buffer.shape().equals(needed)) {
                problems.add(who + differs(name, buffer.shape(), needed, parameter.shape()));
              }
              if (buffer.dtype() != parameter.dtype()) {
                problems.add(
                    who
                        + name
                        + " is "
                        + buffer.dtype().label()
                        + " but the parameter is "
                        + parameter.dtype().label()
                        + "; convert the model after loading, state follows");
              }
            });
    for (String name : steps.scalars(options).keySet()) {
      if (!saved.scalars().containsKey(name)) {
        problems.add(who + name + " is missing in the state");
      }
    }
  }

  private static String differs(String buffer, Shape saved, Shape needed, Shape parameter) {
    String must = needed.equals(parameter) ? "" : " must be " + needed + ";";
    return buffer + " is " + saved + " but" + must + " the parameter is " + parameter;
  }

  // ---- taking over

  /** Takes the state over, and says what only one side has. */
  LoadResult load() {
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(
          kind + ".loadStateDict: the state does not fit:\n  " + String.join("\n  ", problems));
    }
    Map<Member, Map<String, StateTensor>> copies = copies();
    copies.forEach(
        (m, buffers) -> {
          OptimizerState.OfParameter saved = parameters.get(m.name);
          m.count = saved == null ? 0 : saved.steps();
          m.buffers = buffers;
          m.scalars = saved == null ? null : saved.scalars();
          m.fresh = false;
          m.place = null;
        });
    for (ParamGroup<O> g : groups) {
      OptimizerState.Group saved = saved(g);
      if (saved != null) {
        g.takeOver(options.getOrDefault(g, g.options()));
        goOn(g.ownRun(), saved.schedule());
      }
    }
    goOn(run, state.schedule());
    return difference();
  }

  private static void goOn(@Nullable ScheduleRun run, Map<String, Double> saved) {
    if (run != null && run.fits(saved)) {
      run.restore(saved);
    }
  }

  /** The buffers of each parameter that the state knows. */
  private Map<Member, Map<String, StateTensor>> copies() {
    Map<Member, Map<String, StateTensor>> copies = new LinkedHashMap<>();
    for (String name : names.values()) {
      Member m = members.get(name);
      if (m != null) {
        Map<String, StateTensor> buffers = new LinkedHashMap<>();
        OptimizerState.OfParameter saved = parameters.get(name);
        if (saved != null) {
          saved.buffers().forEach((b, v) -> buffers.put(b, StateTensor.reading(m.parameter, v)));
        }
        copies.put(m, buffers);
      }
    }
    return copies;
  }
}
