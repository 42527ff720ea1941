package dev.gradus.nn;

/**
 * What loading does about names that only the model or only the given state has. A shape or type
 * that differs is an error either way.
 */
public enum Strictness {
  /** They are an error. */
  STRICT,
  /** They are left alone, and reported. */
  LENIENT
}
