package dev.gradus.examples;

/** The characters of names as ids: {@code .}, which ends a name and pads, is 0, then a to z. */
final class Alphabet {
  /** All characters, each at its id. */
  static final String CHARACTERS = ".abcdefghijklmnopqrstuvwxyz";

  /** The number of characters. */
  static final int SIZE = CHARACTERS.length();

  /** The id of the character that ends a name and pads. */
  static final int END = 0;

  private Alphabet() {}

  /** The id of a letter. */
  static int id(char letter) {
    return letter - 'a' + 1;
  }

  /** The character with an id. */
  static char character(int id) {
    return CHARACTERS.charAt(id);
  }

  /** Whether a name has letters only, and at least one. */
  static boolean spells(String name) {
    return !name.isEmpty() && name.chars().allMatch(c -> c >= 'a' && c <= 'z');
  }
}
