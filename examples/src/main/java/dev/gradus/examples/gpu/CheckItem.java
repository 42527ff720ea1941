package dev.gradus.examples.gpu;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One thing that was checked.
 *
 * @param name what
 * @param outcome what came of it
 * @param message why it failed or was skipped; else empty
 * @param values what was measured, each with its name
 */
public record CheckItem(String name, Outcome outcome, String message, Map<String, Object> values) {
  /** What can come of it. */
  public enum Outcome {
    /** It is as it should be. */
    PASSED,
    /** It is not. */
    FAILED,
    /** It could not be checked here. */
    SKIPPED
  }

  /** An item; the values are copied. */
  public CheckItem {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /** An item without values. */
  static CheckItem of(String name, Outcome outcome, String message) {
    return new CheckItem(name, outcome, message, Map.of());
  }

  static CheckItem failed(String name, String message) {
    return of(name, Outcome.FAILED, message);
  }
}
