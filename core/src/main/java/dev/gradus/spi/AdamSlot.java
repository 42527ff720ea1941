package dev.gradus.spi;

import org.jspecify.annotations.Nullable;

/**
 * One parameter of a batched Adam step, and its state, all of one type and size. The storages stay
 * the same from step to step, so a backend may prepare what it derives from them.
 *
 * @param param the values, updated in place
 * @param grad the gradient, read only; its form chooses {@link AdamPlan}'s rule
 * @param expAvg the running mean of the gradient
 * @param expAvgSq the running mean of its square
 * @param maxExpAvgSq the greatest {@code expAvgSq} so far; null where AMSGrad is off, and where the
 *     gradient is rows
 */
public record AdamSlot(
    Storage param,
    Gradient grad,
    Storage expAvg,
    Storage expAvgSq,
    @Nullable Storage maxExpAvgSq) {}
