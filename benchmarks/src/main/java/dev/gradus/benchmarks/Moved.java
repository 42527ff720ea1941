package dev.gradus.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * The bytes that an operation must move. JMH, which measures times, reports them as time for each
 * byte; the report turns that into bytes per second.
 */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Moved {
  /** Bytes so far. */
  public long bytes;
}
