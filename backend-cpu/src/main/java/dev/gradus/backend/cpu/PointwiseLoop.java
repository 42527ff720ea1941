package dev.gradus.backend.cpu;

import static dev.gradus.backend.cpu.CpuStorage.f32;
import static dev.gradus.backend.cpu.CpuStorage.f64;
import static dev.gradus.backend.cpu.CpuStorage.unsupported;

import dev.gradus.spi.Pointwise;
import dev.gradus.spi.PointwisePlan;
import dev.gradus.spi.PointwiseSlot;
import dev.gradus.spi.PointwiseStep;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Batched pointwise programs: all slots of all groups in one pass over their memory. */
final class PointwiseLoop implements PointwisePlan, SlotPieces.Update {
  /*
   * A program runs on blocks, one instruction after the other, and every value is in a lane, an
   * array of a block's size. So each instruction is a plain loop with one index, which C2
   * vectorises, and what it reads and writes is in the first-level cache; memory is read and
   * written once.
   */

  /** Elements of a lane: some fifteen of them lie in the first-level cache. */
  private static final int BLOCK = 1 << 9;

  private final Parallel parallel;
  private final PointwiseF32 f32;
  private final SlotPieces pieces;

  /** Of each slot the arrays of its parameter, gradient and buffers, of one of the types. */
  private final float[][][] floats;

  private final double[][][] doubles;

  private final Map<Pointwise, PointwiseCode> codes = new HashMap<>();
  private final @Nullable Active[] active;

  private final ThreadLocal<float[][]> floatLanes = ThreadLocal.withInitial(() -> new float[0][]);
  private final ThreadLocal<double[][]> doubleLanes =
      ThreadLocal.withInitial(() -> new double[0][]);

  /** A program with its scalars, in both types. */
  private static final class Active {
    final PointwiseCode code;
    final float[] floats;
    final double[] doubles;

    Active(PointwiseCode code, List<Double> scalars) {
      this.code = code;
      this.floats = new float[scalars.size()];
      this.doubles = new double[scalars.size()];
      for (int i = 0; i < doubles.length; i++) {
        doubles[i] = scalars.get(i);
        floats[i] = (float) doubles[i];
      }
    }
  }

  PointwiseLoop(Parallel parallel, PointwiseF32 f32, List<PointwiseSlot> slots) {
    this.parallel = parallel;
    this.f32 = f32;
    int[] numel = new int[slots.size()];
    this.floats = new float[numel.length][][];
    this.doubles = new double[numel.length][][];
    this.active = new Active[numel.length];
    for (int i = 0; i < numel.length; i++) {
      PointwiseSlot s = slots.get(i);
      DType dtype = s.param().dtype();
      if (!dtype.isFloating()) {
        throw unsupported("pointwise", dtype);
      }
      numel[i] = (int) s.param().numel();
      boolean isF32 = dtype == DType.F32;
      int arrays = 2 + s.buffers().size();
      floats[i] = new float[isF32 ? arrays : 0][];
      doubles[i] = new double[isF32 ? 0 : arrays][];
      take(i, 0, s.param());
      take(i, 1, s.grad());
      for (int k = 2; k < arrays; k++) {
        take(i, k, s.buffers().get(k - 2));
      }
    }
    this.pieces = new SlotPieces(numel);
  }

  private void take(int slot, int lane, Storage s) {
    if (s.dtype() == DType.F32) {
      floats[slot][lane] = f32(s);
    } else {
      doubles[slot][lane] = f64(s);
    }
  }

  @Override
  public void step(int[] stepOfSlot, List<PointwiseStep> steps) {
    @Nullable Active[] prepared = new Active[steps.size()];
    for (int i = 0; i < stepOfSlot.length; i++) {
      int index = stepOfSlot[i];
      if (index >= 0 && prepared[index] == null) {
        prepared[index] = prepare(steps.get(index));
      }
      active[i] = index < 0 ? null : prepared[index];
    }
    pieces.run(parallel, this);
  }

  private Active prepare(PointwiseStep step) {
    int scalars = step.scalars().size();
    PointwiseCode code = codes.computeIfAbsent(step.program(), p -> new PointwiseCode(p, scalars));
    return new Active(code, step.scalars());
  }

  /** Updates elements lo to hi of a slot that takes part. */
  @Override
  public void run(int slot, int lo, int hi) {
    Active a = active[slot];
    if (a == null) {
      return;
    }
    if (floats[slot].length > 0) {
      f32.run(a.code, a.floats, floats[slot], floatLanes(a.code.lanes), lo, hi);
    } else {
      PointwiseF64.run(a.code, a.doubles, doubles[slot], doubleLanes(a.code.lanes), lo, hi);
    }
  }

  private float[][] floatLanes(int count) {
    float[][] lanes = floatLanes.get();
    if (lanes.length < count) {
      lanes = new float[count][BLOCK];
      floatLanes.set(lanes);
    }
    return lanes;
  }

  private double[][] doubleLanes(int count) {
    double[][] lanes = doubleLanes.get();
    if (lanes.length < count) {
      lanes = new double[count][BLOCK];
      doubleLanes.set(lanes);
    }
    return lanes;
  }

  @Override
  public void close() {}
}
