package dev.gradus.optim;

import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Puts a state into an optimizer: first every problem is found, then everything is copied, then it
 * is taken over.
 */
final class StateLoader<O extends OptimizerOptions<O>> {
  private final UpdateRule<O, ?> rule;
  private final List<ParamGroup<O>> groups;
  private final OptimizerState<O> state;
  private final Map<String, Member> members = new LinkedHashMap<>();

  /** The names of the state's parameters, in order, each with its name in the optimizer. */
  private final Map<String, String> names = new LinkedHashMap<>();

  private final Map<String, OptimizerState.OfParameter> parameters = new LinkedHashMap<>();
  private final List<String> problems = new ArrayList<>();

  /**
   * A loader.
   *
   * @param rule what says which state a parameter has
   * @param aliases the other names of the optimizer's tied parameters
   */
  StateLoader(
      UpdateRule<O, ?> rule,
      List<ParamGroup<O>> groups,
      Map<String, String> aliases,
      OptimizerState<O> state) {
    this.rule = rule;
    this.groups = groups;
    this.state = state;
    groups.forEach(g -> g.members().forEach(m -> members.put(m.name, m)));
    resolve(aliases);
    state.parameters().forEach((name, p) -> parameters.put(names.getOrDefault(name, name), p));
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

  void load(String kind) {
    if (state.kind().equals(kind)) {
      compareGroups();
      compareParameters();
      compareStates();
    } else {
      problems.add("it is of " + state.kind());
    }
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(
          kind + ".loadStateDict: the state does not fit:\n  " + String.join("\n  ", problems));
    }
    takeOver(copies());
  }

  private void compareGroups() {
    List<String> saved = state.groups().stream().map(OptimizerState.Group::name).toList();
    List<String> live = groups.stream().map(ParamGroup::name).toList();
    tellDifference("param groups", saved, live);
  }

  private void compareParameters() {
    tellDifference("parameters", List.copyOf(names.values()), List.copyOf(members.keySet()));
  }

  private void tellDifference(String what, List<String> saved, List<String> live) {
    List<String> unknown = new ArrayList<>(saved);
    unknown.removeAll(live);
    if (!unknown.isEmpty()) {
      problems.add(what + " that the optimizer has not: " + SelectionErrors.quoted(unknown));
    }
    List<String> missing = new ArrayList<>(live);
    missing.removeAll(saved);
    if (!missing.isEmpty()) {
      problems.add(what + " that the state has not: " + SelectionErrors.quoted(missing));
    }
  }

  private void compareStates() {
    for (ParamGroup<O> g : groups) {
      for (Member m : g.members()) {
        OptimizerState.OfParameter saved = parameters.get(m.name);
        if (saved != null) {
          compareShapes(g, m, saved);
          for (String name : rule.scalars(g.options()).keySet()) {
            if (!saved.scalars().containsKey(name)) {
              problems.add(in(g, m) + name + " is missing in the state");
            }
          }
        }
      }
    }
  }

  private void compareShapes(ParamGroup<O> g, Member m, OptimizerState.OfParameter saved) {
    Shape shape = m.parameter.shape();
    saved
        .buffers()
        .forEach(
            (name, buffer) -> {
              Shape needed = rule.start(name, g.options(), shape).shape();
              if (!buffer.shape().equals(needed)) {
                String must = needed.equals(shape) ? "" : " must be " + needed + ";";
                problems.add(
                    in(g, m)
                        + name
                        + " is "
                        + buffer.shape()
                        + " but"
                        + must
                        + " the parameter is "
                        + shape);
              }
            });
  }

  private static String in(ParamGroup<?> g, Member m) {
    return "parameter '" + m.name + "' in group '" + g.name() + "': ";
  }

  private Map<String, Map<String, StateTensor>> copies() {
    Map<String, Map<String, StateTensor>> copies = new LinkedHashMap<>();
    parameters.forEach(
        (name, saved) -> {
          Member m = members.get(name);
          if (m != null) {
            Map<String, StateTensor> buffers = new LinkedHashMap<>();
            saved.buffers().forEach((b, t) -> buffers.put(b, StateTensor.copyFor(m.parameter, t)));
            copies.put(name, buffers);
          }
        });
    return copies;
  }

  private void takeOver(Map<String, Map<String, StateTensor>> copies) {
    for (Member m : members.values()) {
      OptimizerState.OfParameter saved = parameters.get(m.name);
      m.count = saved == null ? 0 : saved.steps();
      m.buffers = copies.getOrDefault(m.name, new LinkedHashMap<>());
      m.scalars = saved == null ? null : saved.scalars();
      m.fresh = false;
      m.place = null;
    }
    for (ParamGroup<O> g : groups) {
      for (OptimizerState.Group<O> saved : state.groups()) {
        if (saved.name().equals(g.name())) {
          g.setOptions(saved.options());
          ScheduleRun own = g.ownRun();
          if (own != null) {
            own.goTo(saved.scheduleStep());
          }
        }
      }
    }
  }
}
