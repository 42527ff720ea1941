// Fused operations along rows: blockDim.x lanes share a row, a block has blockDim.y rows. Sums are taken in double.
#include "common.cuh"

// A row outside takes part in the reductions, with no elements.
#define ROW_LOOP                                              \
  i64 row = (i64)blockIdx.x * blockDim.y + threadIdx.y;       \
  bool inside = row < rows;                                   \
  i64 cols = inside ? width : 0;                              \
  i64 at = inside ? row * width : 0
#define FOR_LANES(c) for (i64 c = threadIdx.x; c < cols; c += blockDim.x)

template <typename T>
__device__ __forceinline__ void softmax(const T *x, T *out, i64 rows, i64 width, int logarithm) {
  ROW_LOOP;
  T most = Max<T>::none();
  FOR_LANES(c) most = Max<T>::of(most, x[at + c]);
  most = across<Max<T>>(most);
  double sum = 0;
  FOR_LANES(c) sum += exp(x[at + c] - most);
  sum = across<Sum<double>>(sum);
  if (logarithm) {
    T ln = (T)log(sum);
    FOR_LANES(c) out[at + c] = x[at + c] - most - ln;
  } else {
    T total = (T)sum;
    FOR_LANES(c) out[at + c] = exp(x[at + c] - most) / total;
  }
}

template <typename T>
__device__ __forceinline__ void softmaxGrad(const T *grad, const T *y, T *out, i64 rows, i64 width, int logarithm) {
  ROW_LOOP;
  double sum = 0;
  FOR_LANES(c) sum += logarithm ? (double)grad[at + c] : (double)grad[at + c] * y[at + c];
  T s = (T)across<Sum<double>>(sum);
  FOR_LANES(c) {
    T g = grad[at + c];
    T v = y[at + c];
    out[at + c] = logarithm ? g - exp(v) * s : v * (g - s);
  }
}

template <typename T>
__device__ __forceinline__ void normalize(const T *x, T *out, T *rstd, i64 rows, i64 width, double eps) {
  ROW_LOOP;
  double sum = 0;
  FOR_LANES(c) sum += x[at + c];
  double mean = across<Sum<double>>(sum) / width;
  double squares = 0;
  FOR_LANES(c) {
    double d = x[at + c] - mean;
    squares += d * d;
  }
  double r = 1 / sqrt(across<Sum<double>>(squares) / width + eps);
  FOR_LANES(c) out[at + c] = (T)((x[at + c] - mean) * r);
  if (inside && threadIdx.x == 0) rstd[row] = (T)r;
}

template <typename T>
__device__ __forceinline__ void normalizeGrad(const T *grad, const T *y, const T *rstd, T *out, i64 rows, i64 width) {
  ROW_LOOP;
  double sum = 0;
  double product = 0;
  FOR_LANES(c) {
    sum += grad[at + c];
    product += (double)grad[at + c] * y[at + c];
  }
  T mean = (T)(across<Sum<double>>(sum) / width);
  T slope = (T)(across<Sum<double>>(product) / width);
  T r = inside ? rstd[row] : T(0);
  FOR_LANES(c) out[at + c] = r * (grad[at + c] - mean - y[at + c] * slope);
}

template <typename T>
__device__ __forceinline__ void nll(const T *logp, const i64 *targets, T *out, i64 rows, i64 width, i64 ignore,
                                    double smoothing) {
  ROW_LOOP;
  double sum = 0;
  if (smoothing != 0) {
    FOR_LANES(c) sum += logp[at + c];
    sum = across<Sum<double>>(sum);
  }
  if (!inside || threadIdx.x != 0) return;
  i64 target = targets[row];
  double loss = 0;
  if (target != ignore) {
    loss = -(1 - smoothing) * logp[at + target];
    if (smoothing != 0) loss -= smoothing * (sum / width);
  }
  out[row] = (T)loss;
}

template <typename T>
__device__ __forceinline__ void nllGrad(const T *grad, const i64 *targets, T *out, i64 rows, i64 width, i64 ignore,
                                        double smoothing) {
  ROW_LOOP;
  if (!inside) return;
  i64 target = targets[row];
  bool counts = target != ignore;
  double g = counts ? (double)grad[row] : 0;
  T others = (T)(-g * smoothing / width);
  T own = (T)(-g * (1 - smoothing) - g * smoothing / width);
  FOR_LANES(c) out[at + c] = !counts ? T(0) : c == target ? own : others;
}

#define ROWS(type, T)                                                                                             \
  KERNEL softmax_##type(const T *x, T *out, i64 rows, i64 width, int logarithm) {                                 \
    softmax(x, out, rows, width, logarithm);                                                                      \
  }                                                                                                               \
  KERNEL softmax_grad_##type(const T *grad, const T *y, T *out, i64 rows, i64 width, int logarithm) {             \
    softmaxGrad(grad, y, out, rows, width, logarithm);                                                            \
  }                                                                                                               \
  KERNEL normalize_##type(const T *x, T *out, T *rstd, i64 rows, i64 width, double eps) {                         \
    normalize(x, out, rstd, rows, width, eps);                                                                    \
  }                                                                                                               \
  KERNEL normalize_grad_##type(const T *grad, const T *y, const T *rstd, T *out, i64 rows, i64 width) {           \
    normalizeGrad(grad, y, rstd, out, rows, width);                                                               \
  }                                                                                                               \
  KERNEL nll_##type(const T *logp, const i64 *targets, T *out, i64 rows, i64 width, i64 ignore, double smoothing) { \
    nll(logp, targets, out, rows, width, ignore, smoothing);                                                      \
  }                                                                                                               \
  KERNEL nll_grad_##type(const T *grad, const i64 *targets, T *out, i64 rows, i64 width, i64 ignore,              \
                         double smoothing) {                                                                      \
    nllGrad(grad, targets, out, rows, width, ignore, smoothing);                                                  \
  }
ROWS(f32, float)
ROWS(f64, double)
