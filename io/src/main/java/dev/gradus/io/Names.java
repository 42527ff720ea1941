package dev.gradus.io;

import java.util.Collection;
import java.util.Iterator;

/** Names of tensors, as rules allow them and messages show them. */
final class Names {
  /** The entry of a header that is no tensor. */
  static final String METADATA = "__metadata__";

  /**
   * Before the name of a tied tensor: the key of the metadata whose value is the name under which
   * its data stands.
   */
  static final String ALIAS = "gradus.alias.";

  private static final int SHOWN = 80;
  private static final int LISTED = 20;

  private Names() {}

  /** Whether a text can be written as UTF-8: no half of a surrogate pair stands alone. */
  static boolean isText(String s) {
    for (int i = 0; i < s.length(); i++) {
      if (Character.isHighSurrogate(s.charAt(i))
          && i + 1 < s.length()
          && Character.isLowSurrogate(s.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(s.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  /** A text in quotes for a message: shortened, and without characters that a terminal obeys. */
  static String quote(String s) {
    StringBuilder out = new StringBuilder("'");
    for (int i = 0; i < s.length() && i < SHOWN; i++) {
      char c = s.charAt(i);
      out.append(Character.isISOControl(c) || Character.isSurrogate(c) ? '?' : c);
    }
    return out.append(s.length() > SHOWN ? "…'" : "'").toString();
  }

  /** The first names of many, in quotes. */
  static String list(Collection<String> names) {
    StringBuilder out = new StringBuilder();
    Iterator<String> it = names.iterator();
    for (int i = 0; i < LISTED && it.hasNext(); i++) {
      out.append(i == 0 ? "" : ", ").append(quote(it.next()));
    }
    return it.hasNext() ? out + ", … " + names.size() + " in all" : out.toString();
  }
}
