package dev.gradus.optim;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is done before and after the steps of an optimizer. */
final class StepHooks {
  private final String kind;

  /* Lists that do not change: a hook that is added or removed by a hook counts from the next step. */
  private List<StepHook> before = List.of();
  private List<StepHook> after = List.of();

  private boolean stepping;

  StepHooks(String kind) {
    this.kind = kind;
  }

  StepHook before(@Nullable Runnable action) {
    StepHook hook = hook("beforeStep", action);
    before = with(before, hook);
    return hook;
  }

  StepHook after(@Nullable Runnable action) {
    StepHook hook = hook("afterStep", action);
    after = with(after, hook);
    return hook;
  }

  private StepHook hook(String what, @Nullable Runnable action) {
    if (action == null) {
      throw new IllegalArgumentException(
          kind + "." + what + ": the action is null; give what is to be done");
    }
    return new StepHook(this, action);
  }

  private static List<StepHook> with(List<StepHook> hooks, StepHook hook) {
    List<StepHook> more = new ArrayList<>(hooks);
    more.add(hook);
    return List.copyOf(more);
  }

  void remove(StepHook hook) {
    before = without(before, hook);
    after = without(after, hook);
  }

  private static List<StepHook> without(List<StepHook> hooks, StepHook hook) {
    return hooks.stream().filter(h -> h != hook).toList();
  }

  /** Makes a step between what comes before and after it. */
  void around(Runnable step) {
    List<StepHook> then = after;
    withoutAfter(step);
    then.forEach(StepHook::run);
  }

  /** Makes a step behind what comes before it. */
  void withoutAfter(Runnable step) {
    if (stepping) {
      throw new IllegalStateException(
          kind + ".step: called by a hook before a step; the step comes after it by itself");
    }
    stepping = true;
    try {
      before.forEach(StepHook::run);
      step.run();
    } finally {
      stepping = false;
    }
  }
}
