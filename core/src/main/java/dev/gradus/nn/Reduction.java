package dev.gradus.nn;

/** How the losses of single elements become the result. */
public enum Reduction {
  /** Their mean. */
  MEAN,
  /** Their sum. */
  SUM,
  /** They stay as they are. */
  NONE
}
