package dev.gradus.testing;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A reader of JSON (RFC 8259) with Python's NaN and Infinity, and without null. */
final class JsonReader {
  private final String text;
  private int pos;

  JsonReader(String text) {
    this.text = text;
  }

  Object document() {
    Object value = value();
    skipSpace();
    if (pos != text.length()) {
      throw malformed("text after the value");
    }
    return value;
  }

  private Object value() {
    skipSpace();
    if (pos == text.length()) {
      throw malformed("a value is missing");
    }
    return switch (text.charAt(pos)) {
      case '{' -> object();
      case '[' -> array();
      case '"' -> string();
      default -> word();
    };
  }

  private Map<String, Object> object() {
    Map<String, Object> map = new LinkedHashMap<>();
    pos++;
    while (!ends('}', map.isEmpty())) {
      skipSpace();
      if (pos == text.length() || text.charAt(pos) != '"') {
        throw malformed("a key is missing");
      }
      String key = string();
      skipSpace();
      expect(':');
      if (map.put(key, value()) != null) {
        throw malformed("key '" + key + "' is there twice");
      }
    }
    return map;
  }

  private List<Object> array() {
    List<Object> list = new ArrayList<>();
    pos++;
    while (!ends(']', list.isEmpty())) {
      list.add(value());
    }
    return list;
  }

  /** Whether the bracket closes here; if not, the comma between elements is passed. */
  private boolean ends(char bracket, boolean first) {
    skipSpace();
    if (pos < text.length() && text.charAt(pos) == bracket) {
      pos++;
      return true;
    }
    if (!first) {
      expect(',');
    }
    return false;
  }

  private String string() {
    StringBuilder s = new StringBuilder();
    pos++;
    while (pos < text.length() && text.charAt(pos) != '"') {
      char c = text.charAt(pos++);
      s.append(c == '\\' ? escaped() : c);
    }
    expect('"');
    return s.toString();
  }

  private char escaped() {
    char c = pos < text.length() ? text.charAt(pos++) : ' ';
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> unicode();
      default -> throw malformed("unknown escape");
    };
  }

  private char unicode() {
    if (pos + 4 > text.length()) {
      throw malformed("unknown escape");
    }
    pos += 4;
    return (char) Integer.parseInt(text.substring(pos - 4, pos), 16);
  }

  private Object word() {
    int start = pos;
    while (pos < text.length() && ",]} \t\r\n".indexOf(text.charAt(pos)) < 0) {
      pos++;
    }
    String word = text.substring(start, pos);
    return switch (word) {
      case "true" -> true;
      case "false" -> false;
      case "NaN" -> Double.NaN;
      case "Infinity" -> Double.POSITIVE_INFINITY;
      case "-Infinity" -> Double.NEGATIVE_INFINITY;
      default -> decimal(word);
    };
  }

  private Double decimal(String word) {
    if (!word.matches("-?\\d+(\\.\\d+)?([eE][+-]?\\d+)?")) {
      throw malformed("'" + word + "' is not a value");
    }
    return Double.valueOf(word);
  }

  private void skipSpace() {
    while (pos < text.length() && " \t\r\n".indexOf(text.charAt(pos)) >= 0) {
      pos++;
    }
  }

  private void expect(char c) {
    if (pos == text.length() || text.charAt(pos) != c) {
      throw malformed("'" + c + "' is missing");
    }
    pos++;
  }

  private IllegalArgumentException malformed(String what) {
    return new IllegalArgumentException("JSON: " + what + " at position " + pos);
  }
}
