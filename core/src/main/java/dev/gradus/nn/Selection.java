package dev.gradus.nn;

import java.util.List;
import java.util.function.BiPredicate;

/**
 * A choice among named parameters, for a parameter group. It is made when the group is added: only
 * then is known what earlier groups took.
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

  /** The aliases of tied parameters that it accepts. */
  public List<String> aliases() {
    return universe.aliases().keySet().stream()
        .filter(n -> accepts.test(n, universe.get(n)))
        .toList();
  }
}
