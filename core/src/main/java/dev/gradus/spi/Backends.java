package dev.gradus.spi;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds backends and opens one: the one asked for by argument, else by the system property {@code
 * gradus.backend}, else by the environment's {@code GRADUS_BACKEND}, else the usable one with the
 * highest priority. A backend that was asked for by name is never replaced by another.
 */
public final class Backends {
  /** The system property that names the backend, as {@code cuda} or {@code cuda:1}. */
  public static final String PROPERTY = "gradus.backend";

  /** The environment variable that names the backend when the property does not. */
  public static final String ENVIRONMENT = "GRADUS_BACKEND";

  private static final AtomicBoolean FALLBACK_TOLD = new AtomicBoolean();

  private Backends() {}

  /**
   * A wish for a backend: a name, the device's number, and who wished. Name null: the best usable
   * one.
   */
  private record Wish(@Nullable String name, int ordinal, String source) {}

  /**
   * What can be used here and what {@code Device.open()} would take; opens nothing and never
   * throws.
   */
  public static BackendReport report() {
    Found found = Found.load();
    try {
      Wish wish = wish(null);
      return found.report(wish);
    } catch (IllegalArgumentException e) {
      return new BackendReport(
          found.candidates(), "", "the request", String.valueOf(e.getMessage()));
    }
  }

  /**
   * Opens a backend.
   *
   * @param request {@code cpu}, {@code cuda}, {@code cuda:1}; null for the property's, the
   *     environment's, or the best usable one
   * @throws IllegalArgumentException if the request is not a name with an optional number
   * @throws BackendException if the backend asked for, or every backend, cannot be used
   */
  public static Backend open(@Nullable String request) {
    Wish wish = wish(request);
    Found found = Found.load();
    BackendReport report = found.report(wish);
    if (report.chosen().isEmpty()) {
      throw failure(report, wish);
    }
    if (wish.name() == null) {
      tellFallback(report);
    }
    return found.provider(report.chosen()).open(wish.ordinal());
  }

  /** The error, with the first cause among the backends that could have been meant. */
  private static BackendException failure(BackendReport report, Wish wish) {
    for (BackendReport.Candidate c : report.candidates()) {
      Throwable cause = c.probe().cause();
      if (cause != null && (wish.name() == null || wish.name().equals(c.name()))) {
        return new BackendException(report.problem(), cause);
      }
    }
    return new BackendException(report.problem());
  }

  private static Wish wish(@Nullable String request) {
    if (request != null) {
      return parse(request, "the argument");
    }
    String property = System.getProperty(PROPERTY);
    if (property != null && !property.isBlank()) {
      return parse(property, "the system property " + PROPERTY);
    }
    String variable = System.getenv(ENVIRONMENT);
    if (variable != null && !variable.isBlank()) {
      return parse(variable, "the environment variable " + ENVIRONMENT);
    }
    return new Wish(null, 0, "priority");
  }

  private static Wish parse(String text, String source) {
    String[] parts = text.strip().split(":", -1);
    boolean numbered = parts.length == 2 && parts[1].matches("\\d{1,4}");
    if (parts[0].isEmpty() || parts.length > 2 || (parts.length == 2 && !numbered)) {
      throw new IllegalArgumentException(
          "backend '"
              + text
              + "' (from "
              + source
              + ") is not a backend's name; use a name and at most a device's number, as cpu or"
              + " cuda:1");
    }
    return new Wish(parts[0], numbered ? Integer.parseInt(parts[1]) : 0, source);
  }

  /**
   * One line, once a process, when a better backend than the chosen one is there and not usable.
   */
  private static void tellFallback(BackendReport report) {
    for (BackendReport.Candidate c : report.candidates()) {
      if (c.name().equals(report.chosen())) {
        return;
      }
      if (FALLBACK_TOLD.compareAndSet(false, true)) {
        Probe p = c.probe();
        Logger log = System.getLogger("dev.gradus");
        log.log(
            p.status() == Probe.Status.BROKEN ? Level.WARNING : Level.INFO,
            "backend ''{0}'' is not usable: {1} ({2}); using ''{3}''",
            c.name(),
            p.reason(),
            p.remedy(),
            report.chosen());
      }
    }
  }

  /** The providers of this process, each with its probe, the highest priority first. */
  private record Found(List<BackendProvider> providers, List<BackendReport.Candidate> candidates) {

    static Found load() {
      List<BackendProvider> providers = new ArrayList<>();
      List<BackendReport.Candidate> candidates = new ArrayList<>();
      Iterator<ServiceLoader.Provider<BackendProvider>> all =
          ServiceLoader.load(BackendProvider.class, Backends.class.getClassLoader()).stream()
              .iterator();
      boolean more = true;
      while (more) {
        try {
          more = all.hasNext();
          if (more) {
            BackendProvider provider = all.next().get();
            providers.add(provider);
            candidates.add(probe(provider));
          }
        } catch (ServiceConfigurationError | RuntimeException | LinkageError e) {
          candidates.add(broken(e));
        }
      }
      candidates.sort(
          Comparator.comparingInt(BackendReport.Candidate::priority)
              .reversed()
              .thenComparing(BackendReport.Candidate::name));
      return new Found(providers, candidates);
    }

    /**
     * A probe must not throw; one that does all the same is a broken backend, not the end of the
     * search.
     */
    private static BackendReport.Candidate probe(BackendProvider provider) {
      String name = provider.name();
      int priority = provider.priority();
      try {
        return new BackendReport.Candidate(name, priority, provider.probe());
      } catch (RuntimeException | LinkageError e) {
        Probe probe =
            Probe.unusable(
                Probe.Status.BROKEN,
                "its probe threw " + root(e),
                "report it to those who made the backend: a probe must not throw",
                e);
        return new BackendReport.Candidate(name, priority, probe);
      }
    }

    private static BackendReport.Candidate broken(Throwable e) {
      Probe probe =
          Probe.unusable(
              Probe.Status.BROKEN,
              "its provider could not be loaded: " + e.getMessage() + ", because of " + root(e),
              "check the jars on the class path or module path",
              e);
      return new BackendReport.Candidate("unknown", Integer.MIN_VALUE, probe);
    }

    private static Throwable root(Throwable e) {
      Throwable root = e;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      return root;
    }

    BackendProvider provider(String name) {
      for (BackendProvider p : providers) {
        if (p.name().equals(name)) {
          return p;
        }
      }
      throw new IllegalStateException("no provider '" + name + "'");
    }

    BackendReport report(Wish wish) {
      String chosen = "";
      String problem = "";
      for (BackendReport.Candidate c : candidates) {
        boolean usable = c.probe().status() == Probe.Status.USABLE;
        boolean wanted = wish.name() == null || wish.name().equals(c.name());
        if (usable && wanted && chosen.isEmpty()) {
          chosen = c.name();
        } else if (wanted && wish.name() != null && !usable) {
          problem = unusable(c);
        }
      }
      if (chosen.isEmpty() && problem.isEmpty()) {
        problem = wish.name() == null ? noneUsable() : missing(wish);
      }
      return new BackendReport(List.copyOf(candidates), chosen, wish.source(), problem);
    }

    private static String unusable(BackendReport.Candidate c) {
      return "backend '"
          + c.name()
          + "' is not usable: "
          + c.probe().reason()
          + " ("
          + c.probe().remedy()
          + ")";
    }

    private String noneUsable() {
      if (candidates.isEmpty()) {
        return "no backend was found; add gradus-backend-cpu to the class path or module path";
      }
      return candidates.stream().map(Found::unusable).collect(Collectors.joining("; "));
    }

    private String missing(Wish wish) {
      String there =
          candidates.stream().map(BackendReport.Candidate::name).collect(Collectors.joining(", "));
      return "backend '"
          + wish.name()
          + "' (from "
          + wish.source()
          + ") was not found; there "
          + (candidates.isEmpty() ? "is none; " : "are: " + there + "; ask for one of these, or ")
          + "put the jar of the backend on the class path or module path";
    }
  }
}
