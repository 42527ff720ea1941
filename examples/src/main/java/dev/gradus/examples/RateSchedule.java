package dev.gradus.examples;

import dev.gradus.optim.Optimizer;
import dev.gradus.optim.Schedules;
import java.util.Locale;

/** How the learning rates change by themselves from epoch to epoch, beside the cuts by hand. */
enum RateSchedule {
  /** They stay. */
  NONE {
    @Override
    void attach(Optimizer<?> optimizer, int epochs) {}
  },
  /** They fall along a line, to nearly 0 in the last epoch. */
  LINEAR {
    @Override
    void attach(Optimizer<?> optimizer, int epochs) {
      optimizer.schedule(Schedules.linear(1, 0, epochs));
    }
  },
  /** They fall along half a cosine, to nearly 0 in the last epoch. */
  COSINE {
    @Override
    void attach(Optimizer<?> optimizer, int epochs) {
      optimizer.schedule(Schedules.cosine(epochs, 0));
    }
  },
  /**
   * Each group's rises to what the user set, then falls to nearly 0, and beta1 moves against it.
   */
  ONECYCLE {
    @Override
    void attach(Optimizer<?> optimizer, int epochs) {
      optimizer.groups().forEach(g -> g.schedule(Schedules.oneCycle(g.lr(), epochs)));
    }

    @Override
    boolean takesCuts() {
      return false;
    }
  },
  /** They fall to a tenth where the validation loss has not fallen for two epochs. */
  PLATEAU {
    @Override
    void attach(Optimizer<?> optimizer, int epochs) {
      optimizer.schedule(Schedules.reduceOnPlateau().withPatience(1));
    }
  };

  /**
   * Lets it move the rates of an optimizer whose schedules are stepped after each epoch, with the
   * validation loss.
   */
  abstract void attach(Optimizer<?> optimizer, int epochs);

  /** Whether the rates can be cut by hand beside it. */
  boolean takesCuts() {
    return true;
  }

  /** Its name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
