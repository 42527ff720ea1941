package dev.gradus.benchmarks;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Backends;
import java.util.Locale;

/** The backends that are measured; each is a constant. */
public enum On {
  /** The host's processor. */
  CPU;

  /** Opens it. */
  Backend open() {
    return Backends.open(name().toLowerCase(Locale.ROOT));
  }
}
