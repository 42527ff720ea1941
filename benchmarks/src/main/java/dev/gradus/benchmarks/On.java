package dev.gradus.benchmarks;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendReport;
import dev.gradus.spi.Backends;
import dev.gradus.spi.Probe;
import java.util.Arrays;
import java.util.Locale;

/** The backends that are measured; each is a constant. */
public enum On {
  /** The host's processor. */
  CPU,
  /** An NVIDIA GPU. */
  CUDA;

  /** Opens it. */
  Backend open() {
    return Backends.open(id());
  }

  private String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Why it cannot be opened here; empty where it can. */
  String problem() {
    for (BackendReport.Candidate c : Backends.report().candidates()) {
      if (c.name().equals(id())) {
        Probe p = c.probe();
        return p.status() == Probe.Status.USABLE ? "" : p.reason() + " (" + p.remedy() + ")";
      }
    }
    return "its jar is not on the class path";
  }

  /** The names of those that can be opened here. */
  static String[] usable() {
    return Arrays.stream(values())
        .filter(on -> on.problem().isEmpty())
        .map(On::name)
        .toArray(String[]::new);
  }
}
