package dev.gradus.examples.parity;

import java.util.Collection;
import java.util.StringJoiner;

/** Texts of a file in messages and tables. */
final class Quoted {
  private static final int SHOWN = 80;
  private static final int LISTED = 20;

  private Quoted() {}

  /** A text in quotes, shortened, and without characters that a terminal obeys. */
  static String of(String text) {
    return "'" + plain(text) + "'";
  }

  /** A text without quotes, shortened, and without characters that a terminal obeys. */
  static String plain(String text) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length() && i < SHOWN; i++) {
      char c = text.charAt(i);
      out.append(Character.isISOControl(c) || Character.isSurrogate(c) ? '?' : c);
    }
    return text.length() > SHOWN ? out + "…" : out.toString();
  }

  /** The first of many texts, each in quotes. */
  static String all(Collection<String> texts) {
    StringJoiner out = new StringJoiner(", ");
    int n = 0;
    for (String text : texts) {
      if (n++ == LISTED) {
        return out + ", … " + texts.size() + " in all";
      }
      out.add(of(text));
    }
    return out.toString();
  }
}
