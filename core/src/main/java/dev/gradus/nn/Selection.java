package dev.gradus.nn;

import java.util.List;
import java.util.function.BiPredicate;

/**
 * A choice among named parameters, for a parameter group, or to freeze and thaw them. That of a
 * group is made when the group is added: only then is known what earlier groups took.
 *
 * @param universe the named parameters chosen from; those that no group takes are an error
 * @param kind how it deals with what earlier groups took
 * @param description the pattern, for messages and tables
 * @param accepts the choice by name and parameter
 */
public record Selection(
    NamedParameters universe,
    Kind kind,
    String description,
    BiPredicate<String, Parameter> accepts) {

  /** How a choice deals with what earlier groups took. */
  public enum Kind {
    /** An explicit list: taking one again is an error. */
    LIST,
    /** A pattern: the earlier group keeps what it took; to be left with nothing is an error. */
    PATTERN,
    /** What is left: may be nothing. */
    OTHERS
  }

  /** The names that it accepts, whatever earlier groups took. */
  public List<String> names() {
    return universe.names().stream().filter(n -> accepts.test(n, universe.get(n))).toList();
  }

  /**
   * The names that it accepts, at least one where it is a pattern.
   *
   * @param who what the message names
   * @throws IllegalArgumentException if it is a pattern that matches none; the text has the nearest
   *     names
   */
  public List<String> requireNames(String who) {
    List<String> names = names();
    if (kind == Kind.PATTERN && names.isEmpty()) {
      throw NoMatch.error(who, this);
    }
    return names;
  }

  /**
   * Freezes the parameters: they get no gradients, and what they had is forgotten, so that no
   * optimizer moves them. What an optimizer keeps for them, state and counts, waits.
   *
   * @throws IllegalArgumentException if it is a pattern that matches none, or {@code others()}
   */
  public void freeze() {
    requireGrad("freeze", false);
  }

  /**
   * Thaws the parameters: from the next backward on they get gradients again, and an optimizer goes
   * on with the state and the counts that they had.
   *
   * @throws IllegalArgumentException if it is a pattern that matches none, or {@code others()}
   */
  public void thaw() {
    requireGrad("thaw", true);
  }

  private void requireGrad(String who, boolean required) {
    if (kind == Kind.OTHERS) {
      throw new IllegalArgumentException(
          who
              + ": '"
              + description
              + "' is what no group of an optimizer takes; choose with matching(pattern) or all()");
    }
    requireNames(who).forEach(n -> universe.get(n).requiresGrad(required));
  }

  /** The aliases of tied parameters that it accepts. */
  public List<String> aliases() {
    return universe.aliases().keySet().stream()
        .filter(n -> accepts.test(n, universe.get(n)))
        .toList();
  }
}
