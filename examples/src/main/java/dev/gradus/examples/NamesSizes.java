package dev.gradus.examples;

import java.util.Map;
import java.util.TreeMap;

/**
 * The sizes of a model, by name.
 *
 * @param byName each at least 1
 */
record NamesSizes(Map<String, Integer> byName) {
  /** Sizes, sorted by name. */
  NamesSizes {
    byName = new TreeMap<>(byName);
  }

  /** One size. */
  int of(String name) {
    Integer size = byName.get(name);
    if (size == null) {
      throw new IllegalArgumentException(
          "size '" + name + "' is missing; there are " + byName.keySet());
    }
    return size;
  }
}
