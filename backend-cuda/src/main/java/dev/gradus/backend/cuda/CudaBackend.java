package dev.gradus.backend.cuda;

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
import dev.gradus.spi.Recording;
import dev.gradus.spi.ReduceOp;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.spi.TernaryOp;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import java.nio.Buffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A GPU as a device: sends each operation to the class that launches its kernels. */
final class CudaBackend implements Backend {
  private final CudaDevice device;
  private final Transfers transfers;
  private final Elementwise elementwise;
  private final Axes axes;
  private final Copies copies;
  private final Scatter scatter;
  private final RowOps rows;
  private final Coalesce coalesce;
  private final Powers powers;
  private final Products products;

  private CudaBackend(CudaDevice device, BlasLibrary libraries) {
    this.device = device;
    this.transfers = new Transfers(device);
    this.elementwise = new Elementwise(device);
    this.axes = new Axes(device);
    this.copies = new Copies(device);
    this.scatter = new Scatter(device);
    this.rows = new RowOps(device);
    this.coalesce = new Coalesce(device, scatter);
    this.powers = new Powers(device, transfers);
    this.products = new Products(device, libraries);
  }

  /**
   * Opens a device.
   *
   * @param libraries where products may be computed
   * @throws CudaUnusable if it does not take the kernels
   */
  static CudaBackend open(int ordinal, CudaSettings settings, BlasLibrary libraries)
      throws CudaUnusable {
    return open(ordinal, settings, libraries, Kernels.ptx());
  }

  /** Opens a device with other kernels than the jar's. */
  static CudaBackend open(int ordinal, CudaSettings settings, BlasLibrary libraries, String ptx)
      throws CudaUnusable {
    CudaDevice device = new CudaDevice(ordinal, settings, ptx);
    try {
      return new CudaBackend(device, libraries);
    } catch (RuntimeException e) {
      device.close(() -> {});
      throw e;
    }
  }

  /** What is behind a backend of this kind. */
  static CudaDevice deviceOf(Backend backend) {
    return ((CudaBackend) backend).device;
  }

  @Override
  public String deviceName() {
    return device.deviceName();
  }

  @Override
  public long capacity() {
    return device.capacity();
  }

  @Override
  public String memoryRemedy() {
    return "use smaller batches"
        + (device.settings().memory() == Long.MAX_VALUE
            ? ""
            : ", or raise -D" + CudaSettings.MEMORY);
  }

  @Override
  public Map<String, String> details() {
    Map<String, String> details = new LinkedHashMap<>();
    details.put("model", device.model());
    details.put("matrix products", products.description());
    details.putAll(device.settings().details());
    details.put("multiprocessors", String.valueOf(device.multiprocessors()));
    details.put("memory", (device.capacity() >> 20) + " MiB");
    details.put("JCuda", Cu.JCUDA_VERSION);
    return details;
  }

  @Override
  public void close() {
    device.close(
        () -> {
          products.close();
          transfers.close();
        });
  }

  @Override
  public Storage allocate(DType dtype, long numel) {
    return device.allocate(dtype, numel);
  }

  @Override
  public void free(Storage storage) {
    device.free(storage);
  }

  @Override
  public void upload(Buffer src, Storage dst) {
    transfers.upload(src, dst);
  }

  @Override
  public void download(Storage src, Buffer dst) {
    transfers.download(src, dst);
  }

  @Override
  public void synchronize() {
    device.synchronize();
  }

  @Override
  public void fill(Storage out, double value) {
    elementwise.fill(out, value);
  }

  @Override
  public void cast(Storage x, Storage out) {
    elementwise.cast(x, out);
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
    copies.strided(shape, src, srcOffset, srcStrides, dst, dstOffset, dstStrides);
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
    elementwise.ternary(op, x, y, z, out, a);
  }

  @Override
  public void reduce(ReduceOp op, Storage x, Axis axis, Storage out, boolean accumulate) {
    axes.reduce(op, x, axis, out, accumulate);
  }

  @Override
  public void argReduce(boolean greatest, Storage x, Axis axis, Storage out) {
    axes.argReduce(greatest, x, axis, out);
  }

  @Override
  public void gather(Storage x, Axis axis, Storage ids, Storage out) {
    copies.gather(x, axis, ids, out);
  }

  @Override
  public void scatterAdd(
      Storage x, Axis axis, Storage ids, long skip, Storage out, boolean accumulate) {
    scatter.add(x, axis, ids, skip, out, accumulate);
  }

  @Override
  public void gemm(Gemm sizes, Storage a, Storage b, Storage c) {
    products.run(sizes, a, b, c);
  }

  @Override
  public void dropout(Storage x, Storage out, double p, long seed, long offset) {
    elementwise.dropout(x, out, p, seed, offset);
  }

  @Override
  public void softmax(boolean log, Storage x, Storage out, long rowCount, long cols) {
    rows.softmax(log, x, out, rowCount, cols);
  }

  @Override
  public void softmaxGrad(
      boolean log, Storage grad, Storage y, Storage out, long rowCount, long cols) {
    rows.softmaxGrad(log, grad, y, out, rowCount, cols);
  }

  @Override
  public void normalize(
      Storage x, Storage out, Storage rstd, long rowCount, long cols, double eps) {
    rows.normalize(x, out, rstd, rowCount, cols, eps);
  }

  @Override
  public void normalizeGrad(
      Storage grad, Storage y, Storage rstd, Storage out, long rowCount, long cols) {
    rows.normalizeGrad(grad, y, rstd, out, rowCount, cols);
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
    rows.nll(logp, targets, out, rowCount, cols, smoothing, ignore);
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
    rows.nllGrad(grad, targets, out, rowCount, cols, smoothing, ignore);
  }

  @Override
  public void sumPowers(List<Storage> xs, double p, Storage out) {
    powers.sum(xs, p, out);
  }

  @Override
  public void sumRowPowers(List<Gradient.Rows> xs, double p, Storage out) {
    powers.sumRows(xs, p, out);
  }

  @Override
  public void coalesce(
      Storage ids, long skip, Storage values, Gradient.Rows out, boolean accumulate) {
    coalesce.run(ids, skip, values, out, accumulate);
  }

  @Override
  public Recording record(long offset, Runnable work) {
    return CudaRecording.of(device, transfers, offset, work);
  }

  @Override
  public AdamPlan planAdam(List<AdamSlot> slots) {
    return new AdamSteps(device, transfers, slots);
  }

  @Override
  public SgdPlan planSgd(List<SgdSlot> slots) {
    return new SgdSteps(device, transfers, slots);
  }

  @Override
  public PointwisePlan planPointwise(List<PointwiseSlot> slots) {
    return new PointwiseSteps(device, transfers, slots);
  }
}
