package dev.gradus.io;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What stands in a checkpoint beside the parts of a training: the step that it had reached, and
 * numbers and texts by name that the program wants to find again.
 *
 * @param step how far the training was, in the program's own count; at least 0
 * @param numbers numbers by name
 * @param texts texts by name
 */
public record Notes(long step, SortedMap<String, Double> numbers, SortedMap<String, String> texts) {
  /**
   * Notes; the maps are copied.
   *
   * @throws IllegalArgumentException if the step is negative, or a text has half a surrogate pair
   */
  public Notes {
    numbers = Collections.unmodifiableSortedMap(new TreeMap<>(numbers));
    texts = Collections.unmodifiableSortedMap(new TreeMap<>(texts));
    if (step < 0) {
      throw new IllegalArgumentException("notes: step must be >= 0 but is " + step);
    }
    numbers.keySet().forEach(name -> requireText(name, name));
    texts.forEach(Notes::requireText);
  }

  private static void requireText(String name, String text) {
    if (!Names.isText(name) || !Names.isText(text)) {
      throw new IllegalArgumentException(
          "notes: " + Names.quote(name) + " has half a surrogate pair; it is no text");
    }
  }

  /** Notes with a step alone. */
  public static Notes at(long step) {
    return new Notes(step, new TreeMap<>(), new TreeMap<>());
  }

  /** These notes with a number, which is kept to the last bit. */
  public Notes with(String name, double number) {
    SortedMap<String, Double> more = new TreeMap<>(numbers);
    more.put(name, number);
    return new Notes(step, more, texts);
  }

  /** These notes with a text. */
  public Notes with(String name, String text) {
    SortedMap<String, String> more = new TreeMap<>(texts);
    more.put(name, text);
    return new Notes(step, numbers, more);
  }

  /**
   * A number.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  public double number(String name) {
    return required("number", name, numbers);
  }

  /**
   * A text.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  public String text(String name) {
    return required("text", name, texts);
  }

  private static <T> T required(String what, String name, SortedMap<String, T> all) {
    T value = all.get(name);
    if (value == null) {
      throw new IllegalArgumentException(
          "notes: there is no "
              + what
              + " "
              + Names.quote(name)
              + "; there are ["
              + Names.list(all.keySet())
              + "]");
    }
    return value;
  }
}
