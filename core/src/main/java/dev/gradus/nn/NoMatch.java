package dev.gradus.nn;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.StringJoiner;

/** What is said of a pattern that matches no parameter. */
final class NoMatch {
  private static final int NEAREST = 3;

  private NoMatch() {}

  static IllegalArgumentException error(String who, Selection s) {
    List<String> aliases = s.aliases();
    String text = who + ": pattern '" + s.description() + "' matches ";
    if (!aliases.isEmpty()) {
      StringJoiner pairs = new StringJoiner(", ");
      for (String alias : aliases) {
        pairs.add("'" + alias + "' is '" + s.universe().aliases().get(alias) + "'");
      }
      return new IllegalArgumentException(
          text + "only other names of tied parameters: " + pairs + "; use the latter");
    }
    List<String> names = s.universe().names();
    if (names.isEmpty()) {
      return new IllegalArgumentException(
          text + "nothing: there are no parameters; layers count when they are registered");
    }
    return new IllegalArgumentException(
        text
            + "none of the "
            + names.size()
            + " parameters; the nearest names are "
            + quoted(nearest(s.description(), names)));
  }

  private static String quoted(List<String> names) {
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
