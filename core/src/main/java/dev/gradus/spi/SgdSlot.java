package dev.gradus.spi;

import org.jspecify.annotations.Nullable;

/**
 * One parameter of a batched SGD step, and its state, all of one type and size.
 *
 * @param param the values, updated in place
 * @param grad the gradient, read only
 * @param momentum the momentum buffer; null where momentum is off, and where the gradient is rows
 */
public record SgdSlot(Storage param, Gradient grad, @Nullable Storage momentum) {}
