package dev.gradus.optim;

/**
 * Something that is done before or after each step of an optimizer, until it is removed: {@link
 * Optimizer#beforeStep} and {@link Optimizer#afterStep}.
 */
public final class StepHook {
  private final StepHooks hooks;
  private final Runnable action;

  StepHook(StepHooks hooks, Runnable action) {
    this.hooks = hooks;
    this.action = action;
  }

  void run() {
    action.run();
  }

  /** Ends it, from the next step on; a second call does nothing. */
  public void remove() {
    hooks.remove(this);
  }
}
