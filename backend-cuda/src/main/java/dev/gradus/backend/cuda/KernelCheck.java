package dev.gradus.backend.cuda;

import dev.gradus.spi.Backend;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * Compares what a device computes with the {@link RecordedValues}: bit for bit where all kernels of
 * a case have only instructions that IEEE 754 defines, else to {@value #MOST_ULPS} units in the
 * last place. A NaN is as good as any other.
 */
final class KernelCheck {
  /** How far a result may be from the recorded one, where its bits are the device's own. */
  static final int MOST_ULPS = 4;

  private final RecordedValues recorded;
  private final PtxEntries kernels;

  KernelCheck(RecordedValues recorded, PtxEntries kernels) {
    this.recorded = recorded;
    this.kernels = kernels;
  }

  /**
   * What came of a case.
   *
   * @param exact whether its bits had to be the recorded ones
   * @param ulps the farthest that an element is from the recorded one
   * @param problem what is wrong; empty where nothing is
   */
  record Outcome(boolean exact, long ulps, String problem) {}

  /** Runs a case. What the device throws is thrown on. */
  Outcome run(KernelCase kernelCase, Backend backend) {
    RecordedValues.Recorded expected = recorded.of(kernelCase);
    if (expected == null) {
      return new Outcome(true, 0, "the jar has no values of this case");
    }
    return compare(expected, CaseRun.of(kernelCase, backend));
  }

  Outcome compare(RecordedValues.Recorded expected, List<Values> results) {
    Set<String> reasons = new TreeSet<>();
    expected.kernels().forEach(k -> reasons.addAll(kernels.inexact(k)));
    boolean exact = reasons.isEmpty();
    if (results.size() != expected.results().size()) {
      return new Outcome(
          exact, 0, results.size() + " results, recorded are " + expected.results().size());
    }
    long worst = 0;
    String problem = "";
    for (int r = 0; r < results.size(); r++) {
      Values e = expected.results().get(r);
      Values a = results.get(r);
      if (a.dtype() != e.dtype() || a.count() != e.count()) {
        return new Outcome(exact, 0, "result " + r + " has another type or size than recorded");
      }
      for (int i = 0; i < a.count(); i++) {
        long ulps = a.distance(e, i);
        if (ulps > worst) {
          worst = ulps;
          if (ulps > (exact ? 0 : MOST_ULPS)) {
            problem = problem(expected, exact, r, i, a.text(i), e.text(i), ulps);
          }
        }
      }
    }
    return new Outcome(exact, worst, problem);
  }

  private static String problem(
      RecordedValues.Recorded recorded,
      boolean exact,
      int result,
      int element,
      String actual,
      String expected,
      long ulps) {
    return String.format(
        Locale.ROOT,
        "result %d, element %d is %s, recorded is %s: %s, allowed %s; kernels %s",
        result,
        element,
        actual,
        expected,
        ulps == Long.MAX_VALUE ? "no number of ulps apart" : ulps + " ulps apart",
        exact ? "none" : "are " + MOST_ULPS,
        String.join(", ", recorded.kernels()));
  }
}
