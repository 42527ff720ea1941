package dev.gradus.optim;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Profiler;
import java.util.Arrays;
import java.util.List;

/**
 * A prepared update of the parameters of one device and type, and which of them take part.
 *
 * @param <H> what parameters of one group share in one step
 */
final class Batch<H> {
  private final String kind;
  private final Device device;
  private final UpdateRule.Update<H> update;
  private final int[] hyperOfSlot;
  private boolean any;

  Batch(String kind, Device device, UpdateRule.Update<H> update, int slots) {
    this.kind = kind;
    this.device = device;
    this.update = update;
    this.hyperOfSlot = new int[slots];
    Arrays.fill(hyperOfSlot, -1);
  }

  boolean isLive() {
    return update.isLive();
  }

  void choose(int slot, int hyper) {
    hyperOfSlot[slot] = hyper;
    any |= hyper >= 0;
  }

  @SuppressWarnings("try") // the span is open for its effect
  void step(List<H> hypers) {
    if (any) {
      any = false;
      try (Profiler.Span span = device.profiler().update(kind)) {
        update.step(hyperOfSlot, hypers);
      }
    }
  }

  /** Frees what was prepared; on a device that is closed it has ended already. */
  void close() {
    if (isOpen()) {
      update.close();
    }
  }

  private boolean isOpen() {
    try {
      device.backend();
      return true;
    } catch (IllegalStateException closed) {
      return false;
    }
  }
}
