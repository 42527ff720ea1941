package dev.gradus.backend.cpu;

import jdk.incubator.vector.FloatVector;

/** Loops with the Vector API; {@link VectorApi} makes them, by name. */
final class VectorKernels implements Kernels {
  VectorKernels() {}

  @Override
  public int vectorBits() {
    return FloatVector.SPECIES_PREFERRED.vectorBitSize();
  }
}
