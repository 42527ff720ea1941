package dev.gradus.backend.cpu;

import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.CompareOp;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.PointwisePlan;
import dev.gradus.spi.PointwiseSlot;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.nio.Buffer;
import java.util.List;
import java.util.Map;

/** The host as a device: sends each operation to the class that has its loops. */
final class CpuBackend implements Backend {
  private final CpuSettings settings;
  private final Parallel parallel;
  private final boolean fma;
  private final GemmF32 products;
  private final Elementwise elementwise;
  private final Ternary ternary;
  private final Reduce reduce;
  private final Lookup lookup;
  private final Coalesce coalesce;
  private final Rows rows;
  private final PowerSums powers;
  private final StridedCopy copies;
  private final Dropout dropout;
  private volatile boolean closed;

  CpuBackend(CpuSettings settings) {
    this.settings = settings;
    this.parallel = Parallel.of(settings.threads());
    this.fma = settings.fma();
    this.products = new GemmF32(parallel, settings);
    MathF32 math = settings.vectors().kernels().math();
    this.elementwise = new Elementwise(parallel, fma, math);
    this.ternary = new Ternary(parallel, fma);
    this.reduce = new Reduce(parallel);
    this.lookup = new Lookup(parallel);
    this.rows = new Rows(parallel, math);
    this.powers = new PowerSums(parallel);
    this.coalesce = new Coalesce(parallel);
    this.copies = new StridedCopy(parallel);
    this.dropout = new Dropout(parallel);
  }

  @Override
  public String deviceName() {
    return "cpu";
  }

  @Override
  public long capacity() {
    return Runtime.getRuntime().maxMemory() / 8 * 7;
  }

  @Override
  public String memoryRemedy() {
    return "raise the heap with -Xmx";
  }

  @Override
  public Map<String, String> details() {
    return new CpuDetails(settings);
  }

  @Override
  public void close() {
    closed = true;
  }

  @Override
  public Storage allocate(DType dtype, long numel) {
    if (closed) {
      throw new IllegalStateException("cpu: the device is closed; open another one");
    }
    return CpuStorage.of(dtype, numel);
  }

  @Override
  public void free(Storage storage) {}

  @Override
  public void upload(Buffer src, Storage dst) {
    Transfer.upload(src, dst);
  }

  @Override
  public void download(Storage src, Buffer dst) {
    Transfer.download(src, dst);
  }

  @Override
  public void synchronize() {}

  @Override
  public void fill(Storage out, double value) {
    Transfer.fill(out, value);
  }

  @Override
  public void cast(Storage x, Storage out) {
    Transfer.cast(x, out);
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
    copies.run(shape, src, srcOffset, srcStrides, dst, dstOffset, dstStrides);
  }

  @Override
  public void unary(UnaryOp op, Storage x, Storage out, double a, double b) {
    elementwise.unary(op, x, out, a, b);
  }

  @Override
  public void unaryGrad(UnaryOp op, Storage grad, Storage saved, Storage out, double a, double b) {
    elementwise.unaryGrad(op, grad, saved, out, a, b);
  }

  @Override
  public void binary(
      BinaryOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out, double a) {
    elementwise.binary(op, x, xs, y, ys, out, a);
  }

  @Override
  public void compare(CompareOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out) {
    elementwise.compare(op, x, xs, y, ys, out);
  }

  @Override
  public void ternary(TernaryOp op, Storage x, Storage y, Storage z, Storage out, double a) {
    ternary.run(op, x, y, z, out, a);
  }

  @Override
  public void reduce(ReduceOp op, Storage x, Axis axis, Storage out, boolean accumulate) {
    reduce.run(op, x, axis, out, accumulate);
  }

  @Override
  public void argReduce(boolean greatest, Storage x, Axis axis, Storage out) {
    reduce.arg(greatest, x, axis, out);
  }

  @Override
  public void gather(Storage x, Axis axis, Storage ids, Storage out) {
    lookup.gather(x, axis, ids, out);
  }

  @Override
  public void scatterAdd(
      Storage x, Axis axis, Storage ids, long skip, Storage out, boolean accumulate) {
    lookup.scatterAdd(x, axis, ids, skip, out, accumulate);
  }

  @Override
  public void gemm(Gemm sizes, Storage a, Storage b, Storage c) {
    switch (c.dtype()) {
      case F32 -> products.run(sizes, CpuStorage.f32(a), CpuStorage.f32(b), CpuStorage.f32(c));
      case F64 ->
          GemmF64.run(parallel, sizes, CpuStorage.f64(a), CpuStorage.f64(b), CpuStorage.f64(c));
      case I64, BOOL -> throw CpuStorage.unsupported("gemm", c.dtype());
    }
  }

  @Override
  public void dropout(Storage x, Storage out, double p, long seed, long offset) {
    dropout.run(x, out, p, seed, offset);
  }

  @Override
  public void softmax(boolean log, Storage x, Storage out, long rowCount, long cols) {
    rows.softmax(log, x, out, (int) rowCount, (int) cols);
  }

  @Override
  public void softmaxGrad(
      boolean log, Storage grad, Storage y, Storage out, long rowCount, long cols) {
    rows.softmaxGrad(log, grad, y, out, (int) rowCount, (int) cols);
  }

  @Override
  public void normalize(
      Storage x, Storage out, Storage rstd, long rowCount, long cols, double eps) {
    rows.normalize(x, out, rstd, (int) rowCount, (int) cols, eps);
  }

  @Override
  public void normalizeGrad(
      Storage grad, Storage y, Storage rstd, Storage out, long rowCount, long cols) {
    rows.normalizeGrad(grad, y, rstd, out, (int) rowCount, (int) cols);
  }

  @Override
  public void nll(
      Storage logp,
      Storage targets,
      Storage out,
      long rowCount,
      long cols,
      double smoothing,
      long ignore) {
    rows.nll(logp, targets, out, (int) rowCount, (int) cols, smoothing, ignore);
  }

  @Override
  public void nllGrad(
      Storage grad,
      Storage targets,
      Storage out,
      long rowCount,
      long cols,
      double smoothing,
      long ignore) {
    rows.nllGrad(grad, targets, out, (int) rowCount, (int) cols, smoothing, ignore);
  }

  @Override
  public void sumPowers(List<Storage> xs, double p, Storage out) {
    powers.run(xs, p, out);
  }

  @Override
  public void sumRowPowers(List<Gradient.Rows> xs, double p, Storage out) {
    RowPowerSums.run(xs, p, out);
  }

  @Override
  public void coalesce(
      Storage ids, long skip, Storage values, Gradient.Rows out, boolean accumulate) {
    coalesce.run(ids, skip, values, out, accumulate);
  }

  @Override
  public AdamPlan planAdam(List<AdamSlot> slots) {
    return new AdamLoop(parallel, fma, settings.vectors().kernels().adam(), slots);
  }

  @Override
  public SgdPlan planSgd(List<SgdSlot> slots) {
    return new SgdLoop(parallel, fma, slots);
  }

  @Override
  public PointwisePlan planPointwise(List<PointwiseSlot> slots) {
    return new PointwiseLoop(
        parallel, new PointwiseF32(fma, settings.vectors().kernels().signs()), slots);
  }
}
