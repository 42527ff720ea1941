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
  /** They fall along half a cosine, to nearly 0 in the last epoch. */
  COSINE {
    @Override
    void attach(Optimizer<?> optimizer, int epochs) {
      optimizer.schedule(Schedules.cosine(epochs, 0));
    }
  };

  /** Lets it move the rates of an optimizer whose schedules are stepped after each epoch. */
  abstract void attach(Optimizer<?> optimizer, int epochs);

  /** Its name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
