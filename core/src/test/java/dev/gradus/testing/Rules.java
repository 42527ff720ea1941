package dev.gradus.testing;

import dev.gradus.types.DType;

/** What the reference backend demands of its caller, so that a mistake of core shows. */
final class Rules {
  private Rules() {}

  static void require(boolean holds, String who, String what) {
    if (!holds) {
      throw new IllegalArgumentException("reference " + who + ": " + what);
    }
  }

  static void sameType(String who, ReferenceStorage x, ReferenceStorage y) {
    require(
        x.dtype() == y.dtype(),
        who,
        "types " + x.dtype().label() + " and " + y.dtype().label() + " differ");
  }

  static void size(String who, String what, ReferenceStorage x, long numel) {
    require(x.numel() == numel, who, what + " has " + x.numel() + " elements, not " + numel);
  }

  static void supported(boolean supported, Object op, DType dtype) {
    if (!supported) {
      throw new UnsupportedOperationException(
          "reference: " + op + " does not support " + dtype.label());
    }
  }
}
