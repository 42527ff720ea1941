package dev.gradus.optim;

import dev.gradus.nn.Selection;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** What is said of a pattern whose parameters earlier groups took. */
final class SelectionErrors {
  private SelectionErrors() {}

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
}
