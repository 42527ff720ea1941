package dev.gradus.spi;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a provider found out about itself on this machine.
 *
 * @param status whether it can be used
 * @param reason why not; empty when usable
 * @param remedy what a user can do about it; empty when usable
 * @param devices the devices that can be opened, by name
 * @param versions versions and features, each with its name
 * @param cause the first error met; null when there was none
 */
public record Probe(
    Status status,
    String reason,
    String remedy,
    List<String> devices,
    Map<String, String> versions,
    @Nullable Throwable cause) {

  /** The outcomes of a probe. */
  public enum Status {
    /** It can be opened. */
    USABLE,
    /** What it needs is not on this machine: nothing is wrong. */
    ABSENT,
    /** What it needs is here and does not work. */
    BROKEN
  }

  /** A usable backend. */
  public static Probe usable(List<String> devices, Map<String, String> versions) {
    return new Probe(Status.USABLE, "", "", List.copyOf(devices), versions, null);
  }

  /** A backend that cannot be used. */
  public static Probe unusable(
      Status status, String reason, String remedy, @Nullable Throwable cause) {
    return new Probe(status, reason, remedy, List.of(), Map.of(), cause);
  }
}
