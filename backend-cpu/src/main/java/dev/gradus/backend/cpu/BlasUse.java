package dev.gradus.backend.cpu;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How matrix products use a native library. */
enum BlasUse {
  /**
   * In tiles that the shape alone determines, on the backend's own threads: results have the same
   * bits for any number of threads.
   */
  TILED,
  /**
   * Whole matrices, on the library's threads: the last few percent of speed. Bits may then depend
   * on the number of threads.
   */
  WHOLE,
  /** Not at all. */
  OFF;

  /** The system property that chooses. */
  static final String PROPERTY = "gradus.blas";

  /**
   * What the property asks for; {@link #TILED} where it is not set.
   *
   * @throws IllegalArgumentException if it names none of these
   */
  static BlasUse configured() {
    String text = System.getProperty(PROPERTY);
    if (text == null) {
      return TILED;
    }
    for (BlasUse use : values()) {
      if (use.word().equals(text.strip())) {
        return use;
      }
    }
    throw new IllegalArgumentException(
        PROPERTY
            + " must be one of "
            + Arrays.stream(values()).map(BlasUse::word).collect(Collectors.joining(", "))
            + " but is '"
            + text
            + "'");
  }

  /** Its value of the property. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
