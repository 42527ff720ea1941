package dev.gradus.nn;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Parameters by name, in the order of registration, each once: a parameter that has several names
 * (a tied one) stands under the first, and the others are its aliases.
 *
 * <p>A part of it, for a parameter group, is chosen by a glob, a regular expression, or a
 * predicate. In a glob {@code *} stands for any part of one segment of a name, {@code **} crosses
 * the dots, {@code ?} is one character: {@code linear2.**} is everything in {@code linear2}, {@code
 * **.bias} every bias.
 */
public final class NamedParameters implements Iterable<Map.Entry<String, Parameter>> {
  private final Map<String, Parameter> byName;
  private final Map<String, String> aliases;

  private NamedParameters(Map<String, Parameter> byName, Map<String, String> aliases) {
    this.byName = Collections.unmodifiableMap(byName);
    this.aliases = Collections.unmodifiableMap(aliases);
  }

  /**
   * Named parameters from a list of all names, in order; a parameter that comes again adds an
   * alias.
   *
   * @param all each name with its parameter
   * @throws IllegalArgumentException if a name comes twice
   */
  public static NamedParameters of(List<? extends Map.Entry<String, Parameter>> all) {
    Map<String, Parameter> byName = new LinkedHashMap<>();
    Map<String, String> aliases = new LinkedHashMap<>();
    IdentityHashMap<Parameter, String> first = new IdentityHashMap<>();
    for (Map.Entry<String, Parameter> e : all) {
      String name = e.getKey();
      if (byName.containsKey(name) || aliases.containsKey(name)) {
        throw new IllegalArgumentException(
            "named parameters: the name '"
                + name
                + "' comes twice; give each model a prefix of its own");
      }
      String known = first.putIfAbsent(e.getValue(), name);
      if (known == null) {
        byName.put(name, e.getValue());
      } else {
        aliases.put(name, known);
      }
    }
    return new NamedParameters(byName, aliases);
  }

  /** These and others, in this order: several models for one optimizer. */
  public NamedParameters and(NamedParameters more) {
    List<Map.Entry<String, Parameter>> all = new ArrayList<>(entries());
    all.addAll(more.entries());
    return of(all);
  }

  /** All names with their parameters, those of tied parameters under each of their names. */
  public List<Map.Entry<String, Parameter>> entries() {
    List<Map.Entry<String, Parameter>> all = new ArrayList<>(byName.entrySet());
    for (Map.Entry<String, String> alias : aliases.entrySet()) {
      all.add(Map.entry(alias.getKey(), get(alias.getValue())));
    }
    return all;
  }

  /**
   * The parameter with this name, or alias.
   *
   * @throws IllegalArgumentException if there is none; the text lists the names
   */
  public Parameter get(String name) {
    Parameter p = byName.get(aliases.getOrDefault(name, name));
    if (p == null) {
      throw new IllegalArgumentException(
          "named parameters: there is no '" + name + "'; there are " + byName.keySet());
    }
    return p;
  }

  /** The names, in order, without aliases. */
  public List<String> names() {
    return List.copyOf(byName.keySet());
  }

  /** The parameters, in order, each once. */
  public List<Parameter> parameters() {
    return List.copyOf(byName.values());
  }

  /** Other names of tied parameters, each with the name under which the parameter stands. */
  public Map<String, String> aliases() {
    return aliases;
  }

  /** The name of a parameter; null if it is not one of these. */
  public @Nullable String nameOf(Parameter parameter) {
    for (Map.Entry<String, Parameter> e : byName.entrySet()) {
      if (e.getValue() == parameter) {
        return e.getKey();
      }
    }
    return null;
  }

  /** The number of parameters, tied ones once. */
  public int size() {
    return byName.size();
  }

  @Override
  public Iterator<Map.Entry<String, Parameter>> iterator() {
    return byName.entrySet().iterator();
  }

  // ---- choosing

  /** All of them, as an explicit list: a parameter that is in another group too is an error. */
  public Selection all() {
    return new Selection(this, Selection.Kind.LIST, "all", (name, p) -> true);
  }

  /** Those whose name a glob matches, but for those that an earlier group took. */
  public Selection matching(String glob) {
    Pattern pattern = compile(glob);
    return new Selection(
        this, Selection.Kind.PATTERN, glob, (name, p) -> pattern.matcher(name).matches());
  }

  /**
   * Those whose whole name a regular expression matches, but for those that an earlier group took.
   */
  public Selection matching(Pattern regex) {
    return new Selection(
        this, Selection.Kind.PATTERN, regex.pattern(), (name, p) -> regex.matcher(name).matches());
  }

  /**
   * Those that a predicate on name and parameter accepts, but for those that an earlier group took.
   *
   * @param description what it accepts, for messages and tables
   */
  public Selection where(String description, BiPredicate<String, Parameter> predicate) {
    return new Selection(this, Selection.Kind.PATTERN, description, predicate);
  }

  /** What no earlier group took. */
  public Selection others() {
    return new Selection(this, Selection.Kind.OTHERS, "others", (name, p) -> true);
  }

  private static Pattern compile(String glob) {
    if (glob.isBlank()) {
      throw new IllegalArgumentException(
          "pattern '" + glob + "' is empty; use '**' for all parameters");
    }
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < glob.length(); i++) {
      char c = glob.charAt(i);
      boolean crosses = c == '*' && i + 1 < glob.length() && glob.charAt(i + 1) == '*';
      if (crosses) {
        regex.append(".*");
        i++;
      } else if (c == '*') {
        regex.append("[^.]*");
      } else if (c == '?') {
        regex.append("[^.]");
      } else {
        regex.append(Pattern.quote(String.valueOf(c)));
      }
    }
    return Pattern.compile(regex.toString());
  }

  /** The names with the shapes of their parameters. */
  @Override
  public String toString() {
    StringBuilder s = new StringBuilder();
    for (Map.Entry<String, Parameter> e : this) {
      s.append(s.length() == 0 ? "" : "\n")
          .append(e.getKey())
          .append(' ')
          .append(e.getValue().shape());
    }
    for (Map.Entry<String, String> e : aliases.entrySet()) {
      s.append("\n").append(e.getKey()).append(" = ").append(e.getValue());
    }
    return s.toString();
  }
}
