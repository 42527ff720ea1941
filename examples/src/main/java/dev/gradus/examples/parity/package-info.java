/**
 * Parity: how far this engine's optimizers are from recorded ones.
 *
 * <p>A {@link dev.gradus.examples.parity.Recording} holds what another engine did; {@link
 * dev.gradus.examples.parity.Replay} does the same steps with this one; a {@link
 * dev.gradus.examples.parity.Comparison} says how far apart they are. The format is in {@code
 * docs/parity.md}.
 */
@NullMarked
package dev.gradus.examples.parity;

import org.jspecify.annotations.NullMarked;
