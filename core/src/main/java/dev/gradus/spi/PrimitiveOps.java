package dev.gradus.spi;

import dev.gradus.types.DType;
import java.nio.Buffer;

/**
 * What every backend must do. The rules that hold for all methods stand in the package's
 * description: results go into an {@code out} that the caller allocated, operands are contiguous
 * and already validated, and only {@link #download} and {@link #synchronize} wait.
 */
public interface PrimitiveOps {

  // ---- memory

  /**
   * Makes a storage with undefined content.
   *
   * @param dtype type of the elements
   * @param numel number of elements, at least 0
   * @throws OutOfMemoryError or {@link DeviceMemoryException} if the device has not enough memory;
   *     the caller frees what it can and tries once more
   */
  Storage allocate(DType dtype, long numel);

  /** Gives a storage back to the device. It is not used again by anybody. */
  void free(Storage storage);

  /**
   * Copies from the host: {@code src}'s remaining elements to the start of {@code dst}. The buffer
   * may be changed when the method has returned.
   *
   * @param src FloatBuffer, DoubleBuffer, LongBuffer, or ByteBuffer (0 or 1) as F32, F64, I64, BOOL
   *     ask
   */
  void upload(Buffer src, Storage dst);

  /**
   * Waits for the device and copies {@code src}'s first elements to the host, filling {@code dst}.
   */
  void download(Storage src, Buffer dst);

  /** Waits until everything that was asked of the device so far is done. */
  void synchronize();

  /** Sets every element of {@code out}; for BOOL 0 is false. */
  void fill(Storage out, double value);

  /**
   * Converts the elements of {@code x} to the type of {@code out}. Floating to I64 truncates
   * towards zero; BOOL gives 0 and 1; anything but 0 becomes true.
   */
  void cast(Storage x, Storage out);

  /**
   * Copies a block of {@code shape} elements between storages of one type, any type. The element at
   * index {@code (i0, i1, …)} goes from {@code src[srcOffset + sum(ij * srcStrides[j])]} to the
   * like place in {@code dst}. A source stride may be 0 (that is how a dimension is expanded);
   * destinations never overlap, and {@code src} and {@code dst} are different storages.
   */
  void copyStrided(
      long[] shape,
      Storage src,
      long srcOffset,
      long[] srcStrides,
      Storage dst,
      long dstOffset,
      long[] dstStrides);

  // ---- elementwise; out may be one of the FULL operands

  /** {@code out = op(x)} with the op's parameters a and b. */
  void unary(UnaryOp op, Storage x, Storage out, double a, double b);

  /**
   * {@code out = grad * op'(…)}, the derivative computed from {@code saved}.
   *
   * @param saved the operand or the result of the forward call, as {@link UnaryOp#saves} asks;
   *     {@code grad} itself where it asks for nothing
   */
  void unaryGrad(UnaryOp op, Storage grad, Storage saved, Storage out, double a, double b);

  /** {@code out = op(x, y)} with the op's parameter a, the operands spread over the result. */
  void binary(BinaryOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out, double a);

  /** {@code out = op(x, y)}; x and y of one type, F32, F64, I64 or BOOL, {@code out} BOOL. */
  void compare(CompareOp op, Storage x, Spread xs, Storage y, Spread ys, Storage out);

  /**
   * {@code out = op(x, y, z)} with the op's parameter a. An operand of one element is spread over
   * all.
   */
  void ternary(TernaryOp op, Storage x, Storage y, Storage z, Storage out, double a);

  // ---- along one axis

  /**
   * Reduces the middle of x: {@code out[o, i] = op over j of x[o, j, i]}, or adds that to {@code
   * out}. F32, F64, and I64.
   */
  void reduce(ReduceOp op, Storage x, Axis axis, Storage out, boolean accumulate);

  /**
   * The index of the greatest (or the least) along the middle: the first of equals, the first NaN
   * before all. {@code out} is I64.
   */
  void argReduce(boolean greatest, Storage x, Axis axis, Storage out);

  /**
   * Looks up: {@code out[o, j, i] = x[o, ids[j], i]} for every j of {@code ids}, any type.
   *
   * @param axis x's sizes
   * @param ids I64, each in {@code [0, axis.length)}
   */
  void gather(Storage x, Axis axis, Storage ids, Storage out);

  /**
   * The gradient of {@link #gather}: {@code out[o, ids[j], i] += x[o, j, i]}, in the order of j
   * whatever the number of threads. With {@code accumulate} false {@code out} is set to 0 first.
   *
   * @param axis out's sizes
   * @param ids I64, each in {@code [0, axis.length)} or {@code skip}
   * @param skip an id whose rows are left out, or -1
   */
  void scatterAdd(Storage x, Axis axis, Storage ids, long skip, Storage out, boolean accumulate);

  // ---- products and chance

  /**
   * A batch of matrix products, F32 and F64. F32 multiplies and adds in float32; the order of the
   * additions depends on the sizes only.
   */
  void gemm(Gemm sizes, Storage a, Storage b, Storage c);

  /**
   * Zeroes elements with probability p and scales the others by {@code 1 / (1 - p)}. Element i is
   * decided by {@link Philox} at {@code (seed, offset)}, so the same call on the incoming gradient
   * is the gradient.
   *
   * @param p in [0, 1]; 1 gives zeros
   */
  void dropout(Storage x, Storage out, double p, long seed, long offset);
}
