package dev.gradus.nn;

/** Which positions a position may attend to. */
public enum AttentionMask {
  /** All. */
  NONE,
  /** Itself and those before it. */
  CAUSAL
}
