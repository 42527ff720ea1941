package dev.gradus.optim;

import dev.gradus.nn.Selection;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** What is said of a pattern that leaves a group without parameters. */
final class SelectionErrors {
  private static final int NEAREST = 3;

  private SelectionErrors() {}

  static IllegalArgumentException matchesNothing(String group, Selection s) {
    List<String> aliases = s.aliases();
    String who = "group '" + group + "': pattern '" + s.description() + "' matches ";
    if (!aliases.isEmpty()) {
      StringJoiner pairs = new StringJoiner(", ");
      for (String alias : aliases) {
        pairs.add("'" + alias + "' is '" + s.universe().aliases().get(alias) + "'");
      }
      return new IllegalArgumentException(
          who + "only other names of tied parameters: " + pairs + "; use the latter");
    }
    List<String> names = s.universe().names();
    if (names.isEmpty()) {
      return new IllegalArgumentException(who + "nothing: there are no parameters to optimize");
    }
    return new IllegalArgumentException(
        who
            + "none of the "
            + names.size()
            + " parameters; the nearest names are "
            + quoted(nearest(s.description(), names)));
  }

  static IllegalArgumentException shadowed(
      String group, Selection s, List<String> accepted, Map<String, String> groupOf) {
    StringJoiner taken = new StringJoiner(", ");
    for (String name : accepted) {
      taken.add("'" + name + "' in '" + groupOf.get(name) + "'");
    }
    return new IllegalArgumentException(
        "group '"
            + group
            + "': all that pattern '"
            + s.description()
            + "' matches is in earlier groups: "
            + taken
            + "; put this group before them or leave it out");
  }

  static String quoted(List<String> names) {
    StringJoiner joined = new StringJoiner(", ");
    names.forEach(n -> joined.add("'" + n + "'"));
    return joined.toString();
  }

  private static List<String> nearest(String pattern, List<String> names) {
    List<String> sorted = new ArrayList<>(names);
    String plain = pattern.replace("*", "");
    sorted.sort(Comparator.comparingInt(n -> distance(plain, n)));
    return sorted.subList(0, Math.min(NEAREST, sorted.size()));
  }

  /** The least number of characters to insert, delete or replace (Levenshtein). */
  static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
