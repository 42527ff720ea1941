package dev.gradus.optim;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The groups of an optimizer as text. */
final class GroupTable {
  private static final List<String> HEAD =
      List.of("group", "parameters", "tensors", "elements", "lr", "lr now", "schedule", "options");

  private GroupTable() {}

  static <O extends OptimizerOptions<O>> String pytorch(String kind, List<ParamGroup<O>> groups) {
    StringBuilder s = new StringBuilder(kind).append(" (");
    for (int i = 0; i < groups.size(); i++) {
      ParamGroup<O> g = groups.get(i);
      s.append(i == 0 ? "\n" : "\n\n").append("Parameter Group ").append(i);
      Map<String, Object> lines = new TreeMap<>(inForce(g).entries());
      lines.put("lr", g.lrNow());
      lines.put("name", g.name());
      if (g.schedule() != null) {
        lines.put("initial_lr", g.lr());
      }
      lines.forEach((k, v) -> s.append("\n    ").append(k).append(": ").append(PythonFormat.of(v)));
      StringJoiner names = new StringJoiner(", ", "[", "]");
      g.names().forEach(n -> names.add("'" + n + "'"));
      s.append("\n    param_names: ").append(names);
    }
    return s.append("\n)").toString();
  }

  static <O extends OptimizerOptions<O>> String of(List<ParamGroup<O>> groups, Universe universe) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(HEAD);
    for (ParamGroup<O> g : groups) {
      rows.add(row(g));
    }
    StringBuilder s = new StringBuilder(aligned(rows));
    groups.forEach(g -> s.append(frozen(g)).append(shadowed(g)));
    List<String> unused = universe.unused();
    if (!unused.isEmpty()) {
      s.append("in no group: ").append(String.join(", ", unused)).append('\n');
    }
    universe
        .aliases()
        .forEach(
            (alias, name) -> {
              String group = universe.groupOf(name);
              s.append("tied: ").append(alias).append(" is ").append(name);
              s.append(group == null ? "" : " in group " + group).append('\n');
            });
    return s.toString();
  }

  /**
   * What of a group takes no part in steps: {@code frozen: 2 of 3 tensors of group head, 12
   * elements}.
   */
  private static String frozen(ParamGroup<?> g) {
    int tensors = 0;
    long elements = 0;
    for (Member m : g.members()) {
      if (!m.parameter.requiresGrad()) {
        tensors++;
        elements += m.parameter.numel();
      }
    }
    return tensors == 0
        ? ""
        : "frozen: %d of %d tensors of group %s, %d elements\n"
            .formatted(tensors, g.members().size(), g.name(), elements);
  }

  /** What a pattern matches beside what the group has: {@code … 2 in group head}. */
  private static String shadowed(ParamGroup<?> g) {
    if (g.shadowed().isEmpty()) {
      return "";
    }
    StringJoiner taken = new StringJoiner(", ");
    g.shadowed().forEach((group, n) -> taken.add(n + " in group " + group));
    return "shadowed: " + g.selected() + " of group " + g.name() + " also matches " + taken + "\n";
  }

  private static <O extends OptimizerOptions<O>> List<String> row(ParamGroup<O> g) {
    long elements = 0;
    for (Member m : g.members()) {
      elements += m.parameter.numel();
    }
    StringJoiner options = new StringJoiner(", ");
    inForce(g)
        .entries()
        .forEach(
            (k, v) -> {
              if (!k.equals("lr")) {
                options.add(k + " " + PythonFormat.of(v));
              }
            });
    return List.of(
        g.name(),
        g.selected(),
        String.valueOf(g.members().size()),
        String.valueOf(elements),
        PythonFormat.of(g.lr()),
        PythonFormat.of(g.lrNow()),
        scheduleOf(g.schedule(), g.scheduleStep()),
        options.toString());
  }

  /** The options in force; the user's where the schedule makes none that are allowed. */
  private static <O extends OptimizerOptions<O>> O inForce(ParamGroup<O> g) {
    try {
      return g.optionsNow();
    } catch (IllegalArgumentException notAllowed) {
      return g.options();
    }
  }

  private static String scheduleOf(@Nullable Schedule schedule, long step) {
    return schedule == null ? "-" : Schedules.text(schedule) + " at " + step;
  }

  private static String aligned(List<List<String>> rows) {
    int columns = rows.get(0).size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int c = 0; c < columns; c++) {
        widths[c] = Math.max(widths[c], row.get(c).length());
      }
    }
    StringBuilder s = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int c = 0; c < columns; c++) {
        String cell = row.get(c);
        boolean number = c >= 2 && c <= 5;
        String pad = " ".repeat(widths[c] - cell.length());
        line.append(c == 0 ? "" : "  ").append(number ? pad + cell : cell + pad);
      }
      s.append(line.toString().stripTrailing()).append('\n');
    }
    return s.toString();
  }
}
