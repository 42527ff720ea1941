package dev.gradus.spi;

/**
 * What slots of a batched SGD step share.
 *
 * @param lr the rate in force
 * @param momentum the buffer's decay; slots without a buffer ignore it
 * @param dampening what part of the gradient is kept out of the buffer
 * @param weightDecay the L2 factor
 * @param nesterov whether the step looks ahead: {@code g + momentum * buffer}
 * @param maximize whether the gradient's sign is turned first
 * @param first whether the buffer is empty: it then takes the gradient as it is, without dampening
 */
public record SgdHyper(
    double lr,
    double momentum,
    double dampening,
    double weightDecay,
    boolean nesterov,
    boolean maximize,
    boolean first) {}
