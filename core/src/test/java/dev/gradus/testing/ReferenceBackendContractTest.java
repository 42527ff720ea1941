package dev.gradus.testing;

import dev.gradus.spi.Backend;

/**
 * The contract on the reference itself: that its cases can be met, and that the default bodies of
 * the fused operations agree with double arithmetic. What the reference computes is checked by
 * literal answers in {@link ReferenceBackendTest}.
 */
final class ReferenceBackendContractTest extends BackendContract {
  @Override
  protected Backend open() {
    return new ReferenceBackend("tested");
  }
}
