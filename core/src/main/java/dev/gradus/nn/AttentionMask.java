package dev.gradus.nn;

/** Which positions a position may attend to. */
public enum AttentionMask {
  /** All. */
  NONE,
  /**
   * Itself and those before it, counted from the start of both sequences where their lengths
   * differ.
   */
  CAUSAL
}
