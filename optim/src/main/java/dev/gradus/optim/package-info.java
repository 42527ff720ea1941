/**
 * Optimizers with named parameter groups, and schedules of their rates.
 *
 * <p>{@link dev.gradus.optim.Optimizer} owns what is not mathematics: the groups, the names, the
 * state of each parameter, the batched step. An optimizer of its own kind is one file: a class with
 * a record of options and an {@link dev.gradus.optim.UpdateRule}.
 */
@NullMarked
package dev.gradus.optim;

import org.jspecify.annotations.NullMarked;
