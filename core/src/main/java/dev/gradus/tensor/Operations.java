package dev.gradus.tensor;

import dev.gradus.spi.CompareOp;
import dev.gradus.spi.UnaryOp;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;

/**
 * The operations of {@link Tensor}, each a line that names the function behind it. Operands are on
 * one device and of one type; shapes broadcast by NumPy's rule where nothing else is said.
 */
abstract class Operations extends ShapeOperations {
  /** In a reduction: no dimension is named, so that all are meant. */
  private static final int[] ALL = {};

  Operations() {}

  private Tensor unary(UnaryOp op, String name, double a, double b) {
    return ElementwiseFunctions.unary(op, name, self(), a, b);
  }

  private Tensor constant(String who, double value) {
    Checks.fits(who, self().dtype(), value);
    return self().device().full(self().dtype(), value);
  }

  // ---- arithmetic

  /** {@code this + other}. */
  public final Tensor add(Tensor other) {
    return ElementwiseFunctions.add(self(), other);
  }

  /** {@code this + value}. */
  public final Tensor add(double value) {
    return unary(UnaryOp.ADD_SCALAR, "Add", value, 0);
  }

  /** {@code this - other}. */
  public final Tensor sub(Tensor other) {
    return ElementwiseFunctions.sub(self(), other);
  }

  /** {@code this - value}. */
  public final Tensor sub(double value) {
    return unary(UnaryOp.ADD_SCALAR, "Sub", -value, 0);
  }

  /** {@code value - this}. */
  public final Tensor rsub(double value) {
    if (self().dtype() == DType.I64) {
      Checks.fits("rsub", DType.I64, value);
      return neg().add(value);
    }
    return unary(UnaryOp.RSUB_SCALAR, "Rsub", value, 0);
  }

  /** {@code this * other}, element by element. */
  public final Tensor mul(Tensor other) {
    return ElementwiseFunctions.mul(self(), other);
  }

  /** {@code this * value}. */
  public final Tensor mul(double value) {
    return unary(UnaryOp.MUL_SCALAR, "Mul", value, 0);
  }

  /** {@code this / other}, element by element. */
  public final Tensor div(Tensor other) {
    return ElementwiseFunctions.div(self(), other);
  }

  /** {@code this / value}. */
  public final Tensor div(double value) {
    return unary(UnaryOp.DIV_SCALAR, "Div", value, 0);
  }

  /** {@code value / this}. */
  public final Tensor rdiv(double value) {
    return unary(UnaryOp.RDIV_SCALAR, "Reciprocal", value, 0);
  }

  /** {@code -this}. */
  public final Tensor neg() {
    return unary(UnaryOp.NEG, "Neg", 0, 0);
  }

  /** {@code this ^ exponent}. */
  public final Tensor pow(double exponent) {
    return unary(UnaryOp.POW_SCALAR, "Pow", exponent, 0);
  }

  /** {@code this ^ exponent}, element by element. */
  public final Tensor pow(Tensor exponent) {
    return ElementwiseFunctions.pow(self(), exponent);
  }

  /** {@code base ^ this}. */
  public final Tensor rpow(double base) {
    return unary(UnaryOp.RPOW_SCALAR, "Pow", base, 0);
  }

  /** {@code e ^ this}. */
  public final Tensor exp() {
    return unary(UnaryOp.EXP, "Exp", 0, 0);
  }

  /** The natural logarithm. */
  public final Tensor log() {
    return unary(UnaryOp.LOG, "Log", 0, 0);
  }

  /** The square root. */
  public final Tensor sqrt() {
    return unary(UnaryOp.SQRT, "Sqrt", 0, 0);
  }

  /** The absolute value; its gradient at 0 is 0. */
  public final Tensor abs() {
    return unary(UnaryOp.ABS, "Abs", 0, 0);
  }

  /**
   * The nearest value in [min, max]; outside it the gradient is 0.
   *
   * @param min the lower bound, or negative infinity
   * @param max the upper bound, or positive infinity
   * @throws IllegalArgumentException if a bound is NaN
   */
  public final Tensor clamp(double min, double max) {
    Checks.number("clamp", "min", min);
    Checks.number("clamp", "max", max);
    return unary(UnaryOp.CLAMP, "Clamp", min, max);
  }

  /** The greater of both, element by element; equal ones share the gradient. */
  public final Tensor maximum(Tensor other) {
    return ElementwiseFunctions.maximum(self(), other);
  }

  /** The lesser of both, element by element; equal ones share the gradient. */
  public final Tensor minimum(Tensor other) {
    return ElementwiseFunctions.minimum(self(), other);
  }

  // ---- activations

  /** {@code 1 / (1 + e^-x)}. */
  public final Tensor sigmoid() {
    return unary(UnaryOp.SIGMOID, "Sigmoid", 0, 0);
  }

  /** The hyperbolic tangent. */
  public final Tensor tanh() {
    return unary(UnaryOp.TANH, "Tanh", 0, 0);
  }

  /** {@code max(x, 0)}. */
  public final Tensor relu() {
    return unary(UnaryOp.RELU, "Relu", 0, 0);
  }

  /** {@code x > 0 ? x : slope * x}. */
  public final Tensor leakyRelu(double slope) {
    Checks.number("leakyRelu", "slope", slope);
    return unary(UnaryOp.LEAKY_RELU, "LeakyRelu", slope, 0);
  }

  /** {@code x Phi(x)}, Phi the normal distribution function (arXiv:1606.08415). */
  public final Tensor gelu() {
    return unary(UnaryOp.GELU, "Gelu", 0, 0);
  }

  /** The approximation of {@link #gelu} by tanh. */
  public final Tensor geluTanh() {
    return unary(UnaryOp.GELU_TANH, "Gelu", 0, 0);
  }

  /** {@code x sigmoid(x)}. */
  public final Tensor silu() {
    return unary(UnaryOp.SILU, "Silu", 0, 0);
  }

  /** {@code ln(1 + e^(beta x)) / beta}, and x itself where {@code beta x > threshold}. */
  public final Tensor softplus(double beta, double threshold) {
    if (!(beta > 0)) {
      throw new IllegalArgumentException("softplus: beta must be > 0 but is " + beta);
    }
    Checks.number("softplus", "threshold", threshold);
    return unary(UnaryOp.SOFTPLUS, "Softplus", beta, threshold);
  }

  // ---- comparisons, without gradients

  private Tensor compare(CompareOp op, String who, double value) {
    try (Tensor constant = constant(who, value)) {
      return ElementwiseFunctions.compare(op, who, self(), constant);
    }
  }

  /** Where both are equal. */
  public final Tensor eq(Tensor other) {
    return ElementwiseFunctions.compare(CompareOp.EQ, "eq", self(), other);
  }

  /** Where this equals a value. */
  public final Tensor eq(double value) {
    return compare(CompareOp.EQ, "eq", value);
  }

  /** Where both differ. */
  public final Tensor ne(Tensor other) {
    return ElementwiseFunctions.compare(CompareOp.NE, "ne", self(), other);
  }

  /** Where this differs from a value. */
  public final Tensor ne(double value) {
    return compare(CompareOp.NE, "ne", value);
  }

  /** Where this is less. */
  public final Tensor lt(Tensor other) {
    return ElementwiseFunctions.compare(CompareOp.LT, "lt", self(), other);
  }

  /** Where this is less than a value. */
  public final Tensor lt(double value) {
    return compare(CompareOp.LT, "lt", value);
  }

  /** Where this is less or equal. */
  public final Tensor le(Tensor other) {
    return ElementwiseFunctions.compare(CompareOp.LE, "le", self(), other);
  }

  /** Where this is at most a value. */
  public final Tensor le(double value) {
    return compare(CompareOp.LE, "le", value);
  }

  /** Where this is greater. */
  public final Tensor gt(Tensor other) {
    return ElementwiseFunctions.compare(CompareOp.GT, "gt", self(), other);
  }

  /** Where this is greater than a value. */
  public final Tensor gt(double value) {
    return compare(CompareOp.GT, "gt", value);
  }

  /** Where this is greater or equal. */
  public final Tensor ge(Tensor other) {
    return ElementwiseFunctions.compare(CompareOp.GE, "ge", self(), other);
  }

  /** Where this is at least a value. */
  public final Tensor ge(double value) {
    return compare(CompareOp.GE, "ge", value);
  }

  /** {@code mask ? x : y}; the mask is bool. */
  public static Tensor where(Tensor mask, Tensor x, Tensor y) {
    return ElementwiseFunctions.where("where", mask, x, y);
  }

  /** This, with a value where the mask holds; the mask broadcasts to this shape. */
  public final Tensor maskedFill(Tensor mask, double value) {
    if (!Shape.broadcast("maskedFill", mask.shape(), self().shape()).equals(self().shape())) {
      throw new IllegalArgumentException(
          "maskedFill: the mask " + mask.shape() + " is larger than the tensor " + self().shape());
    }
    try (Tensor constant = constant("maskedFill", value)) {
      return ElementwiseFunctions.where("maskedFill", mask, constant, self());
    }
  }

  // ---- products

  /**
   * The matrix product of the last two dimensions; leading dimensions broadcast.
   *
   * @param other [..., k, n] where this is [..., m, k]
   * @return [..., m, n]
   * @throws IllegalArgumentException if an operand has less than two dimensions, or the inner ones
   *     differ
   */
  public final Tensor matmul(Tensor other) {
    return MatmulFunctions.matmul(self(), other);
  }

  /**
   * {@code this weight'}: every vector of the last dimension through a matrix.
   *
   * @param weight [out, in]
   */
  public final Tensor linear(Tensor weight) {
    return MatmulFunctions.linear(self(), weight, weight, false);
  }

  /**
   * {@code this weight' + bias}.
   *
   * @param weight [out, in]
   * @param bias [out]
   */
  public final Tensor linear(Tensor weight, Tensor bias) {
    return MatmulFunctions.linear(self(), weight, bias, true);
  }

  // ---- reductions

  /** The sum of all elements. */
  public final Tensor sum() {
    return ReduceFunctions.sum("sum", self(), ALL, false);
  }

  /** The sum over these dimensions, which disappear. */
  public final Tensor sum(int... dims) {
    return ReduceFunctions.sum("sum", self(), dims, false);
  }

  /** The sum over one dimension, which becomes 1 when kept. */
  public final Tensor sum(int dim, boolean keepDim) {
    return ReduceFunctions.sum("sum", self(), new int[] {dim}, keepDim);
  }

  /** The sum over these dimensions, or all where there is none; they become 1 when kept. */
  public final Tensor sum(int[] dims, boolean keepDims) {
    return ReduceFunctions.sum("sum", self(), dims, keepDims);
  }

  /** The mean of all elements. */
  public final Tensor mean() {
    return ReduceFunctions.mean("mean", self(), ALL, false);
  }

  /** The mean over these dimensions, which disappear. */
  public final Tensor mean(int... dims) {
    return ReduceFunctions.mean("mean", self(), dims, false);
  }

  /** The mean over one dimension, which becomes 1 when kept. */
  public final Tensor mean(int dim, boolean keepDim) {
    return ReduceFunctions.mean("mean", self(), new int[] {dim}, keepDim);
  }

  /** The mean over these dimensions, or all where there is none; they become 1 when kept. */
  public final Tensor mean(int[] dims, boolean keepDims) {
    return ReduceFunctions.mean("mean", self(), dims, keepDims);
  }

  /** The variance of all elements: squared distances from the mean, divided by {@code n - 1}. */
  public final Tensor var() {
    return ReduceFunctions.var(self(), ALL, 1, false);
  }

  /** The variance along a dimension, divided by {@code n - correction}. */
  public final Tensor var(int dim, int correction, boolean keepDim) {
    return ReduceFunctions.var(self(), new int[] {dim}, correction, keepDim);
  }

  /**
   * The variance over these dimensions, or all where there is none, divided by {@code n -
   * correction}; they become 1 when kept.
   */
  public final Tensor var(int[] dims, int correction, boolean keepDims) {
    return ReduceFunctions.var(self(), dims, correction, keepDims);
  }

  /** The greatest of all elements; equal ones share the gradient. */
  public final Tensor max() {
    return ReduceFunctions.extremum(true, self());
  }

  /** The greatest along a dimension; the first of equal ones takes the gradient. */
  public final Tensor max(int dim, boolean keepDim) {
    return ReduceFunctions.extremum(true, self(), dim, keepDim);
  }

  /**
   * The greatest over these dimensions, all when none is named; one of equal ones takes the
   * gradient.
   */
  public final Tensor max(int[] dims, boolean keepDims) {
    return ReduceFunctions.extremum(true, self(), dims, keepDims);
  }

  /** The least of all elements; equal ones share the gradient. */
  public final Tensor min() {
    return ReduceFunctions.extremum(false, self());
  }

  /** The least along a dimension; the first of equal ones takes the gradient. */
  public final Tensor min(int dim, boolean keepDim) {
    return ReduceFunctions.extremum(false, self(), dim, keepDim);
  }

  /**
   * The least over these dimensions, all when none is named; one of equal ones takes the gradient.
   */
  public final Tensor min(int[] dims, boolean keepDims) {
    return ReduceFunctions.extremum(false, self(), dims, keepDims);
  }

  /**
   * The position of the greatest among all elements, row by row, int64; the first of equal ones.
   */
  public final Tensor argmax() {
    return ReduceFunctions.argExtremum(true, self());
  }

  /** The position of the least among all elements, row by row, int64; the first of equal ones. */
  public final Tensor argmin() {
    return ReduceFunctions.argExtremum(false, self());
  }

  /** The position of the greatest along a dimension, int64; the first of equal ones. */
  public final Tensor argmax(int dim, boolean keepDim) {
    return ReduceFunctions.argExtremum(true, self(), dim, keepDim);
  }

  /** The position of the least along a dimension, int64; the first of equal ones. */
  public final Tensor argmin(int dim, boolean keepDim) {
    return ReduceFunctions.argExtremum(false, self(), dim, keepDim);
  }

  // ---- rows

  /** {@code e^x / sum(e^x)} along a dimension. */
  public final Tensor softmax(int dim) {
    return RowFunctions.softmax(false, self(), dim);
  }

  /** The logarithm of {@link #softmax}, computed without overflow. */
  public final Tensor logSoftmax(int dim) {
    return RowFunctions.softmax(true, self(), dim);
  }

  /**
   * Brings the last {@code dims} dimensions, taken together, to mean 0 and variance 1: layer norm
   * without weights.
   */
  public final Tensor normalize(int dims, double eps) {
    return RowFunctions.normalize(self(), dims, eps);
  }

  /** Zeroes elements with probability p and scales the others by {@code 1 / (1 - p)}. */
  public final Tensor dropout(double p) {
    return RowFunctions.dropout(self(), p);
  }

  /** The slices at these positions of a dimension; ids is a vector of int64. */
  public final Tensor indexSelect(int dim, Tensor ids) {
    return RowFunctions.indexSelect(self(), dim, ids);
  }

  /**
   * For each id the row of this table.
   *
   * @param who the name for messages
   * @param ids int64, of any shape, each in [0, rows)
   * @param paddingIndex a row that takes no gradient, or -1
   * @return the shape of ids, and the row's size after it
   */
  public final Tensor embedding(String who, Tensor ids, long paddingIndex) {
    return RowFunctions.embedding(who, self(), ids, paddingIndex);
  }

  /**
   * For each row of log-probabilities the loss {@code -(1 - s) x[t] - s mean(x)}, 0 where t is
   * ignored.
   *
   * @param who the name for messages
   * @param targets int64 [rows], each in [0, columns) or {@code ignore}
   * @param smoothing s, in [0, 1]
   * @param ignore a target that counts for nothing
   */
  public final Tensor nll(String who, Tensor targets, double smoothing, long ignore) {
    return RowFunctions.nll(who, self(), targets, smoothing, ignore);
  }

  /**
   * For probabilities the binary cross-entropy against targets of the same shape, logarithms at
   * least -100.
   */
  public final Tensor binaryCrossEntropy(Tensor targets) {
    return ElementwiseFunctions.binaryCrossEntropy(self(), targets);
  }
}
