package dev.gradus.spi;

import org.jspecify.annotations.Nullable;

/**
 * One parameter of a batched Adam step, and its state, all of one type and size. The storages stay
 * the same from step to step, so a backend may prepare what it derives from them.
 *
 * @param param the values, updated in place
 * @param grad the gradient, read only
 * @param expAvg the running mean of the gradient
 * @param expAvgSq the running mean of its square
 * @param maxExpAvgSq the greatest {@code expAvgSq} so far; null where AMSGrad is off
 */
public record AdamSlot(
    Storage param, Storage grad, Storage expAvg, Storage expAvgSq, @Nullable Storage maxExpAvgSq) {}
