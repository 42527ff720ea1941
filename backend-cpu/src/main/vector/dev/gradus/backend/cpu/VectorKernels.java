package dev.gradus.backend.cpu;

import jdk.incubator.vector.FloatVector;

/** Loops with the Vector API; {@link VectorApi} makes them, by name. */
final class VectorKernels implements Kernels {
  VectorKernels() {}

  @Override
  public int vectorBits() {
    return FloatVector.SPECIES_PREFERRED.vectorBitSize();
  }

  @Override
  public GemmTile tiles(boolean fma) {
    return new PanelGemmF32(new VectorGemmKernel());
  }

  @Override
  public NarrowGemmF32 narrow() {
    return new NarrowGemmF32(new VectorNarrowGemmKernel());
  }

  @Override
  public MathF32 math() {
    return new VectorMathF32();
  }

  @Override
  public AdamKernel adam() {
    return new VectorAdam();
  }

  @Override
  public SignsF32 signs() {
    return new VectorSigns();
  }
}
