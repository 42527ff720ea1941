package dev.gradus.spi;

/**
 * What slots of a batched Adam step share: a group's options and a step count.
 *
 * @param lr the rate in force
 * @param beta1 decay of the mean
 * @param beta2 decay of the mean square
 * @param eps added to the denominator after its bias correction
 * @param weightDecay the decay's factor
 * @param decoupled whether the decay shrinks the parameter by {@code lr * weightDecay} (AdamW) or
 *     is added to the gradient (L2)
 * @param maximize whether the gradient's sign is turned first
 * @param biasCorrection1 {@code 1 - beta1^t}, computed in double
 * @param biasCorrection2 {@code 1 - beta2^t}, computed in double
 */
public record AdamHyper(
    double lr,
    double beta1,
    double beta2,
    double eps,
    double weightDecay,
    boolean decoupled,
    boolean maximize,
    double biasCorrection1,
    double biasCorrection2) {}
