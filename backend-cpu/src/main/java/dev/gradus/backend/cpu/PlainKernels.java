package dev.gradus.backend.cpu;

import org.jspecify.annotations.Nullable;

/** Plain loops, which run everywhere. */
final class PlainKernels implements Kernels {
  @Override
  public int vectorBits() {
    return 0;
  }

  @Override
  public GemmTile tiles(boolean fma) {
    return new RowGemmF32(fma);
  }

  @Override
  public @Nullable NarrowGemmF32 narrow() {
    return null;
  }

  @Override
  public MathF32 math() {
    return new PlainMathF32();
  }

  @Override
  public AdamKernel adam() {
    return new PlainAdam();
  }

  @Override
  public SignsF32 signs() {
    return new PlainSigns();
  }
}
