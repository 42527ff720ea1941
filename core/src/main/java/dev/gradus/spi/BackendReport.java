package dev.gradus.spi;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What was found when backends were looked for, and which one is chosen.
 *
 * @param candidates every provider found, the highest priority first
 * @param chosen the name of the one that {@code Device.open()} takes; empty when none can be used
 * @param decidedBy what decided: an argument, the property, the environment, or the priority
 * @param problem why the one asked for cannot be used; empty when there is no problem
 */
public record BackendReport(
    List<Candidate> candidates, String chosen, String decidedBy, String problem) {

  /**
   * One provider.
   *
   * @param name its name
   * @param priority its rank
   * @param probe what it found
   */
  public record Candidate(String name, int priority, Probe probe) {}

  /** The report as text for people, one paragraph a backend. */
  @Override
  public String toString() {
    StringBuilder s = new StringBuilder();
    s.append("backend: ").append(chosen.isEmpty() ? "none" : chosen);
    s.append(" (decided by ").append(decidedBy).append(")\n");
    if (!problem.isEmpty()) {
      s.append("problem: ").append(problem).append('\n');
    }
    for (Candidate c : candidates) {
      Probe p = c.probe();
      s.append('\n').append(c.name()).append(": ");
      s.append(p.status().name().toLowerCase(Locale.ROOT));
      s.append(" (priority ").append(c.priority()).append(")\n");
      if (!p.reason().isEmpty()) {
        s.append("  reason: ").append(p.reason()).append('\n');
        s.append("  remedy: ").append(p.remedy()).append('\n');
      }
      if (!p.devices().isEmpty()) {
        s.append("  devices: ").append(String.join(", ", p.devices())).append('\n');
      }
      for (Map.Entry<String, String> e : p.versions().entrySet()) {
        s.append("  ").append(e.getKey()).append(": ").append(e.getValue()).append('\n');
      }
    }
    return s.toString();
  }
}
