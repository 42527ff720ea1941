package dev.gradus.backend.cpu;

import dev.gradus.spi.AdamHyper;

/**
 * Adam's update of float32 elements: the scalars of {@link dev.gradus.spi.AdamPlan}'s formulas,
 * each computed in double and rounded once.
 *
 * @param sign -1 to maximise
 * @param decay what the parameter is multiplied by first; 1 without decoupled decay
 * @param l2 the decay that is added to the gradient where {@code addsDecay}
 * @param w {@code 1 - beta1}
 * @param beta2 decay of the mean square
 * @param c {@code 1 - beta2}
 * @param root {@code sqrt(biasCorrection2)}
 * @param eps added to the denominator
 * @param step {@code -lr / biasCorrection1}
 * @param addsDecay whether the decay is added to the gradient
 * @param fast whether the vectorised loops apply: a hardware FMA, and w under one half
 * @param fma whether there is a hardware FMA
 */
record AdamF32(
    float sign,
    float decay,
    float l2,
    float w,
    float beta2,
    float c,
    float root,
    float eps,
    float step,
    boolean addsDecay,
    boolean fast,
    boolean fma) {
  static AdamF32 of(AdamHyper h, boolean fma) {
    float w = (float) (1 - h.beta1());
    boolean decays = h.weightDecay() != 0;
    return new AdamF32(
        h.maximize() ? -1 : 1,
        decays && h.decoupled() ? (float) (1 - h.lr() * h.weightDecay()) : 1,
        (float) h.weightDecay(),
        w,
        (float) h.beta2(),
        (float) (1 - h.beta2()),
        (float) Math.sqrt(h.biasCorrection2()),
        (float) h.eps(),
        (float) -(h.lr() / h.biasCorrection1()),
        decays && !h.decoupled(),
        fma && Math.abs(w) < 0.5f,
        fma);
  }
}
