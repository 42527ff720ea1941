package dev.gradus.tensor;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Pointwise;
import dev.gradus.spi.PointwisePlan;
import dev.gradus.spi.PointwiseSlot;
import dev.gradus.spi.PointwiseStep;
import dev.gradus.spi.Recording;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.SgdHyper;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.nio.Buffer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A backend that passes every call on, and tells a profiler what those that compute or copy took.
 */
final class ProfiledBackend implements Backend {
  /** Reads and writes of an element: the gradient read, parameter and two moments updated. */
  private static final long ADAM_PASSES = 7;

  /** Reads and writes of an element: the gradient read, the parameter updated. */
  private static final long SGD_PASSES = 3;

  private final Profiler profiler;
  private final Backend inner;

  ProfiledBackend(Profiler profiler, Backend inner) {
    this.profiler = profiler;
    this.inner = inner;
  }

  /** What a call took until now: asked first, before its name and bytes are put together. */
  private long took(long begun) {
    inner.synchronize();
    return System.nanoTime() - begun;
  }

  private void ran(long time, String name, long bytes, long flops) {
    profiler.ran(name, time, bytes, flops);
  }

  private static long bytes(Storage... storages) {
    long sum = 0;
    for (Storage s : storages) {
      sum += s.numel() * s.dtype().bytes();
    }
    return sum;
  }

  /** The bytes of a result, which is also read where it is added to. */
  private static long written(Storage out, boolean accumulate) {
    return accumulate ? bytes(out, out) : bytes(out);
  }

  /** What has the size of what a step updates: all of a parameter, or the rows with a gradient. */
  private static Storage updated(Storage param, Gradient grad) {
    return grad instanceof Gradient.Rows rows ? rows.values() : param;
  }

  /** The bytes of a block that is copied; what is repeated is read once. */
  private static long block(long[] shape, Storage src, Storage dst) {
    long n = 1;
    for (long size : shape) {
      n *= size;
    }
    return (n + Math.min(n, src.numel())) * dst.dtype().bytes();
  }

  /** An operation's name as it is written in code: {@code LeakyRelu}. */
  private static String name(Enum<?> op) {
    StringBuilder s = new StringBuilder();
    for (String word : op.name().replaceFirst("_SCALAR$", "").split("_", -1)) {
      s.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
    }
    return s.toString();
  }

  // ---- the device

  @Override
  public String deviceName() {
    return inner.deviceName();
  }

  @Override
  public long capacity() {
    return inner.capacity();
  }

  @Override
  public String memoryRemedy() {
    return inner.memoryRemedy();
  }

  @Override
  public Map<String, String> details() {
    return inner.details();
  }

  @Override
  public void close() {
    inner.close();
  }

  @Override
  public Storage allocate(DType dtype, long numel) {
    return inner.allocate(dtype, numel);
  }

  @Override
  public void free(Storage storage) {
    inner.free(storage);
  }

  @Override
  public void synchronize() {
    inner.synchronize();
  }

  // ---- kernels

  @Override
  public void fill(Storage out, double value) {
    long begun = System.nanoTime();
    inner.fill(out, value);
    ran(took(begun), "Fill", bytes(out), 0);
  }

  @Override
  public void cast(Storage x, Storage out) {
    long begun = System.nanoTime();
    inner.cast(x, out);
    ran(took(begun), "Cast", bytes(x, out), 0);
  }

  @Override
  public void copyStrided(
      long[] shape,
      Storage src,
      long srcOffset,
      long[] srcStrides,
      Storage dst,
      long dstOffset,
      long[] dstStrides) {
    long begun = System.nanoTime();
    inner.copyStrided(shape, src, srcOffset, srcStrides, dst, dstOffset, dstStrides);
    ran(took(begun), "Copy", block(shape, src, dst), 0);
  }

  @Override
  public void unary(UnaryOp op, Storage x, Storage out, double a, double b) {
    long begun = System.nanoTime();
    inner.unary(op, x, out, a, b);
    ran(took(begun), name(op), bytes(x, out), 0);
  }

  @Override
  public void unaryGrad(UnaryOp op, Storage grad, Storage saved, Storage out, double a, double b) {
    long begun = System.nanoTime();
    inner.unaryGrad(op, grad, saved, out, a, b);
    ran(took(begun), name(op), bytes(grad, out) + (saved == grad ? 0 : bytes(saved)), 0);
  }

  @Override
  public void binary(
      BinaryOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out, double a) {
    long begun = System.nanoTime();
    inner.binary(op, x, xs, y, ys, out, a);
    ran(took(begun), name(op), bytes(x, y, out), 0);
  }

  @Override
  public void compare(CompareOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out) {
    long begun = System.nanoTime();
    inner.compare(op, x, xs, y, ys, out);
    ran(took(begun), name(op), bytes(x, y, out), 0);
  }

  @Override
  public void ternary(TernaryOp op, Storage x, Storage y, Storage z, Storage out, double a) {
    long begun = System.nanoTime();
    inner.ternary(op, x, y, z, out, a);
    ran(took(begun), name(op), bytes(x, y, z, out), 0);
  }

  @Override
  public void reduce(ReduceOp op, Storage x, Axis axis, Storage out, boolean accumulate) {
    long begun = System.nanoTime();
    inner.reduce(op, x, axis, out, accumulate);
    ran(took(begun), name(op), bytes(x) + written(out, accumulate), 0);
  }

  @Override
  public void argReduce(boolean greatest, Storage x, Axis axis, Storage out) {
    long begun = System.nanoTime();
    inner.argReduce(greatest, x, axis, out);
    ran(took(begun), greatest ? "Argmax" : "Argmin", bytes(x, out), 0);
  }

  @Override
  public void gather(Storage x, Axis axis, Storage ids, Storage out) {
    long begun = System.nanoTime();
    inner.gather(x, axis, ids, out);
    ran(took(begun), "Gather", bytes(out, ids, out), 0);
  }

  @Override
  public void scatterAdd(
      Storage x, Axis axis, Storage ids, long skip, Storage out, boolean accumulate) {
    long begun = System.nanoTime();
    inner.scatterAdd(x, axis, ids, skip, out, accumulate);
    ran(took(begun), "ScatterAdd", bytes(x, ids, x, x) + (accumulate ? 0 : bytes(out)), 0);
  }

  @Override
  public void gemm(Gemm sizes, Storage a, Storage b, Storage c) {
    long begun = System.nanoTime();
    inner.gemm(sizes, a, b, c);
    ran(
        took(begun),
        "Mm",
        bytes(a, b) + written(c, sizes.accumulate()),
        2 * sizes.m() * sizes.n() * sizes.k() * sizes.batch());
  }

  @Override
  public void dropout(Storage x, Storage out, double p, long seed, long offset) {
    long begun = System.nanoTime();
    inner.dropout(x, out, p, seed, offset);
    ran(took(begun), "NativeDropout", bytes(x, out), 0);
  }

  @Override
  public void softmax(boolean log, Storage x, Storage out, long rows, long cols) {
    long begun = System.nanoTime();
    inner.softmax(log, x, out, rows, cols);
    ran(took(begun), log ? "LogSoftmax" : "Softmax", bytes(x, out), 0);
  }

  @Override
  public void softmaxGrad(boolean log, Storage grad, Storage y, Storage out, long rows, long cols) {
    long begun = System.nanoTime();
    inner.softmaxGrad(log, grad, y, out, rows, cols);
    ran(took(begun), log ? "LogSoftmax" : "Softmax", bytes(grad, y, out), 0);
  }

  @Override
  public void normalize(Storage x, Storage out, Storage rstd, long rows, long cols, double eps) {
    long begun = System.nanoTime();
    inner.normalize(x, out, rstd, rows, cols, eps);
    ran(took(begun), "NativeLayerNorm", bytes(x, out, rstd), 0);
  }

  @Override
  public void normalizeGrad(
      Storage grad, Storage y, Storage rstd, Storage out, long rows, long cols) {
    long begun = System.nanoTime();
    inner.normalizeGrad(grad, y, rstd, out, rows, cols);
    ran(took(begun), "NativeLayerNorm", bytes(grad, y, rstd, out), 0);
  }

  @Override
  public void nll(
      Storage logp,
      Storage targets,
      Storage out,
      long rows,
      long cols,
      double smoothing,
      long ignore) {
    long begun = System.nanoTime();
    inner.nll(logp, targets, out, rows, cols, smoothing, ignore);
    ran(took(begun), "NllLoss", bytes(targets, out, out), 0);
  }

  @Override
  public void nllGrad(
      Storage grad,
      Storage targets,
      Storage out,
      long rows,
      long cols,
      double smoothing,
      long ignore) {
    long begun = System.nanoTime();
    inner.nllGrad(grad, targets, out, rows, cols, smoothing, ignore);
    ran(took(begun), "NllLoss", bytes(grad, targets, out), 0);
  }

  @Override
  public void upload(Buffer src, Storage dst) {
    long moved = 2L * src.remaining() * dst.dtype().bytes();
    long begun = System.nanoTime();
    inner.upload(src, dst);
    ran(took(begun), "Upload", moved, 0);
  }

  @Override
  public void download(Storage src, Buffer dst) {
    long moved = 2L * dst.remaining() * src.dtype().bytes();
    long begun = System.nanoTime();
    inner.download(src, dst);
    ran(took(begun), "Download", moved, 0);
  }

  @Override
  public void coalesce(
      Storage ids, long skip, Storage rows, Gradient.Rows out, boolean accumulate) {
    long begun = System.nanoTime();
    inner.coalesce(ids, skip, rows, out, accumulate);
    ran(took(begun), "Coalesce", bytes(ids, rows, rows), 0);
  }

  @Override
  public void sumPowers(List<Storage> xs, double p, Storage out) {
    long begun = System.nanoTime();
    inner.sumPowers(xs, p, out);
    long bytes = bytes(out);
    for (Storage x : xs) {
      bytes += bytes(x);
    }
    ran(took(begun), "SumPowers", bytes, 0);
  }

  @Override
  public void sumRowPowers(List<Gradient.Rows> xs, double p, Storage out) {
    long begun = System.nanoTime();
    inner.sumRowPowers(xs, p, out);
    long bytes = bytes(out);
    for (Gradient.Rows x : xs) {
      bytes += bytes(x.values());
    }
    ran(took(begun), "SumPowers", bytes, 0);
  }

  // ---- plans

  @Override
  public AdamPlan planAdam(List<AdamSlot> slots) {
    AdamPlan plan = inner.planAdam(slots);
    return new AdamPlan() {
      @Override
      public void step(int[] hyperOfSlot, List<AdamHyper> hypers) {
        long begun = System.nanoTime();
        plan.step(hyperOfSlot, hypers);
        long time = took(begun);
        long bytes = 0;
        for (int i = 0; i < hyperOfSlot.length; i++) {
          AdamSlot s = slots.get(i);
          Storage max = s.maxExpAvgSq();
          long passes = max == null ? ADAM_PASSES : ADAM_PASSES + 2;
          bytes += hyperOfSlot[i] < 0 ? 0 : passes * bytes(updated(s.param(), s.grad()));
        }
        ran(time, "Adam", bytes, 0);
      }

      @Override
      public void close() {
        plan.close();
      }
    };
  }

  @Override
  public SgdPlan planSgd(List<SgdSlot> slots) {
    SgdPlan plan = inner.planSgd(slots);
    return new SgdPlan() {
      @Override
      public void step(int[] hyperOfSlot, List<SgdHyper> hypers) {
        long begun = System.nanoTime();
        plan.step(hyperOfSlot, hypers);
        long time = took(begun);
        long bytes = 0;
        for (int i = 0; i < hyperOfSlot.length; i++) {
          SgdSlot s = slots.get(i);
          long passes = s.momentum() == null ? SGD_PASSES : SGD_PASSES + 2;
          bytes += hyperOfSlot[i] < 0 ? 0 : passes * bytes(updated(s.param(), s.grad()));
        }
        ran(time, "Sgd", bytes, 0);
      }

      @Override
      public void close() {
        plan.close();
      }
    };
  }

  @Override
  public @Nullable Recording record(long offset, Runnable work) {
    return null; // it would have to wait for each call
  }

  @Override
  public PointwisePlan planPointwise(List<PointwiseSlot> slots) {
    PointwisePlan plan = inner.planPointwise(slots);
    return new PointwisePlan() {
      @Override
      public void step(int[] stepOfSlot, List<PointwiseStep> steps) {
        long begun = System.nanoTime();
        plan.step(stepOfSlot, steps);
        long time = took(begun);
        long bytes = 0;
        for (int i = 0; i < stepOfSlot.length; i++) {
          if (stepOfSlot[i] >= 0) {
            Pointwise program = steps.get(stepOfSlot[i]).program();
            long passes = (long) program.loads().size() + program.stores().size();
            bytes += passes * bytes(slots.get(i).param());
          }
        }
        ran(time, "Pointwise", bytes, 0);
      }

      @Override
      public void close() {
        plan.close();
      }
    };
  }
}
