package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.nn.Selection;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The named parameters that an optimizer knows, and the group that took each. */
final class Universe {
  private final String kind;
  private final Map<String, Parameter> byName = new LinkedHashMap<>();
  private final Map<String, String> aliases = new LinkedHashMap<>();
  private final IdentityHashMap<Parameter, String> names = new IdentityHashMap<>();
  private final Map<String, String> groupOf = new LinkedHashMap<>();

  Universe(String kind) {
    this.kind = kind;
  }

  Universe copy() {
    Universe u = new Universe(kind);
    u.byName.putAll(byName);
    u.aliases.putAll(aliases);
    u.names.putAll(names);
    u.groupOf.putAll(groupOf);
    return u;
  }

  /** Adds named parameters; those that are known already must have their names. */
  void add(NamedParameters named) {
    for (Map.Entry<String, Parameter> e : named.entries()) {
      add(e.getKey(), e.getValue());
    }
  }

  private void add(String name, Parameter p) {
    Parameter known = byName.get(aliases.getOrDefault(name, name));
    if (known != null && known != p) {
      throw new IllegalArgumentException(
          kind
              + ": the name '"
              + name
              + "' stands for two different parameters; give each model a prefix of its own");
    }
    if (known == null) {
      String first = names.putIfAbsent(p, name);
      if (first == null) {
        byName.put(name, p);
      } else {
        aliases.put(name, first);
      }
    }
  }

  boolean isEmpty() {
    return byName.isEmpty();
  }

  Map<String, String> aliases() {
    return aliases;
  }

  /** The names that no group took. */
  List<String> unused() {
    List<String> unused = new ArrayList<>(byName.keySet());
    unused.removeAll(groupOf.keySet());
    return unused;
  }

  /** The group that took a parameter; null if none did. */
  @Nullable String groupOf(String name) {
    return groupOf.get(name);
  }

  /** What a group's pattern matches and earlier groups took: the number for each of them. */
  Map<String, Integer> shadowed(GroupRequest<?> request) {
    Map<String, Integer> taken = new LinkedHashMap<>();
    Selection selection = request.selection();
    if (selection != null && selection.kind() == Selection.Kind.PATTERN) {
      for (String name : selection.names()) {
        String group = groupOf.get(aliases.getOrDefault(name, name));
        if (group != null) {
          taken.merge(group, 1, Integer::sum);
        }
      }
    }
    return taken;
  }

  /** The members of a group, which takes them. */
  List<Member> take(GroupRequest<?> request) {
    Selection selection = request.selection();
    List<String> chosen = selection == null ? listed(request) : selected(request, selection);
    List<Member> members = new ArrayList<>(chosen.size());
    for (String name : chosen) {
      String other = groupOf.putIfAbsent(name, request.name());
      if (other != null) {
        throw overlap(name, other, request.name());
      }
      members.add(new Member(name, parameter(name)));
    }
    return members;
  }

  private IllegalArgumentException overlap(String name, String one, String two) {
    return new IllegalArgumentException(
        one.equals(two)
            ? "parameter '" + name + "' is twice in param group '" + one + "'; list it once"
            : "parameter '" + name + "' is in two param groups: '" + one + "' and '" + two + "'");
  }

  private Parameter parameter(String name) {
    Parameter p = byName.get(name);
    if (p == null) {
      throw new IllegalStateException(kind + ": there is no parameter '" + name + "'");
    }
    return p;
  }

  /**
   * The names of an explicit list; a parameter without one is named after the group and its index.
   */
  private List<String> listed(GroupRequest<?> request) {
    List<Parameter> list = request.list();
    if (list.isEmpty()) {
      throw new IllegalArgumentException(
          "group '" + request.name() + "': the list of parameters is empty; leave the group out");
    }
    List<String> chosen = new ArrayList<>(list.size());
    for (int i = 0; i < list.size(); i++) {
      Parameter p = list.get(i);
      if (!names.containsKey(p)) {
        add(request.name() + "." + i, p);
      }
      String name = names.get(p);
      if (name != null) {
        chosen.add(name);
      }
    }
    return chosen;
  }

  private List<String> selected(GroupRequest<?> request, Selection selection) {
    List<String> accepted = new ArrayList<>();
    for (String name : selection.requireNames("group '" + request.name() + "'")) {
      accepted.add(aliases.getOrDefault(name, name));
    }
    if (selection.kind() == Selection.Kind.LIST && accepted.isEmpty()) {
      throw new IllegalArgumentException(
          "group '"
              + request.name()
              + "': there are no parameters to optimize; the model has none: layers count when"
              + " they are registered");
    }
    if (selection.kind() == Selection.Kind.LIST) {
      return accepted;
    }
    List<String> left = new ArrayList<>(accepted);
    left.removeAll(groupOf.keySet());
    if (selection.kind() == Selection.Kind.PATTERN && left.isEmpty()) {
      throw SelectionErrors.shadowed(request.name(), selection, accepted, groupOf);
    }
    return left;
  }
}
