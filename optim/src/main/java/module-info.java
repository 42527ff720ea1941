/** Optimizers with parameter groups, and schedules of their learning rates. */
module dev.gradus.optim {
  requires transitive dev.gradus.core;
  requires static org.jspecify;

  exports dev.gradus.optim;
}
